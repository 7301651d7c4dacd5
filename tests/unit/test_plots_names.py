"""Figures of many classes, augmentations and seeds, and of any names."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import combinations, pairwise, product
from pathlib import Path

import matplotlib.style
import numpy as np
import pandas as pd
import pytest
import test_plots
from matplotlib import font_manager
from matplotlib.backends import backend_agg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

import campare
from campare import needs, performance
from campare.agreement import SAME
from campare.errors import CampareError
from campare.plots import (
    fitting,
    metrics,
    relations,
    saving,
    stages,
    style,
    summary,
    training,
    truth,
    views,
)
from campare.plots import images as image_figures

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cutmix_in_place", "CutMix in place"),
        ("cutmix_mixed", "CutMix, mixed labels"),
        ("cutmix_mixed_weak", "CutMix mixed weak"),
        ("rand_augment_9", "RandAugment 9"),
        ("small_cnn_wide_2", "Small CNN, wide 2"),
        ("untrained_longer", "Untrained longer"),
        ("color_jitter", "Color jitter"),
        ("timm:resnet18_a", "timm:resnet18_a"),
    ],
)
def test_labels_of_known_names_and_of_names_that_begin_with_one(name: str, label: str) -> None:
    assert style.title(name) == label


LONG = ["Pepper__bell___Bacterial_spot", "Pepper__bell___healthy", "Corn_(maize)___Gray_leaf_spot"]
NAMES = {
    "long": LONG,
    "dollars": ["$\\frac$", "US$ and A$", "$5_"],
    "wide": ["WWWWWWWWWWWWWWWWWWWWW", "мышь", "two  spaces"],
    "mixed": [
        "القطط الشيرازية طويلة الشعر",
        "Corn_(maize)___{$#1_^}",
        "50% & <b>more</b>, \\alpha",
    ],
}


def classes(kind: str, count: int) -> list[str]:
    names = NAMES[kind]
    return [names[k % 3] + (f" {k // 3}" if k > 2 else "") for k in range(count)]


def draw(names: list[str]) -> dict[str, Figure]:
    """A figure of every kind with class names."""
    count, eight = len(names), [names[k % len(names)] for k in range(8)]
    one = np.eye(count)[np.arange(8) % count]
    mixed = 0.66 * one + 0.34 * np.eye(count)[(np.arange(8) + 1) % count]
    images, originals = test_plots.photos(count, 1), test_plots.photos(8, 1)
    map_ = np.full((8, 8), 0.5)
    every = zip(images, names, strict=True)
    correct = [views.ModelView(image, map_, name, 1.0, name) for image, name in every]
    of_models = [
        [
            views.ModelView(image, map_, predicted, 1.0, true, "cutmix", str(seed))
            for seed, predicted in enumerate(names[:3])
        ]
        for image, true in zip(originals, eight, strict=True)
    ]
    over = [views.ModelView(images[0], map_, name, 0.999, names[-1]) for name in names]
    groups = [performance.ALL, SAME, *names]
    agreement = pd.DataFrame({"class": groups, "metric": "mad", "pairs": 9, "undefined": 0})
    low = dict.fromkeys(["mean", "chance", "low", "chance_low", "high", "chance_high"], 0.5)
    occlusion = pd.DataFrame(product([0, 4], [performance.ALL, *names]), columns=["size", "class"])
    return {
        "examples": image_figures.examples(originals, originals, (one, mixed), names, "cutmix"),
        "sets": image_figures.sets(originals, {"a": originals}, eight),
        "confusion": training.confusion(test_plots.confusion(names), "cutmix"),
        "sheets": views.sheets(over, 0.95, "The first test image of each class"),
        "side by side": views.side_by_side({"CNN": correct}),
        "tiles": image_figures.tiles({"CNN": list(images)}, names),
        "agreement": stages.agreement(agreement.assign(**low), "mad", ("CNN", "CNN+SVM")),
        "occlusion": stages.occlusion(
            occlusion.assign(measure="accuracy", mean=0.5, low=0.4, high=0.6), "accuracy", "all"
        ),
        "extreme": views.extreme(of_models[0], "Image 7. " * 9),
        "overlays": views.overlays(of_models, map_only=True),
    }


def shown(figure: Figure) -> list[Text]:
    """The texts that are drawn: without tick labels beyond the limits of an axis."""
    hidden = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        for label in (tick.label1, tick.label2)
        if not axes.get_visible()
        or not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    texts = [text for text in figure.findobj(Text) if text not in hidden]
    return [text for text in texts if text.get_text().strip() and text.get_visible()]


@pytest.mark.parametrize(
    ("kind", "count"), [("long", 3), ("long", 25), ("mixed", 200), ("wide", 25), ("dollars", 3)]
)
def test_names_do_not_overlap_and_are_inside_the_figure(kind: str, count: int) -> None:
    for name, figure in draw(classes(kind, count)).items():
        figure.draw_without_rendering()
        boxes = [(text, text.get_window_extent().padded(-1)) for text in shown(figure)]
        for text, box in boxes:
            inside = figure.bbox.padded(1).count_contains([(box.x0, box.y0), (box.x1, box.y1)])
            assert inside == 2, (name, text.get_text())
        upright = [(text.get_text(), box) for text, box in boxes if text.get_rotation() in (0, 90)]
        for (a, box), (b, other) in combinations(upright, 2):
            assert not box.overlaps(other), (name, a, b)
        assert figure.get_figheight() <= 0.8 * figure.get_figwidth() + 1e-9


@pytest.mark.parametrize("metric", ["overlap_20_corrected", "mad_native", "class_kld"])
@pytest.mark.parametrize("note", ["", "too few for 21 tests: least possible p is 0.25"])
def test_texts_of_the_summary_do_not_overlap_and_are_inside_the_figure(
    metric: str, note: str
) -> None:
    table = test_plots.summarised(accuracy_change_note=note)
    table = table.assign(metric=metric, note=note, images=10_000)
    table["augmentation"] = ["a_long_name_of_an_augmentation", "cutmix", "longer_training"]
    figure = summary.summary(table, "a_study_with_a_long_name")
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in shown(figure)]
    for text, box in boxes:
        inside = figure.bbox.count_contains([(box.x0, box.y0), (box.x1, box.y1)])
        assert inside == 2, text
    for (a, box), (b, other) in combinations(boxes, 2):
        assert not box.overlaps(other), (a, b)
    assert min(text.get_fontsize() for text in shown(figure)) >= 7


def test_names_are_printed_literally(tmp_path: Path) -> None:
    for name, figure in draw(classes("dollars", 4)).items():
        saving.save(figure, tmp_path / "figure.svg", 50)
        found = " ".join(text.get_text() for text in shown(figure))
        assert "$\\frac$" in found and "$5_" in found, name


def test_shortened_classes_stay_different() -> None:
    tiles = draw(names := classes("long", 12))["tiles"]
    found = {text.get_text() for text in shown(tiles)}
    assert len(found - {"CNN"}) == 12 and not found & set(names)


def test_augmentations_with_dollar_signs_and_long_names(tmp_path: Path) -> None:
    names = ["$\\frac$ of the pixels", "US$ and A$", "a_long_name_of_an_augmentation_" * 4]
    for kind, figure in test_plots.draw_all(names, [1, 2], 20).items():
        saving.save(figure, tmp_path / "figure.png", 50)
        for text in figure.findobj(Text):
            box = text.get_window_extent()
            if "name" in text.get_text() and text in shown(figure):
                assert figure.bbox.padded(1).contains(box.x0, box.y0), (kind, text.get_text())
                assert figure.bbox.padded(1).contains(box.x1, box.y1), (kind, text.get_text())


def test_labels_of_log_axes_are_plain_characters() -> None:
    axes = metrics.boxplot(test_plots.values(["affine"]), "class_kld", ["affine"]).axes[0]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert "10⁻³" in labels or "10⁻⁴" in labels, labels
    assert not any("$" in text.get_text() for text in axes.findobj(Text))


# Memory


def test_a_figure_has_one_canvas_for_all_the_texts_it_measures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    renderer = backend_agg.RendererAgg

    def counted(*size: float) -> object:
        made.append(size)
        return renderer(*size)

    monkeypatch.setattr(backend_agg, "RendererAgg", counted)
    training.confusion(test_plots.confusion([f"class {k}" for k in range(30)]), "cutmix")
    many = [f"augmentation_{k}" for k in range(30)]
    relations.correlation(test_plots.correlation(many), "mad", many)
    assert len(made) <= 4


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads peak memory from /proc")
def test_the_largest_figures_stay_within_the_memory_of_their_jobs(tmp_path: Path) -> None:
    code = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (6_000_000_000,) * 2)  # protects the machine
sys.path[:0] = sys.argv[2:]
import numpy as np
import test_plots
from campare.plots import fitting, relations, saving, training, views
many = [f"augmentation_{k}" for k in range(100)]
classes = [f"{k:03}.Black_footed_Albatross" for k in range(200)]
models = [(name, seed) for name in many for seed in range(50)]
chosen, note = fitting.models_shown(models)
map_ = np.zeros((224, 224), np.float32)
image = np.zeros((224, 224, 3), np.uint8)
model_views = [
    views.ModelView(image, map_, "a", 0.5, "a", name, str(seed)) for name, seed in chosen
]
for draw in (
    lambda: training.confusion(test_plots.confusion(classes), "cutmix"),
    lambda: relations.correlation(test_plots.correlation(many), "mad", many),
    lambda: views.extreme(model_views, note),
):
    saving.save(draw(), sys.argv[1], 200)
# Not ru_maxrss, which a process inherits from the one that started it.
status = open("/proc/self/status", encoding="utf-8").read()
print(status.split("VmHWM:")[1].split()[0])
"""
    here, package = Path(__file__).parent, Path(campare.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "figure.png", here, package],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert int(done.stdout) / 1000 < needs.table_memory(0)


