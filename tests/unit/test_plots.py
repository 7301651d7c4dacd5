"""Figures show their tables: what is drawn is read back from the artists, never from pixels."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path

import matplotlib
import matplotlib.style
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.text import Text

import campare
from campare import analysis, registry
from campare.errors import CampareError
from campare.plots import images as image_figures
from campare.plots import metrics, relations, saving, style, summary, training, views

pytestmark = pytest.mark.filterwarnings("error")

AUGMENTATIONS = ["affine", "cutmix", "color_jitter"]
ALL = ["baseline", *AUGMENTATIONS]
SEGMENTS = analysis.SEGMENTS["correctness"] | analysis.SEGMENTS["agreement"]
METRICS = ["overlap_20", "pearson", "mad", "kl", "class_kld", "entropy"]
SEEDS = [1, 2, 3]


def models(augmentations: list[str], seeds: list[int] = SEEDS) -> list[tuple[str, int]]:
    return [(a, s) for a in augmentations for s in (seeds[:1] if a == "baseline" else seeds)]


def performance(augmentations: list[str], seeds: list[int] = SEEDS) -> tuple[pd.DataFrame, ...]:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(models(augmentations, seeds), columns=["augmentation", "seed"])
    table["f1"] = rng.uniform(0.9, 1, len(table))
    summary = table.groupby("augmentation")["f1"].agg(["mean", "std"]).reset_index()
    return table, summary.assign(score="f1")


def confusion(classes: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(product(["cutmix"], classes, classes))
    table.columns = ["augmentation", "label", "prediction"]
    return table.assign(images=rng.integers(0, 40, len(table)))


def history(augmentations: list[str], seeds: list[int] = SEEDS, epochs: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [(a, s, e) for a, s in models(augmentations, seeds) for e in range(1, epochs + 1)]
    table = pd.DataFrame(rows, columns=["augmentation", "seed", "epoch"])
    table["train_loss"] = rng.uniform(0.01, 2, len(table))
    return table.assign(validation_accuracy=rng.uniform(0.3, 1, len(table)))


def values(augmentations: list[str], images: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"augmentation": np.repeat(augmentations, images)})
    for metric in METRICS:
        table[metric] = rng.beta(2, 3, len(table))
    table["class_kld"] = np.exp(rng.normal(-5, 3, len(table)))
    table["kl"] = np.exp(rng.normal(1, 1, len(table)))
    table["entropy"] = rng.normal(5, 0.3, len(table))
    table["entropy_baseline"] = np.tile(rng.normal(5, 0.3, images), len(augmentations))
    table.loc[rng.random(len(table)) < 0.05, "pearson"] = np.nan
    return table.assign(segment=rng.choice(list(SEGMENTS), len(table)))


def by_segment(table: pd.DataFrame, metric: str) -> dict[str, dict[str, np.ndarray]]:
    return {
        name: {key: rows.loc[rows["segment"] == key, metric].to_numpy() for key in SEGMENTS}
        for name, rows in table.groupby("augmentation", sort=False)
    }


def correlation(augmentations: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    matrix = np.corrcoef(rng.normal(size=(len(augmentations), 9)) + rng.normal(size=9))
    table = pd.DataFrame(product(METRICS, augmentations, augmentations))
    table.columns = ["metric", "augmentation_a", "augmentation_b"]
    return table.assign(pearson=np.tile(np.ravel(matrix), len(METRICS)))


def pairs(augmentations: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(pairwise(augmentations), columns=["augmentation_a", "augmentation_b"])
    return table.assign(count=np.arange(len(table), 0, -1))


def model_views(
    augmentations: list[str],
    seeds: list[int] = SEEDS,
    true: str = "frog",
    image: np.ndarray | None = None,
) -> list[views.ModelView]:
    """Views of an image by some models; those with CutMix predict another class."""
    rng = np.random.default_rng(0)
    image = photos(1, 1)[0] if image is None else image
    return [
        views.ModelView(image, rng.random((16, 16)), predicted, 0.75, true, a, str(s))
        for a, s in models(augmentations, seeds)
        for predicted in ["ship" if a == "cutmix" else true]
    ]


def photos(count: int, channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, channels), np.uint8)


def means(augmentations: list[str], seeds: list[int] = SEEDS) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(product(augmentations, seeds), columns=["augmentation", "seed"])
    table["accuracy"] = rng.uniform(0.7, 0.9, len(table))
    table["kl"] = rng.uniform(1, 9, len(table))
    return table, analysis.accuracy_correlation(table, ["kl"])


def architectures(seconds: float) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(product(["resnet18", "small_cnn"], [1, 2, 3]))
    table.columns = ["architecture", "epoch"]
    return table.assign(test_recall=rng.uniform(0.2, 1, len(table)), seconds=seconds)


def draw_all(augmentations: list[str], seeds: list[int], images: int) -> dict[str, Figure]:
    """One figure of every kind, for a study of this extent."""
    everything = ["baseline", *augmentations]
    table = values(augmentations, images)
    shares = np.eye(10)[np.arange(8)], (0.7 * np.eye(10) + 0.3 * np.eye(10)[::-1])[:8]
    names = [f"class number {k}" for k in range(10)]
    return {
        "examples": image_figures.examples(
            photos(8, 3), photos(8, 3), shares, names, "cutmix_mixed"
        ),
        "sets": image_figures.sets(
            photos(8, 3), dict.fromkeys(augmentations, photos(8, 3)), names[:8]
        ),
        **{
            f"overlays {map_only}": views.overlays(
                [
                    model_views(everything, seeds[:1], name, image)
                    for name, image in zip(names[:2], photos(2, 1), strict=True)
                ],
                map_only=map_only,
            )
            for map_only in (True, False)
        },
        "accuracy": metrics.accuracy(*means(augmentations, seeds), "kl", everything),
        "performance": training.performance(*performance(everything, seeds), "f1", everything),
        "confusion": training.confusion(confusion(names), "cutmix"),
        "history": training.history(history(everything, seeds), everything),
        **{f"boxplot {name}": metrics.boxplot(table, name, everything) for name in METRICS},
        **{
            f"segments {name}": metrics.segments(by_segment(table, name), name, SEGMENTS)
            for name in METRICS
        },
        "correlation": relations.correlation(correlation(augmentations), "mad", augmentations),
        "pairs": relations.pairs(pairs(augmentations), "weakest", metrics=8, top=4),
        "extreme": views.extreme(model_views(everything, seeds), "Image 7. " * 12),
        "scores": training.architecture_scores(
            architectures(7), "recall", ["small_cnn", "resnet18"]
        ),
        "times": training.architecture_times(architectures(7), ["small_cnn", "resnet18"]),
    }


def texts(figure: Figure) -> list[str]:
    return [text for artist in figure.findobj(Text) if (text := artist.get_text())]


def only(figure: Figure) -> Axes:
    return figure.axes[0]


def drawn(figure: Figure, folder: Path, suffix: str) -> bytes:
    path = folder / f"figure{suffix}"
    saving.save(figure, path)
    return path.read_bytes()


# Names, colours and files


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cutmix", "CutMix"),
        ("color_jitter", "Color jitter"),
        ("baseline", "Baseline"),
        ("efficientnet_b0", "EfficientNet-B0"),
        ("my_GAN", "My GAN"),
    ],
)
def test_titles_of_names(name: str, shown: str) -> None:
    assert style.title(name) == shown


def test_an_augmentation_keeps_its_colour_in_all_figures() -> None:
    names = [f"augmentation_{k}" for k in range(12)]
    colours = style.colours(names)
    assert colours == style.colours(["baseline", *names])
    assert len({colours[name] for name in ("baseline", *names[:9])}) == 10
    assert set(colours) == {"baseline", *names}


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_same_tables_give_same_bytes_whatever_the_users_settings(
    tmp_path: Path, suffix: str
) -> None:
    def draw() -> Figure:
        return metrics.boxplot(values(AUGMENTATIONS), "class_kld", ALL)

    usual = drawn(draw(), tmp_path, suffix)
    settings = {"font.size": 20, "savefig.bbox": "tight", "svg.hashsalt": None, "axes.grid": True}
    with matplotlib.style.context(settings):
        assert drawn(draw(), tmp_path, suffix) == usual
        assert matplotlib.rcParams["font.size"] == 20
    assert drawn(metrics.boxplot(values(AUGMENTATIONS), "mad", ALL), tmp_path, suffix) != usual


def test_same_bytes_in_another_process_without_torch(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
import test_plots
figure = test_plots.training.confusion(test_plots.confusion(list("abc")), "cutmix")
test_plots.saving.save(figure, sys.argv[1])
assert "torch" not in sys.modules
"""
    here, package = Path(__file__).parent, Path(campare.__file__).parents[1]
    there = tmp_path / "there.svg"
    subprocess.run([sys.executable, "-c", code, there, here, package], check=True)
    figure = training.confusion(confusion(list("abc")), "cutmix")
    assert drawn(figure, tmp_path, ".svg") == there.read_bytes()


