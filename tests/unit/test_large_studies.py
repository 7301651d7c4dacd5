"""Jobs of large studies: parts of the whole give the same tables; figures show a stated choice."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import test_controls
import test_plots

from campare import analysis, clustering, config, controls, design, registry, tables
from campare.plots import fitting, metrics, summary, training

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
METRICS = ["mad", "pearson"]


class Params(dict[str, Any]):
    """The params of a job, or its files, by name and as attributes."""

    __getattr__ = dict.__getitem__


def run(
    script: str, folder: Path, needs: dict[str, Any], makes: dict[str, Any], **params: Any
) -> None:
    """Run the script of a job."""
    job = SimpleNamespace(
        input=Params(needs), output=Params(makes), params=Params(params), log=[str(folder / "log")]
    )
    runpy.run_path(str(SCRIPTS / f"{script}.py"), init_globals={"snakemake": job})


def test_tables_are_read_when_they_are_used_and_few_stay_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        frame = pd.DataFrame({"x": [ord(name)], "y": [0.5]})
        tables.write(frame, tmp_path / f"{name}.parquet")
    opened: list[str] = []
    read = tables.read

    def noted(path: Path, **options: Any) -> pd.DataFrame:
        opened.append(path.stem)
        return read(path, **options)

    monkeypatch.setattr(tables, "read", noted)
    found = tables.Tables({name: tmp_path / f"{name}.parquet" for name in "abc"}, ["x"], "a")
    assert [*found] == ["a", "b", "c"] and "b" in found and not opened
    for name in "aabbacb":
        assert found[name].to_dict("list") == {"x": [ord(name)]}
    assert opened == ["a", "b", "c", "b"]


def test_the_mean_over_seeds_is_the_same_table_by_table() -> None:
    models = [*product(("b", "a"), (1, 2, 3))]
    rng = np.random.default_rng(0)
    every = [
        pd.DataFrame(
            {"index": np.tile(np.arange(40), 2), "label": 0, "baseline_prediction": 0}
            | {"prediction": 0, "mad": np.where(rng.random(80) < 0.1, np.nan, rng.normal(size=80))}
        )
        for _ in models
    ]
    opened: list[int] = []

    def read() -> Iterator[pd.DataFrame]:
        for number, table in enumerate(every):
            opened.append(number)
            yield table

    found = analysis.aggregate(models, read())
    whole = pd.concat(
        [table.assign(augmentation=name) for (name, _), table in zip(models, every, strict=True)]
    )
    expected = analysis.image_means(whole)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert opened == [*range(6)]


def test_the_map_shift_measured_in_parts_is_that_of_one_job(tmp_path: Path) -> None:
    pairs, models = test_controls.pairs(
        {"duplicated_originals": 0.0, "affine": 1.0, "cutmix": 0.2, "blur": 0.6}
    )
    (tmp_path / "pairs").mkdir()
    paths = {name: str(tmp_path / "pairs" / f"{name}.parquet") for name in pairs}
    for name, table in pairs.items():
        tables.write(table, paths[name])
    settings: dict[str, Any] = {"metrics": METRICS, "incomparable": "", "seed": 0}
    settings |= {"models": [[*model] for model in models], "augmentations": [*pairs]}
    parts = {"1": ["baseline", "cutmix"], "2": ["affine", "blur"], "3": ["duplicated_originals"]}
    for part, arms in parts.items():
        read = [n for n in pairs if n in (*arms, *controls.REFERENCES)]
        made = {
            "shift": str(tmp_path / f"{part}.parquet"),
            "kinds": str(tmp_path / f"{part}_kinds.parquet"),
        }
        needs = {"pairs": [paths[name] for name in read]}
        run("measure_shift", tmp_path, needs, made, read=read, arms=arms, **settings)
    whole = {"shifts": [str(tmp_path / f"{part}.parquet") for part in parts]}
    # Arms in the order of the study, whatever the order of the parts.
    whole["kinds"] = [str(tmp_path / f"{part}_kinds.parquet") for part in parts]
    settings |= {"predicts": True, "compared": []}
    for folder, needs in (("parts", whole), ("one", {"pairs": [*paths.values()]})):
        (tmp_path / folder).mkdir()
        made = {name: str(tmp_path / folder / f"{name}.csv") for name in ("kinds", "shift")}
        run("tabulate_shift", tmp_path, needs, made, **settings)
    found, expected = (
        (tmp_path / folder / "shift.csv").read_bytes() for folder in ("parts", "one")
    )
    assert found == expected
    found, expected = ((tmp_path / folder / "kinds.csv").read_text() for folder in ("parts", "one"))
    assert sorted(found.splitlines()) == sorted(expected.splitlines())
    assert expected.count("pearson") == found[found.index("pearson") :].count("pearson")


def study(augmentations: int, **changes: Any) -> design.Design:
    """A study of this many augmentations."""
    arms = {f"arm{k}": {"use": "affine"} for k in range(augmentations)}
    return design.Design(
        config.complete(
            {"study": "s", "data": {"name": "digits"}, "augmentations": arms, "reference": "all"}
            | {"model": {"architecture": "small_cnn", "input_size": 32}, "seeds": [1, 2]}
            | {"vary": ["augmentation", "init", "order"]}
            | {"controls": {"baselines": {"seeds": [8, 9], "vary": ["init", "order"]}}}
            | changes,
            "s.yaml",
        )
    )


def test_one_job_measures_the_map_shift_of_few_arms_and_several_that_of_many() -> None:
    assert study(design.UNDIVIDED - 1).parts == {}
    large = study(design.UNDIVIDED + 5)
    assert [name for arms in large.parts.values() for name in arms] == large.with_pairs
    assert {*map(len, large.parts.values())} == {design.PART, 6}
    assert [*large.parts] == ["1", "2", "3"]


def test_the_probability_by_chance_is_that_of_each_count() -> None:
    table = np.random.default_rng(0).integers(0, 4, (50, 30))
    found = clustering._against_chance(table)
    highest = table.max(axis=1)
    assert found.p.tolist() == [np.mean(table >= count) for count in table[0]]
    assert found.p_any.tolist() == [np.mean(highest >= count) for count in table[0]]


ARMS = [f"arm{k:02}" for k in range(60)]
SHIFTS = pd.DataFrame({"augmentation": ARMS, "shift": np.random.default_rng(0).permutation(60)})


def largest(most: int) -> list[str]:
    """The augmentations with the largest map shift, in the order of the study."""
    return sorted(SHIFTS.nlargest(most, "shift")["augmentation"])


def test_figures_with_little_room_show_the_augmentations_with_the_largest_map_shift() -> None:
    names = ["baseline", *ARMS, "duplicated_originals"]
    assert fitting.chosen(ARMS[:24]) == (ARMS[:24], "")
    assert fitting.chosen(names) == (
        ["baseline", *ARMS[:24], "duplicated_originals"],
        "The first 24 of 60 augmentations.",
    )
    with fitting.ranked(SHIFTS):
        shown, note = fitting.chosen(names)
    assert shown == ["baseline", *largest(24), "duplicated_originals"]
    assert note == "The 24 of 60 augmentations with the largest map shift."
    with fitting.ranked(None):
        assert fitting.chosen(names)[1] == "The first 24 of 60 augmentations."


def repeated(table: pd.DataFrame) -> pd.DataFrame:
    """A table of one augmentation for each of many."""
    return pd.concat([table.iloc[:1].assign(augmentation=name) for name in ARMS], ignore_index=True)


def test_the_figures_say_which_augmentations_they_show() -> None:
    rng = np.random.default_rng(0)
    points = pd.DataFrame(
        [
            {"augmentation": name, "seed": seed, "accuracy": rng.random(), "mad": rng.random()}
            for name in ARMS
            for seed in range(3)
        ]
    )
    correlation = analysis.accuracy_correlation(points, ["mad"])
    groups = points.groupby("augmentation")["accuracy"]
    scores = groups.agg(["mean", "std"]).reset_index().assign(score="accuracy")
    with fitting.ranked(SHIFTS):
        boxes = metrics.boxplot(points, "mad", ARMS)
        dots = metrics.accuracy(points, correlation, "mad", ARMS)
        rows = training.performance(points, scores, "accuracy", ARMS)
    for figure in (boxes, rows):
        axes = figure.axes[0]
        assert [text.get_text() for text in axes.get_yticklabels()] == [
            name.replace("arm", "Arm") for name in largest(40)
        ]
        assert "The 40 of 60 augmentations with the largest map shift." in axes.get_xlabel()
    texts = [text.get_text() for text in dots.legends[0].get_texts()]
    assert texts == ["Others", *(name.replace("arm", "Arm") for name in largest(24))]
    assert sum(len(line.get_xdata()) for line in dots.axes[0].lines) == len(points)
    assert "The others are in grey." in dots.axes[0].get_xlabel()


def test_the_summary_shows_the_largest_shifts_and_its_caption_says_so() -> None:
    table = repeated(test_plots.summarised()).assign(shift=SHIFTS["shift"])
    figure = summary.summary(table, "digits")
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == [name.replace("arm", "Arm") for name in largest(40)]
    note = "The 40 of 60 augmentations with the largest map shift."
    assert note in "\n".join(text.get_text() for text in figure.texts)
    assert note in summary.caption(table, "digits")
    assert "augmentations with" not in summary.caption(table[:40], "digits")


def test_reserved_names_have_a_place_in_figures() -> None:
    assert {*controls.REFERENCES} <= {"baseline", *registry.RESERVED.values()}