def test_models_that_do_not_fit_are_left_out_and_counted() -> None:
    models = [(f"a{k}", seed) for k in range(30) for seed in range(10)]
    shown, note = fitting.models_shown(models)
    assert shown == [(f"a{k}", seed) for k in range(24) for seed in range(6)]
    assert note == "The first 24 of 30 augmentations. The first 6 of 10 seeds."
    assert fitting.models_shown(models[:3]) == (models[:3], "")


def test_of_many_classes_those_with_the_lowest_and_the_highest_means_are_shown() -> None:
    table = pd.DataFrame({"class": [performance.ALL, *(f"c{k:02}" for k in range(50))]})
    table = table.assign(metric="mad", pairs=9, undefined=0, mean=[0.5, *np.linspace(0, 1, 50)])
    for column in ("low", "high", "chance", "chance_low", "chance_high"):
        table[column] = table["mean"]
    table.loc[50, "mean"] = np.nan
    axes = stages.agreement(table, "mad", ("CNN", "CNN+SVM")).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["All images", *(f"c{k:02}" for k in [*range(20), *range(29, 49)])]
    assert "Of 50 classes: the 20 lowest and the 20 highest means" in axes.get_xlabel()


@pytest.mark.parametrize(("classes", "cut"), [(50, True), (20, False)])
def test_of_many_classes_intervals_do_not_hide_the_means(classes: int, cut: bool) -> None:
    names = [f"c{k:02}" for k in range(classes)]
    table = pd.DataFrame({"class": [performance.ALL, *names], "metric": "mad", "measure": "mad"})
    table = table.assign(pairs=2, undefined=0, mean=np.linspace(0.4, 0.6, classes + 1))
    table = table.assign(low=table["mean"] - 5, high=table["mean"] + 5, size=4)
    for column in ("mean", "low", "high"):
        table[f"chance_{column}".removesuffix("_mean")] = table[column]
    similarity = stages.agreement(table, "mad", ("CNN", "CNN+SVM"))
    occluded = stages.occlusion(table, "mad", performance.ALL)
    for limits, figure in (
        (similarity.axes[0].get_xlim(), similarity),
        (occluded.axes[0].get_ylim(), occluded),
    ):
        said = any("intervals are cut at the edge" in text.get_text() for text in shown(figure))
        assert said is cut
        if cut:
            assert limits == pytest.approx((0.3, 0.7), abs=0.01)
        else:
            assert limits[0] < -4