def test_figures_are_sharp_enough_for_print(tmp_path: Path) -> None:
    figure = relations.pairs(pairs(AUGMENTATIONS), "strongest", metrics=8, top=4)
    data = drawn(figure, tmp_path, ".png")
    assert int.from_bytes(data[16:20], "big") == 300 * 7


def test_unknown_format_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CampareError, match=r"figure\.jpeg.*known: \.png, \.svg, \.pdf"):
        saving.save(Figure(), tmp_path / "figure.jpeg")
    assert not list(tmp_path.iterdir())


def test_each_figure_is_drawn_once_for_all_its_formats(tmp_path: Path) -> None:
    stems: list[str] = []

    def draw(stem: str) -> Figure:
        stems.append(stem)
        return Figure(figsize=(1, 1))

    paths = [tmp_path / name for name in ("b.png", "a.png", "b.svg", "a.svg")]
    saving.save_each(paths, draw, dpi=50)
    assert sorted(stems) == ["a", "b"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)


# Contents of every kind of figure


def test_examples_show_images_and_shares_of_the_label() -> None:
    before, after = np.eye(3)[[0, 2]], np.array([[0.25, 0.75, 0], [0, 0, 1]])
    originals, augmented = photos(2, 1), photos(2, 1)[::-1]
    names = ["cat", "dog", "hippopotamus amphibius"]
    figure = image_figures.examples(originals, augmented, (before, after), names, "cutmix_mixed")
    shown = [image.get_array() for image in figure.findobj(AxesImage)]
    np.testing.assert_array_equal(shown, [*originals[..., 0], *augmented[..., 0]])
    long = texts(figure)[2]
    assert long.startswith("hipp") and long.endswith("bius")
    labels = ["cat", long, "75% dog\n25% cat", long]
    assert texts(figure) == ["Original", *labels[:2], "CutMix, mixed labels", *labels[2:]]


def test_performance_shows_seeds_mean_and_spread() -> None:
    table, summary = performance(ALL)
    axes = only(training.performance(table, summary, "f1", ALL))
    lines = [line.get_xydata() for line in axes.lines]
    bars = [bar.get_segments()[0] for bar in axes.collections]
    for row, name in enumerate(ALL):
        scores = 100 * table.loc[table["augmentation"] == name, "f1"].to_numpy()
        mean = scores.mean()
        spread = scores.std(ddof=1) if len(scores) > 1 else 0.0
        assert any(line[:, 0].tolist() == scores.tolist() for line in lines)
        assert any(np.allclose(line, [[mean, row]]) for line in lines)
        np.testing.assert_allclose(bars[row], [[mean - spread, row], [mean + spread, row]])
        label = f"{mean:.2f} ± {spread:.2f}" if len(scores) > 1 else f"{mean:.2f}"
        assert label in texts(axes.figure)
    assert axes.get_xlabel().startswith("Test F1 score (macro) (%)\n")
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [style.title(n) for n in ALL]


def test_confusion_shows_counts_and_shares_of_the_true_class() -> None:
    table = confusion(["cat", "dog", "NA"])
    table.loc[table["label"] == "dog", "images"] = 0
    figure = training.confusion(table, "cutmix")
    counts = table["images"].to_numpy().reshape(3, 3)
    shares = only(figure).findobj(QuadMesh)[0].get_array()
    np.testing.assert_allclose(shares.sum(axis=1).filled(np.nan), [100, np.nan, 100])
    np.testing.assert_allclose(shares[0], 100 * counts[0] / counts[0].sum())
    cells = {text.get_position(): text.get_text() for text in only(figure).texts if text.get_text()}
    for row, column in np.ndindex(3, 3):
        shown = cells.get((column + 0.5, row + 0.5), "0")
        assert shown == str(counts[row, column])
    assert [tick.get_text() for tick in only(figure).get_yticklabels()] == ["cat", "dog", "NA"]


def test_confusion_of_many_classes_has_no_numbers_in_its_cells() -> None:
    figure = training.confusion(confusion([f"class {k}" for k in range(40)]), "cutmix")
    assert not only(figure).texts
    assert len(only(figure).get_yticklabels()) == 40


def test_confusion_of_too_many_classes_lists_the_most_frequent_confusions() -> None:
    table = confusion(names := [f"class {k:02}" for k in range(60)])
    table.loc[(table["label"] == names[3]) & (table["prediction"] == names[7]), "images"] = 99
    figure = training.confusion(table, "cutmix")
    assert only(figure).findobj(QuadMesh)[0].get_array().shape == (60, 60)
    assert len(only(figure).get_yticklabels()) == 30
    assert only(figure).get_ylabel() == "True class (one in 2 is named)"
    (listed,) = (text for text in texts(figure) if "→" in text)
    assert listed.splitlines()[:2] == [
        "The 40 most frequent confusions, true → predicted:",
        "99 × class 03 → class 07",
    ]
    assert len(listed.splitlines()) == 41


@pytest.mark.parametrize(
    ("errors", "head"),
    [
        (0, "No class is confused with another."),
        (1, "The only confusion, true → predicted:"),
        (2, "The 2 most frequent confusions, true → predicted:"),
    ],
)
def test_few_confusions_of_many_classes_are_counted(errors: int, head: str) -> None:
    table = confusion([f"class {k:02}" for k in range(41)])
    table["images"] = (table["label"] == table["prediction"]) * 3
    table.loc[1:errors, "images"] = 1
    listed = [text.splitlines() for text in texts(training.confusion(table, "cutmix"))]
    assert [len(lines) - 1 for lines in listed if lines[0] == head] == [errors]


def test_a_sheet_without_images_says_so() -> None:
    assert "Mistakes. There are none." in texts(views.sheets([], 0.95, "Mistakes"))


def test_classes_named_by_numbers_are_in_the_order_of_the_numbers() -> None:
    def shown(classes: list[str]) -> list[str]:
        axes = only(training.confusion(confusion(classes), "cutmix"))
        return [label.get_text() for label in axes.get_yticklabels()]

    assert shown(["1", "10", "2"]) == ["1", "2", "10"]
    assert shown(["T-shirt", "Bag"]) == ["T-shirt", "Bag"]