def test_no_cell_of_a_confusion_matrix_of_a_thousand_classes_is_lost() -> None:
    names = [f"class {k:03}" for k in range(999)]
    places = np.arange(999)
    table = pd.DataFrame({"label": names, "prediction": names, "images": 3})
    others = table.assign(prediction=[names[k] for k in (7 * places + 1) % 999], images=1)
    table = pd.concat([table, others]).assign(augmentation="cutmix")
    figure = training.confusion(table, "cutmix")
    axes, bar = figure.axes[0], figure.axes[-1]
    cells = axes.collections[0].get_array().filled(np.nan)
    expected = np.zeros((250, 250))
    expected[places // 4, (7 * places + 1) % 999 // 4] = 25
    np.fill_diagonal(expected, 75)
    np.testing.assert_array_equal(cells, expected)
    assert "largest of 4 × 4 classes" in bar.get_ylabel()
    assert axes.get_ylabel() == "True class (one in 28 is named)"
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == names[::28]


def test_only_the_names_that_a_figure_shows_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"a class of a thousand with a long name, number {k}" for k in range(1000)]
    calls: list[str] = []
    width = fitting.text_width

    def counted(text: str, size: float = style.SMALL) -> float:
        calls.append(text)
        return width(text, size)

    monkeypatch.setattr(fitting, "text_width", counted)
    one, photos = np.eye(1000)[:4], test_plots.photos(4, 1)
    image_figures.examples(photos, photos, (one, one), names, "cutmix")
    map_ = np.full((8, 8), 0.5)
    every = [views.ModelView(photos[0], map_, name, 1.0, name) for name in names]
    views.side_by_side({"CNN": every})
    assert len(calls) < 1000