def test_history_shows_every_seed_their_mean_and_the_baseline() -> None:
    table = history(ALL)
    figure = training.history(table, ALL)
    panels = [axes for axes in figure.axes if axes.get_title() == "CutMix"]
    for panel, (column, scale) in zip(
        panels, [("train_loss", 1), ("validation_accuracy", 100)], strict=True
    ):
        shown = [line.get_ydata() for line in panel.lines]
        for name in ("baseline", "cutmix"):
            rows = table[table["augmentation"] == name]
            seeds = [seed[column].to_numpy() for _, seed in rows.groupby("seed")]
            for expected in [*seeds, np.mean(seeds, axis=0)]:
                assert any(np.allclose(line, scale * expected) for line in shown)
    assert {"Training loss (nats)", "Validation accuracy (%)", "Epoch"} <= set(texts(figure))


@pytest.mark.parametrize(
    ("loss", "labels"), [((0.9, 2.4), {"1", "2"}), ((0.01, 2.4), {"10⁻¹", "10⁰"})]
)
def test_a_loss_within_a_power_of_ten_has_plain_numbers(
    loss: tuple[float, float], labels: set[str]
) -> None:
    table = history(ALL)
    table["train_loss"] = np.linspace(*loss, len(table))
    figure = training.history(table, ALL)
    figure.draw_without_rendering()
    shown = {text.get_text() for text in figure.axes[0].get_yticklabels()}
    assert labels <= shown
    assert any(text.startswith("10") for text in shown) == ("10⁰" in labels)


def test_history_shows_the_learning_rate_if_it_changes_and_averaged_weights() -> None:
    table = history(ALL)
    rate = np.linspace(0.01, 0, 5)
    plain = training.history(table, ALL)
    figure = training.history(
        table.assign(learning_rate=np.resize(rate, len(table))), ALL, averaged=True
    )
    *_, axes = figure.axes
    (line,) = axes.lines  # all models have the same
    np.testing.assert_allclose(line.get_xydata(), np.column_stack([range(1, 6), rate]))
    new = set(texts(figure)) - set(texts(plain))
    assert {"Learning rate\nat end of epoch", "Validation accuracy (%)\nof EMA weights"} <= new


def test_history_of_models_that_stopped_early_has_a_mean_where_all_seeds_are() -> None:
    table = history(["baseline", "cutmix"], seeds=[1, 2])
    table = table[
        (table["augmentation"] == "baseline") | (table["seed"] == 1) | (table["epoch"] < 4)
    ]
    panel = training.history(table, ["baseline", "cutmix"]).axes[0]
    means = [line for line in panel.lines if line.get_linewidth() == 1.5]
    assert [len(line.get_xdata()) for line in means] == [5, 3]


def test_boxplot_of_a_quantity_of_one_map_has_a_box_for_the_baseline_and_no_line() -> None:
    table = values(AUGMENTATIONS)
    axes = only(metrics.boxplot(table, "entropy", ALL))
    assert [label.get_text() for label in axes.get_yticklabels()] == [style.title(a) for a in ALL]
    boxes = [(box.get_x(), box.get_x() + box.get_width()) for box in axes.patches]
    first = table["augmentation"] == AUGMENTATIONS[0]
    expected = table.loc[first, "entropy_baseline"].quantile([0.25, 0.75])
    np.testing.assert_allclose(boxes[0], expected)
    assert "identical maps" not in texts(axes.figure)
    assert axes.get_xscale() == "linear"
    assert all(line.get_marker() == "o" for line in axes.lines)  # dots


@pytest.mark.parametrize("metric", [metric for metric in METRICS if metric != "entropy"])
def test_boxplot_shows_quartiles_counts_and_the_value_of_identical_maps(metric: str) -> None:
    table = values(AUGMENTATIONS)
    axes = only(metrics.boxplot(table, metric, ALL))
    boxes = [(box.get_x(), box.get_x() + box.get_width()) for box in axes.patches]
    # One artist per row: matplotlib renders its marker once, not once for each dot.
    dots = [line.get_xydata() for line in axes.lines if line.get_marker() == "o"]
    assert len(dots) == len(AUGMENTATIONS)
    lines = [line for lines in axes.findobj(LineCollection) for line in lines.get_segments()]
    same = registry.metric(metric).same
    others = [line.get_xdata() for line in axes.lines if line.get_marker() != "o"]
    assert np.unique(others).tolist() == [same]
    for row, name in enumerate(AUGMENTATIONS):
        column = table.loc[table["augmentation"] == name, metric]
        expected = column.quantile([0.25, 0.75, 0.025, 0.975]).to_numpy()
        np.testing.assert_allclose(boxes[row], expected[:2])
        median = [[column.median(), row - 0.3], [column.median(), row + 0.3]]
        whiskers = (
            [[expected[2], row], [expected[0], row]],
            [[expected[3], row], [expected[1], row]],
        )
        for mark in (median, *whiskers):
            assert any(np.allclose(np.sort(line, 0), np.sort(mark, 0)) for line in lines)
        beyond = column[(column < expected[2]) | (column > expected[3])]
        np.testing.assert_allclose(np.sort(dots[row][:, 0]), np.sort(beyond))
        assert set(dots[row][:, 1]) <= {row}
        assert {f"{len(column)}", f"{column.isna().sum()}"} <= set(texts(axes.figure))
    assert axes.get_xlabel().startswith(registry.metric(metric).label)
    low, high = axes.get_xlim()
    assert low <= min(same, table[metric].min()) <= max(same, table[metric].max()) <= high


def test_unbounded_metric_has_an_axis_on_which_boxes_are_wide() -> None:
    table = values(AUGMENTATIONS)
    axes = only(metrics.boxplot(table, "class_kld", AUGMENTATIONS))
    quartiles = np.column_stack([table["class_kld"].quantile([0.25, 0.75]), [0, 0]])
    left, right = axes.transAxes.inverted().transform(axes.transData.transform(quartiles))[:, 0]
    assert right - left > 0.15
    assert axes.get_xscale() == "symlog"


def beside_floor(images: int = 200) -> pd.DataFrame:
    """Augmentations, pairs of baselines, which have no entropy, and a control."""
    table = values([*AUGMENTATIONS, "baseline", "duplicated_originals"], images)
    table.loc[table["augmentation"] == "baseline", "entropy"] = np.nan
    return table


def test_boxplot_shows_the_floor_in_grey_below_the_augmentations() -> None:
    table = beside_floor()
    figure = metrics.boxplot(
        table, "mad", ALL, ["baseline", "duplicated_originals", "longer_training"], about="Of"
    )
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert [label.replace("\n", " ") for label in labels] == [
        *map(style.title, AUGMENTATIONS),
        "Retraining variability (baseline vs. baseline)",
        "Duplicated originals (step-matched)",
    ]
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    grey = matplotlib.colors.to_rgb(style.GREY)
    assert [box.get_facecolor()[:3] == grey for box in boxes] == [False] * 3 + [True] * 2
    rows = table.loc[table["augmentation"] == "baseline", "mad"]
    quartiles = boxes[3].get_x(), boxes[3].get_x() + boxes[3].get_width()
    np.testing.assert_allclose(quartiles, rows.quantile([0.25, 0.75]))
    assert axes.get_xlabel().endswith("\nOf")


def test_pairs_of_baselines_have_no_box_for_a_quantity_of_one_map() -> None:
    figure = metrics.boxplot(beside_floor(), "entropy", ALL, ["baseline", "duplicated_originals"])
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert [label.replace("\n", " ") for label in labels] == [
        *("Baseline", *map(style.title, AUGMENTATIONS), "Duplicated originals (step-matched)"),
    ]


INTERVALS = ["accuracy_change", "net", "tightening", "shift", "equal_shift"]


def summarised(**changes: object) -> pd.DataFrame:
    """summary.csv of two augmentations and a control."""
    table = pd.DataFrame(
        {"augmentation": ["affine", "cutmix", "duplicated_originals"], "metric": "overlap_20"}
    )
    table["reference"] = ["duplicated_originals", "duplicated_originals", "baseline"]
    for k, name in enumerate(INTERVALS):
        centres = np.array([0.05, 0.01, -0.01]) * (k + 1)
        table[name], table[f"{name}_low"], table[f"{name}_high"] = (
            centres, centres - 0.02, centres + 0.03,
        )  # fmt: skip
        table[f"{name}_p_holm"] = [0.01, 0.2, 0.9]
    table = table.assign(
        relative_shift=[0.3, 0.1, -0.005],
        noise_corrected_similarity=[0.9, 0.99, np.nan],
        note=np.nan,
    )
    table = table.assign(
        significant=[3.0, 1, 0], tested=4, accuracy_change_note=np.nan, floor=0.4812
    )
    return table.assign(models=[6, 6, 9], reference_models=7, images=360, **changes)