def test_names_written_from_right_to_left_are_isolated_from_what_is_next_to_them() -> None:
    drawn = draw(["قطة", "كلب", "cat"])
    for kind in ("examples", "confusion", "sheets", "overlays", "extreme"):
        found = " ".join(text.get_text() for text in shown(drawn[kind]))
        assert "\u2068قطة\u2069" in found, kind


def test_the_number_of_pixels_of_a_figure_is_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "MOST_PIXELS", 10_000)
    saving.save(Figure(figsize=(4, 1)), tmp_path / "a.png", 1200)
    data = (tmp_path / "a.png").read_bytes()
    assert (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) == (200, 50)


# Fonts


ONLY_IN_STIX = "Ⓐ"


def drawn_with(fonts: list[str], folder: Path) -> bytes:
    table = test_plots.confusion([ONLY_IN_STIX, "plain"])
    paths = [folder / f"figure{suffix}" for suffix in (".png", ".svg", ".pdf")]
    saving.save_each(paths, lambda _: training.confusion(table, "cutmix"), 50, fonts)
    return paths[1].read_bytes()


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the fonts of matplotlib are installed."""
    own = [entry for entry in font_manager.fontManager.ttflist if "mpl-data" in str(entry.fname)]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    monkeypatch.setattr(saving, "_find_new_fonts", lambda: None)


@pytest.fixture
def no_other_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """No installed font has characters that the named ones lack."""
    monkeypatch.setattr(saving, "_installed_with", lambda _: {})


@pytest.mark.usefixtures("bundled")
def test_characters_that_the_font_lacks_are_drawn_with_an_installed_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = drawn_with([], tmp_path)
    output = capsys.readouterr()
    assert output.out == "figures.font: STIXGeneral, for characters that DejaVu Sans lacks\n"
    assert not output.err
    assert style.STYLE["font.family"] == [style.FONT]
    monkeypatch.setattr(saving, "_installed_with", lambda _: {})
    assert drawn_with([], tmp_path) != drawn


@pytest.mark.usefixtures("bundled")
def test_a_font_of_boxes_is_not_used() -> None:
    assert saving._covering(["\U00013000"]) == []


def test_the_font_with_most_of_the_missing_characters_is_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    having = {"B": {"x", "y"}, "A": {"z"}, "C": {"x", "y"}, "D": {"y"}}
    monkeypatch.setattr(saving, "_installed_with", lambda _: having)
    monkeypatch.setattr(saving, "_find_new_fonts", lambda: None)
    assert saving._covering([*"wxyz"]) == ["B", "A"]


@pytest.mark.usefixtures("no_other_font")
def test_characters_without_a_font_are_one_message_that_names_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes = drawn_with([], tmp_path)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"figures.font: no font for {ONLY_IN_STIX}, drawn as boxes; name an ")
    assert drawn_with(["STIXGeneral"], tmp_path) != boxes
    assert not capsys.readouterr().err
    assert drawn_with([], tmp_path) == boxes


@pytest.mark.usefixtures("no_other_font")
def test_fonts_are_tried_in_turn_by_name_and_by_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = font_manager.findfont("STIXGeneral")
    assert drawn_with([file], tmp_path) == drawn_with(["STIXGeneral"], tmp_path)
    assert not capsys.readouterr().err
    drawn_with(["No such font", "DejaVu Sans Mono", file], tmp_path)
    assert not capsys.readouterr().err
    drawn_with(["No such font"], tmp_path)
    assert capsys.readouterr().err.endswith("; No such font is not installed\n")


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_bytes(b"no font")])
def test_a_file_that_is_no_font_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "mine.ttf")
    with pytest.raises(CampareError, match=r"figures\.font: .*mine\.ttf is not a usable font file"):
        drawn_with([str(tmp_path / "mine.ttf")], tmp_path)


MANY = [
    "baseline",
    "cutmix_mixed",
    "trivial_augment_wide",
    *(f"augmentation_{k}" for k in range(9)),
]
CURVES = pd.DataFrame(
    product(MANY, ["map", "random"], truth.CURVES, [0.0, 1.0]),
    columns=["augmentation", "map", "curve", "share"],
).assign(probability=0.5, std=0.05)
LABELLED = {
    "curves": lambda *_: truth.faithfulness_curves(CURVES),
    "history": lambda *_: training.history(test_plots.history(MANY, [1], 3), MANY),
    "boxplot": lambda table, names: metrics.boxplot(table, "pearson", names, ["baseline"]),
    "segments": lambda table, _: metrics.segments(
        test_plots.by_segment(table, "pearson"), "pearson", test_plots.SEGMENTS
    ),
}


@pytest.mark.parametrize("kind", LABELLED)
def test_texts_are_inside_the_figure_at_every_resolution(kind: str) -> None:
    names = ["cutmix_mixed", "trivial_augment_wide"]
    figure = LABELLED[kind](test_plots.values([*names, "baseline"], 20), names)
    with matplotlib.style.context(style.STYLE, after_reset=True):  # as in `saving.save`
        for dpi in (50, 60, 72, 90, 110, 150, 300):
            figure.set_dpi(dpi)
            figure.draw_without_rendering()
            for text in shown(figure):
                box = text.get_window_extent()
                inside = figure.bbox.count_contains([(box.x0, box.y0), (box.x1, box.y1)])
                assert inside == 2, (dpi, text.get_text())


def grids(sets: int, images: int) -> dict[str, Figure]:
    """The figures with a row or a column per training set."""
    names = [
        *("cutmix_mixed", "trivial_augment_wide", "flip_and_shift"),
        *(f"augmentation_{k}" for k in range(sets)),
    ][:sets]
    photos = test_plots.photos(images, 3)
    classes = [f"class {k}" for k in range(images)]
    views_of = [
        test_plots.model_views(["baseline", *names], [1], name, photo)
        for name, photo in zip(classes, photos, strict=True)
    ]
    return {
        "sets": image_figures.sets(photos, dict.fromkeys(names, photos), classes),
        "overlays": views.overlays(views_of, map_only=True),
    }


@pytest.mark.parametrize("images", [8, 10])
@pytest.mark.parametrize("sets", [1, 7, 10, 12, 16, 23])
def test_images_of_all_sets_fill_the_width_of_the_figure(sets: int, images: int) -> None:
    for kind, figure in grids(sets, images).items():
        figure.draw_without_rendering()
        width, height = figure.get_size_inches()
        assert height <= 0.8 * width + 1e-9
        tiles = sorted({(x0, x1) for x0, x1, *_ in extents(figure)})
        gaps = [after - end for (_, end), (after, _) in pairwise(tiles)]
        assert width - tiles[-1][1] <= max(gaps) + 0.1, kind  # no empty part on the right
        assert sum(end - start for start, end in tiles) >= 0.4 * width, kind
        boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in shown(figure)]
        for (a, box), (b, other) in combinations(boxes, 2):
            assert not box.overlaps(other), (kind, a, b)


def extents(figure: Figure) -> list[tuple[float, float, float, float]]:
    """Left, right, bottom and top of every image of a canvas, inches."""
    return [image.get_extent() for image in figure.axes[0].images]


@pytest.mark.parametrize("sets", [7, 12])
def test_more_sets_than_images_are_columns(sets: int) -> None:
    for kind, figure in grids(sets, 8).items():
        places = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
        baseline = "Original" if kind == "sets" else "Baseline"
        (down,) = (
            place for name, place in places.items() if name.split() == ["Flip", "and", "shift"]
        )
        across = places["class 7"]
        rows = (down[0] == places[baseline][0], across[1] == places["class 0"][1])
        assert rows == ((True, True) if sets == 7 else (False, False)), kind
        for image in range(8):  # all sets of an image are in its row or column
            x, y = places[f"class {image}"]
            same = [
                e for e in extents(figure) if (e[0] < x < e[1] if sets == 7 else e[3] < y < e[2])
            ]
            assert len(same) == sets + (1 if kind == "sets" else 2)


# The line that says which maps a figure shows


@pytest.mark.parametrize(("width", "height"), [(3.0, 2.4), (7.0, 2.0)])
def test_a_caption_is_above_the_figure_which_stays_as_it_is(
    tmp_path: Path, width: float, height: float
) -> None:
    def draw() -> Figure:
        return style.blank_figure(width, height)

    caption = (
        "Maps: Eigen-CAM of activation × gradient, class predicted by the baseline, layer a.b.c"
    )
    figure = draw()
    page = saving.captioned(figure, caption)
    assert page is not None
    (text,) = figure.texts
    assert text.get_text().replace("\n", " ") == caption
    figure.draw_without_rendering()
    box = text.get_window_extent().transformed(figure.dpi_scale_trans.inverted())
    assert box.y0 >= height
    assert page.count_contains([(box.x0, box.y0), (box.x1, box.y1)]) == 2
    assert page.y0 == 0 and page.height <= 0.8 * page.width + 1e-9
    assert saving.captioned(draw(), "") is None
    saving.save_each([tmp_path / "a.png", tmp_path / "a.svg"], lambda _: draw(), 50, (), caption)
    data = (tmp_path / "a.png").read_bytes()
    pixels = [int.from_bytes(data[start : start + 4], "big") for start in (16, 20)]
    np.testing.assert_allclose(pixels, 50 * page.size, atol=1)


@pytest.mark.parametrize("kind", LABELLED)
def test_a_caption_moves_nothing_in_the_figure(tmp_path: Path, kind: str) -> None:
    def draw(_: str) -> Figure:
        figure = LABELLED[kind](test_plots.values([*MANY[1:3], "baseline"], 20), MANY[1:3])
        figure.set_size_inches(8, 5)
        return figure

    pixels = []
    for name, caption in (("plain", ""), ("captioned", "Maps: Grad-CAM, predicted class")):
        saving.save_each([tmp_path / f"{name}.png"], draw, 100, (), caption)
        pixels.append(np.asarray(Image.open(tmp_path / f"{name}.png").convert("L"), np.int64))
    plain, captioned = pixels
    assert captioned.shape[0] > plain.shape[0] == 500
    assert captioned.shape[1] == plain.shape[1] == 800
    np.testing.assert_array_equal(captioned[-500:], plain)
    assert (captioned[:-500] < 128).any()