def test_the_summary_shows_accuracy_change_components_and_shift_filled_if_significant() -> None:
    table = summarised()
    figure = summary.summary(table, "digits")
    accuracy, components, shift = figure.axes[:3]
    for axes, column, marker, scale in (
        (accuracy, "accuracy_change", "o", 100),
        (components, "net", "D", 1),
        (components, "tightening", "s", 1),
        (shift, "shift", "o", 1),
        (shift, "equal_shift", "^", 1),
    ):
        points = [line for line in axes.lines if line.get_marker() == marker]
        np.testing.assert_allclose(
            [float(point.get_xdata()[0]) for point in points], scale * table[column]
        )
        filled = [point.get_markerfacecolor() != "white" for point in points]
        assert filled == ([False] * 3 if column == "net" else [True, False, False])
        bars = [c.get_segments()[0] for c in axes.collections if isinstance(c, LineCollection)]
        rows = [float(point.get_ydata()[0]) for point in points]
        ends = [bar[:, 0] for row in rows for bar in bars if bar[0, 1] == row]
        np.testing.assert_allclose(ends, scale * table[[f"{column}_low", f"{column}_high"]])
    assert [text.get_text() for text in shift.texts] == [
        *("Shift,\n% of noise\nfloor", "+30.0", "+10.0", "−0.5"),
        *("Noise-\ncorrected\nsimilarity c", "0.900", "0.990", "–"),
        *("Metrics with\nsignificant\nshift", "3 of 4", "1 of 4", "0 of 4"),
    ]
    heading = figure.texts[0].get_text().replace("\n", " ")
    assert "360 test images; networks: 6 per augmentation, 7 reference (step-matched" in heading
    assert "Map distance: 1 − overlap rate (top 20 %)." in heading
    assert "different seeds, 0.481." in heading
    assert [text.get_text() for text in accuracy.get_yticklabels()][2] == (
        "Duplicated originals\n(step-matched) vs.\nbaseline"
    )
    assert accuracy.get_xlabel() == "Percentage points"
    assert components.get_xlabel() == "Difference in 1 − overlap\nrate (top 20 %)"


def test_the_summary_says_why_there_is_no_test() -> None:
    unknown = {f"{name}_p_holm": np.nan for name in INTERVALS}
    table = summarised(**unknown, note="too few models")
    table["significant"], table["tested"] = np.nan, 0
    figure = summary.summary(table, "digits")
    assert "No test of the map shift: too few models." in figure.texts[0].get_text()
    assert [text.get_text() for text in figure.axes[2].texts][9:] == ["–"] * 3


def test_clusters_order_the_correlations_by_their_tree_and_print_their_support() -> None:
    rows = [
        ("mad", "a", "c", "a + c", 0.2, 0.97, 100),
        ("mad", "a + c", "b", "a + c + b", 0.6, 0.5, 9),
    ]
    columns = ["metric", "first", "second", "members", "distance", "support", "resamples"]
    r = {frozenset("ac"): 0.8, frozenset("ab"): 0.4, frozenset("bc"): np.nan}
    table = pd.DataFrame(
        [("mad", x, y, 1.0 if x == y else r[frozenset((x, y))]) for x in "abc" for y in "abc"],
        columns=["metric", "augmentation_a", "augmentation_b", "pearson"],
    )
    figure = relations.clusters(table, pd.DataFrame(rows, columns=columns), "mad")
    axes, tree, _ = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["A", "C", "B"]
    (mesh,) = (c for c in axes.collections if isinstance(c, QuadMesh))
    shown = np.ma.filled(mesh.get_array().reshape(3, 3), np.nan)
    np.testing.assert_allclose(shown, [[1, 0.8, 0.4], [0.8, 1, np.nan], [0.4, np.nan, 1]])
    assert [text.get_text() for text in tree.texts] == ["97%"]
    joints = [max(line.get_xdata()) for line in tree.lines]
    assert joints == [0.2, 0.6]


def test_correlations_without_a_cluster_are_drawn() -> None:
    table = pd.DataFrame(
        [("all", x, y, 1.0 if x == y else np.nan) for x in "ab" for y in "ab"],
        columns=["metric", "augmentation_a", "augmentation_b", "pearson"],
    )
    columns = ["metric", "first", "second", "members", "distance", "support", "resamples"]
    figure = relations.clusters(table, pd.DataFrame(columns=columns), "all")
    axes, tree, _ = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["A", "B"]
    assert not tree.lines


def test_shifts_between_augmentations_are_a_triangle_with_asterisks() -> None:
    rows = [
        ("mad", "a", "b", 0.03, 0.01),
        ("mad", "a", "c", -0.01, 0.6),
        ("mad", "b", "c", -0.0001, np.nan),
    ]
    columns = ["metric", "augmentation_a", "augmentation_b", "shift", "p_holm"]
    figure = relations.between(pd.DataFrame(rows, columns=columns), "mad")
    axes = figure.axes[0]
    (mesh,) = (c for c in axes.collections if isinstance(c, QuadMesh))
    shown = np.ma.filled(mesh.get_array().reshape(2, 2), np.nan)
    np.testing.assert_allclose(shown, [[0.03, np.nan], [-0.01, -0.0001]])
    assert [text.get_text() for text in axes.get_yticklabels()] == ["B", "C"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["A", "B"]
    texts = {text.get_text() for text in axes.texts}
    assert texts == {"0.030*", "", "−0.010", "0.000"}
    assert mesh.get_clim() == (-0.03, 0.03)


def test_segments_show_a_box_and_a_count_for_each_case() -> None:
    table = values(AUGMENTATIONS)
    empty = (table["augmentation"] == "cutmix") & (table["segment"] == "both_incorrect")
    table = table[~empty]
    figure = metrics.segments(by_segment(table, "pearson"), "pearson", SEGMENTS)
    panels = {axes.get_title(): axes for axes in figure.axes}
    for name in AUGMENTATIONS:
        rows = table[table["augmentation"] == name]
        groups = [rows.loc[rows["segment"] == key, "pearson"] for key in SEGMENTS]
        panel = panels[style.title(name)]
        shown = [text.get_text() for text in panel.texts]
        counts = [str(len(group)) for group in groups]
        missing = [str(group.isna().sum()) for group in groups]
        assert shown == ["Pairs", *counts, "Undef.", *missing]
        for box, group in zip(panel.patches, groups, strict=True):
            quartiles = box.get_x(), box.get_x() + box.get_width()
            np.testing.assert_allclose(quartiles, group.quantile([0.25, 0.75]))
    assert "0" in [text.get_text() for text in panels["CutMix"].texts]


def test_correlation_shows_the_lower_triangle_on_a_fixed_scale() -> None:
    table = correlation(AUGMENTATIONS)
    table.loc[table["augmentation_a"] == "color_jitter", "pearson"] = np.nan
    figure = relations.correlation(table, "pearson", ALL)
    mesh = only(figure).findobj(QuadMesh)[0]
    assert mesh.get_clim() == (-1, 1)
    expected = table[table["metric"] == "pearson"].set_index(["augmentation_a", "augmentation_b"])
    cells = {text.get_position(): text.get_text() for text in only(figure).texts if text.get_text()}
    assert len(cells) == 6
    for row, column in zip(*np.tril_indices(3), strict=True):
        value = expected.loc[(AUGMENTATIONS[row], AUGMENTATIONS[column]), "pearson"]
        shown = cells[column + 0.5, row + 0.5]
        assert shown == ("n/a" if np.isnan(value) else f"{value:.2f}")


def test_pairs_show_their_counts() -> None:
    figure = relations.pairs(pairs(AUGMENTATIONS), "strongest", metrics=8, top=4)
    bars = only(figure).findobj(Rectangle)
    assert {2.0, 1.0} <= {bar.get_width() for bar in bars}
    names = [tick.get_text() for tick in only(figure).get_yticklabels()]
    assert names == ["Affine – CutMix", "CutMix – Color jitter"]
    assert only(figure).get_xlabel().startswith("Metrics (of 8)")
    assert "4 strongest" in only(figure).get_xlabel()


def test_extreme_shows_every_map_and_whether_the_prediction_is_correct() -> None:
    image = photos(1, 3)[0]
    views_of_image = model_views(ALL, image=image)
    heading = "Image 7. Pearson correlation"
    figure = views.extreme(views_of_image, heading)
    shown = [drawn.get_array() for drawn in figure.findobj(AxesImage)]
    np.testing.assert_array_equal(shown[0], image)
    for drawn_map, view in zip(shown[2::2], views_of_image, strict=True):
        np.testing.assert_array_equal(drawn_map, view.map)
    found = texts(figure)
    assert found.count("✓ frog: 75%") == 1 + 2 * len(SEEDS)
    assert found.count("✗ ship: 75%") == len(SEEDS)
    assert {heading, "true: frog", "Seed 1", "Seed 3", "Color jitter"} <= set(found)
    borders = only(figure).patches
    dashed = [border for border in borders if border.get_linestyle() not in ("-", "solid")]
    assert len(dashed) == len(SEEDS)


def test_sets_show_the_same_images_in_every_set() -> None:
    originals, copies = (
        photos(3, 1),
        {name: photos(3, 1) // (k + 2) for k, name in enumerate("ab")},
    )
    figure = image_figures.sets(originals, copies, ["cat", "dog", "frog"])
    shown = [drawn.get_array() for drawn in figure.findobj(AxesImage)]
    expected = [image[..., 0] for images in (originals, *copies.values()) for image in images]
    for found, image in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(found, image)
    assert {"Original", "A", "B", "cat", "dog", "frog"} <= set(texts(figure))


def test_overlays_show_maps_with_and_without_the_image() -> None:
    shown = [
        model_views(ALL, [1], true, image)
        for true, image in zip(("frog", "cat"), photos(2, 1), strict=True)
    ]
    over, alone = (views.overlays(shown, map_only=map_only) for map_only in (False, True))
    pixels = [len(figure.findobj(AxesImage)) for figure in (over, alone)]
    blocks = pixels[1] // 2 - len(ALL)  # each begins with the images
    assert pixels == [2 * (blocks + 2 * len(ALL)), 2 * (blocks + len(ALL))]
    drawn_maps = [drawn.get_array() for drawn in alone.findobj(AxesImage)][2 * blocks :]
    for drawn_map, view in zip(drawn_maps[::2], shown[0], strict=True):
        np.testing.assert_array_equal(drawn_map, view.map)
    for figure in (over, alone):
        assert {"frog", "cat", "Baseline", "Color jitter"} <= set(texts(figure))
        assert texts(figure).count("✗ ship: 75%") == 2


def test_accuracy_shows_a_point_per_model_and_the_correlations_of_its_table() -> None:
    table, correlation = means(AUGMENTATIONS)
    figure = metrics.accuracy(table, correlation, "kl", ALL)
    for line, name in zip(only(figure).lines, AUGMENTATIONS, strict=True):
        rows = table[table["augmentation"] == name]
        np.testing.assert_allclose(line.get_xdata(), 100 * rows["accuracy"])
        np.testing.assert_allclose(line.get_ydata(), rows["kl"])
    assert len({line.get_marker() for line in only(figure).lines}) == len(AUGMENTATIONS)
    row = correlation.set_index("over").loc["models"]
    shown = f"r = {row['pearson']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}] over 9 models"
    assert shown.replace("-", "−") in only(figure).get_title(loc="left")


def test_architectures_show_scores_and_times() -> None:
    table = architectures(seconds=100)
    names = ["small_cnn", "resnet18"]
    lines = only(training.architecture_scores(table, "recall", names)).lines
    for line, name in zip(lines, names, strict=True):
        rows = table[table["architecture"] == name]
        np.testing.assert_allclose(line.get_xdata(), rows["epoch"])
        np.testing.assert_allclose(line.get_ydata(), 100 * rows["test_recall"])
        assert line.get_label() == style.title(name)
    assert len({line.get_marker() for line in lines}) == 2


@pytest.mark.parametrize(
    ("seconds", "unit", "width"), [(1, "s", 3), (100, "min", 5), (6000, "h", 5)]
)
def test_training_times_are_in_a_readable_unit(seconds: float, unit: str, width: float) -> None:
    axes = only(training.architecture_times(architectures(seconds), ["small_cnn", "resnet18"]))
    assert [bar.get_width() for bar in axes.containers[0]] == [width, width]
    assert axes.get_xlabel().endswith(f"({unit})")
    assert axes.get_xlim()[0] == 0


# Studies of any extent


EXTENTS = {
    "usual": ([*AUGMENTATIONS, *(f"augmentation_{k}" for k in range(4))], SEEDS, 40),
    "one of everything": (AUGMENTATIONS[:1], [5], 1),
    "many": ([f"some_augmentation_{k}" for k in range(12)], list(range(10)), 20),
}


@pytest.mark.parametrize("extent", EXTENTS)
def test_every_kind_draws_legibly_and_without_warnings(extent: str) -> None:
    for kind, figure in draw_all(*EXTENTS[extent]).items():
        figure.draw_without_rendering()
        width, height = figure.get_size_inches()
        assert height <= 0.8 * width + 1e-9, kind
        visible = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        # Exponents of a log axis are set smaller.
        assert min(text.get_fontsize() for text in visible) >= 7, kind
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                if axes.get_visible():
                    assert not overlapping(axis), kind


def overlapping(axis: matplotlib.axis.Axis) -> bool:
    """Whether two visible horizontal tick labels overlap."""
    low, high = sorted(axis.get_view_interval())
    boxes = [
        tick.label1.get_window_extent()
        for tick in axis.get_major_ticks()
        if tick.label1.get_text() and tick.label1.get_visible() and low <= tick.get_loc() <= high
        if tick.label1.get_rotation() == 0
    ]
    return any(a.overlaps(b) for a, b in pairwise(boxes))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("value", [np.nan, 0.0, 1.0, -1e-9])
def test_metric_without_variation_is_drawn(tmp_path: Path, metric: str, value: float) -> None:
    table = values(AUGMENTATIONS, images=5).assign(**{metric: value})
    groups = by_segment(table, metric)
    figures = metrics.boxplot(table, metric, ALL), metrics.segments(groups, metric, SEGMENTS)
    for figure in figures:
        assert drawn(figure, tmp_path, ".png")
    undefined = "5" if np.isnan(value) else "0"
    assert texts(figures[0]).count(undefined) >= len(AUGMENTATIONS)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: training.history(history(ALL).assign(train_loss=0.0), ALL),
        lambda: training.history(history(["baseline"], epochs=1), ["baseline"]),
        lambda: relations.pairs(pairs(AUGMENTATIONS[:1]), "weakest", metrics=1, top=4),
        lambda: relations.correlation(
            correlation(ALL).assign(pearson=np.nan), "mad", AUGMENTATIONS
        ),
        lambda: training.confusion(confusion(["one"]).assign(images=0), "cutmix"),
        lambda: views.extreme(model_views(ALL[:1]), ""),
        lambda: metrics.segments(
            by_segment(values(ALL[1:]).assign(segment="both_correct"), "mad"), "mad", SEGMENTS
        ),
        lambda: training.performance(*performance(ALL[:1]), "f1", ALL[:1]),
        lambda: metrics.accuracy(*means(AUGMENTATIONS[:1], [1]), "kl", AUGMENTATIONS[:1]),
    ],
)
def test_degenerate_tables_are_drawn(tmp_path: Path, draw: Callable[[], Figure]) -> None:
    for suffix in (".png", ".svg"):
        assert drawn(draw(), tmp_path, suffix)


def test_names_keep_their_capitals_within_a_sentence() -> None:
    assert style.distance_label("pearson") == "1 − Pearson correlation"
    assert style.distance_label("overlap_20") == "1 − overlap rate (top 20 %)"
    assert style.distance_label("kl").startswith("KL divergence")
