"""Tables and figures: targets, variants, captions, and changes that draw figures again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docutils.core import publish_parts
from jinja2 import Environment
from snakemake.io import flag, get_flag_value, is_flagged
from snakemake.iocontainers import Wildcards

import provenance
import report_jobs
from campare import columns, config, registry
from campare import labels as names
from campare.design import Design

ROOT = Path(report_jobs.__file__).parents[2]
CAPTIONS = ROOT / "workflow" / "report"
STUDY: dict[str, Any] = {
    "study": "tiny",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "augmentations": {"affine": {}},
    "cam": {"variants": {"hires": {"method": "hirescam"}}},
    "figures": {"formats": ["svg", "png"], "dpi": 90},
}
METRICS = ["pearson", "overlap_20", "mad_native"]


def code(script: str, *entries: str) -> dict[str, str]:
    return {"code.x": f"digest of {script}", **{f"code.{name}": name for name in entries}}


def jobs(**changes: Any) -> report_jobs.ReportJobs:
    design = Design(config.complete({**STUDY, **changes}, "study.yaml"))
    return report_jobs.ReportJobs(design, code, target="figures")


def params(report: report_jobs.ReportJobs) -> Mapping[str, Any]:
    (job,) = report.jobs
    return job.params


# Jobs


def test_a_job_runs_the_script_of_its_name_or_a_named_one() -> None:
    report = jobs()
    report.tabulate("pairs", {"a": "a.csv"}, {"b": "b.csv"}, top=3)
    report.draw("other", {}, ["c.svg"], script="plot_pairs")
    table, figure = report.jobs
    assert (table.name, table.script) == ("tabulate_pairs", "tabulate_pairs")
    assert (table.params, table.compared) == ({"top": 3}, {"code.x": "digest of tabulate_pairs"})
    assert (figure.name, figure.script) == ("plot_other", "plot_pairs")
    assert figure.compared == {"code.x": "digest of plot_pairs"}
    assert figure.makes == {"figures": ["c.svg"]}
    assert (table.needs, table.makes) == ({"a": "a.csv"}, {"b": "b.csv"})


def test_figures_have_the_resolution_and_fonts_of_the_study() -> None:
    report = jobs()
    report.draw("pairs", {}, ["c.svg"])
    assert params(report)["dpi"] == 90
    assert params(report)["font"] == []


def test_files_belong_to_the_target_in_which_they_are_declared() -> None:
    report = jobs()
    report.tabulate("first", {}, {"a": "a.csv", "more": ["b.csv", "c.csv"]})
    report.add(["in_target.parquet"])
    report.target = ""
    report.tabulate("unasked", {}, {"a": "never.csv"})
    report.target = "controls"
    report.draw("second", {}, ["d.svg"])
    report.add(["{variant}pairs.parquet"])
    assert report.results("figures") == ["in_target.parquet", "a.csv", "b.csv", "c.csv"]
    assert report.results("controls") == [
        *("pairs.parquet", "variants/hires/pairs.parquet", "d.svg"),
    ]
    assert report.results("tables") == []
    assert [job.name for job in report.jobs] == [
        *("tabulate_first", "tabulate_unasked", "plot_second"),
    ]


def test_a_target_has_the_files_of_every_variant() -> None:
    report = jobs()
    report.draw("one", {}, ["one.svg"])
    report.draw("each", {"needs": "{variant}x.csv"}, ["plain.csv", "{variant}each.svg"])
    assert [job.folder for job in report.jobs] == ["", "{variant}"]
    assert report.results("figures") == [
        *("one.svg", "plain.csv", "each.svg", "variants/hires/each.svg"),
    ]


def test_a_study_without_variants_has_each_file_once() -> None:
    report = jobs(cam={})
    report.draw("each", {}, ["{variant}each.svg"])
    assert report.results("figures") == ["each.svg"]


def test_jobs_need_the_resources_of_tables_unless_named() -> None:
    report = jobs()
    report.tabulate("a", {}, {"a": "a.csv"})
    report.tabulate("b", {}, {"b": "b.csv"}, kind="statistics")
    report.draw("c", {}, ["c.svg"])
    assert [job.kind for job in report.jobs] == ["table", "statistics", "table"]


def test_a_figure_depends_on_code_found_through_the_registry() -> None:
    report = jobs()
    report.draw("examples", {}, ["c.svg"], entries=["augment:affine"])
    (job,) = report.jobs
    assert job.compared == {
        "code.x": "digest of plot_examples",
        "code.augment:affine": "augment:affine",
    }


# Paths in the report


def labels(path: Any, variant: str = "") -> dict[str, str]:
    shown = get_flag_value(path, "report").labels
    found: dict[str, str] = shown(Wildcards(fromdict={"variant": variant})) if callable(
        shown
    ) else shown  # fmt: skip
    return found


def test_the_report_has_the_first_format_of_a_figure() -> None:
    report = jobs()
    paths = report.figures("boxplot", "metric", ["mad", "pearson"])
    assert [str(path) for path in paths] == [
        f"<results>/figures/boxplot/{name}.{suffix}"
        for name in ("mad", "pearson")
        for suffix in ("svg", "png")
    ]
    assert [is_flagged(path, "report") for path in paths] == [True, False] * 2
    shown = get_flag_value(paths[0], "report")
    assert (shown.category, shown.subcategory) == ("Figures", "Similarity to the baseline")
    assert labels(paths[2]) == {"metric": "Pearson correlation"}


@pytest.mark.parametrize(
    ("kind", "label", "name", "shown"),
    [
        ("clusters", "metric", "all", "All metrics"),
        ("occlusion", "measure", "accuracy", "Accuracy"),
        ("confusion", "augmentation", "longer_training", "Longer training (step-matched)"),
        ("performance", "score", "f1", "F1 score (macro)"),
        ("localisation", "score", "iou", registry.LOCALISATION["iou"]),
        ("mosaics", "score", "energy", registry.MOSAICS["energy"]),
        ("svm_confusion", "model", "cnn-svm", "CNN+SVM"),
        ("overlays", "maps", "over_images", "Over images"),
    ],
)
def test_figures_have_labels_instead_of_ids(kind: str, label: str, name: str, shown: str) -> None:
    (path, _) = jobs().figures(kind, label, [name])
    assert labels(path) == {label: shown}


def test_a_table_has_the_caption_of_tables() -> None:
    path = jobs().table("accuracy_change", "{variant}")
    assert str(path) == "<results>/{variant}tables/accuracy_change.csv"
    shown = get_flag_value(path, "report")
    assert Path(shown.caption).name == "tables.rst"
    assert (shown.category, shown.subcategory) == ("Tables as CSV files", None)


def test_the_report_shows_the_page_of_a_table() -> None:
    report = jobs()
    path = report.readable("<results>/variants/hires/tables/shift.csv")
    assert str(path) == "<results>/variants/hires/tables/shift.html"
    shown = get_flag_value(path, "report")
    assert (shown.category, shown.subcategory) == ("Tables", None)
    title = "Grad-CAM, predicted class, last convolutional block"
    assert labels(path) == {"table": "Map shift in every metric", "maps": f"HiRes{title[5:]}"}
    main = report.readable("<results>/tables/shift.csv")
    assert labels(main)["maps"] == title
    assert labels(jobs(cam={}).readable("<results>/tables/shift.csv")) == {
        "table": "Map shift in every metric"
    }


def test_tables_of_targets_are_those_of_every_variant() -> None:
    report = jobs()
    report.tabulate("one", {}, {"a": report.table("shift", "{variant}"), "b": "tables/b.parquet"})
    report.target = "other"
    report.tabulate("two", {}, {"a": report.table("performance")})
    assert report.tables(["figures"]) == [
        "<results>/tables/shift.csv",
        "<results>/variants/hires/tables/shift.csv",
    ]
    assert report.tables(["other"]) == ["<results>/tables/performance.csv"]


def test_a_page_is_in_the_report_with_the_answer() -> None:
    path = jobs().page("explorer")
    assert str(path) == "<results>/{variant}explorer.html"
    shown = get_flag_value(path, "report")
    assert Path(shown.caption) == CAPTIONS / "explorer.rst" and Path(shown.caption).is_file()
    assert shown.category == "Answer"
    assert labels(path, "variants/hires/")["page"] == "Explorer"
    assert labels(path, "variants/hires/")["maps"].startswith("HiRes")


def test_the_report_distinguishes_variants() -> None:
    path = jobs().table("accuracy_change", "{variant}")
    main, hires = (labels(path, variant) for variant in ("", "variants/hires/"))
    assert main["table"] == hires["table"] == "Accuracy change"
    assert main["maps"] != hires["maps"]


def test_labels_omit_the_variant_if_there_is_only_one() -> None:
    shown = {"table": "Accuracy change"}
    assert labels(jobs(cam={}).table("accuracy_change", "{variant}")) == shown
    assert labels(jobs().table("accuracy_change")) == shown


def declared() -> set[str]:
    """The kinds of figures that rule files declare."""
    rules = (ROOT / "workflow" / "rules").rglob("*.smk")
    call = re.compile(r"(?:\bfigures|REPORT\.labelled)\(\s*\"(\w+)\"")
    return {kind for path in rules for kind in call.findall(path.read_text())}


def test_every_kind_of_figure_has_a_caption_and_every_caption_a_kind() -> None:
    assert len(declared()) > 20
    assert {path.stem for path in CAPTIONS.glob("*.rst")} == declared() | {
        *("answer", "explorer", "tables", "workflow"),
    }
    assert declared() == set(names.FIGURES)


def test_every_caption_says_n_interval_test_and_what_to_conclude() -> None:
    for kind in {*declared(), "answer", "explorer", "tables"}:
        text = (CAPTIONS / f"{kind}.rst").read_text().lower()
        for word in ("n", "intervals?", "test", "conclusion"):
            assert re.search(rf"\*\*{word}\*\*", text), (kind, word)


class Anything(dict[str, Any]):
    """Params of a job: its values, and a number for those that are not given."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name, 3)


@pytest.mark.parametrize("across_seeds", [True, False])
def test_captions_are_rendered_as_snakemake_does(across_seeds: bool, tmp_path: Path) -> None:
    table = tmp_path / "performance.csv"
    table.write_text("augmentation,seed,accuracy,images\nbaseline,1,0.5,10359\n")
    lists = {"models": [1, 2], "architectures": ["a"], "shown_as": " "}
    params = Anything(across_seeds=across_seeds, spline=None, **lists)
    given = {
        "snakemake": SimpleNamespace(params=params, config={}),
        "files": [SimpleNamespace(target="performance.csv", path=table)],
    }
    for caption in CAPTIONS.glob("*.rst"):
        template = Environment(trim_blocks=True, lstrip_blocks=True)
        text = template.from_string(caption.read_text(encoding="utf-8")).render(**given)
        html = publish_parts(text, writer="html")["body"]
        assert "System Message" not in html, caption.name
        assert caption.stem != "correlation" or "10,359 test images" in html


def test_every_table_of_the_rules_is_in_the_dictionary_and_vice_versa() -> None:
    rules = (ROOT / "workflow" / "rules").rglob("*.smk")
    text = "\n".join(path.read_text() for path in rules)
    made = set(re.findall(r"\btable\(\"(\w+)\"", text))
    made |= {
        f"{stage}_{part}"
        for stage in ("hybrid", "masking")
        for part in re.findall(r"\btable\(f\"{stage}_(\w+)\"", text)
    }
    assert len(made) > 30 and made == set(columns.TABLES)


def test_captions_are_found_from_rule_files_in_any_folder() -> None:
    """Snakemake looks for a relative path from the folder of the rule file."""
    (path, _) = jobs().figures("boxplot", "metric", ["mad"])
    caption = Path(get_flag_value(path, "report").caption)
    assert caption.is_absolute() and caption.is_file()


# Labels of metrics


@pytest.fixture
def drawn() -> Mapping[str, list[str]]:
    """Figure → the metrics it shows."""
    return {"all": METRICS, "one": ["pearson"], "ties": ["overlap_20_ties"], "none": []}


def shown(drawn: Mapping[str, list[str]]) -> dict[str, Mapping[str, str]]:
    report = jobs()
    for name, metrics in drawn.items():
        report.draw(name, {}, [f"{name}.svg"], metrics=metrics)
    assert len({repr(job.params) for job in report.jobs}) == 1
    return {job.name.removeprefix("plot_"): job.compared for job in report.jobs}


@pytest.mark.parametrize(
    ("family", "change", "changed"),
    [
        ("pearson", {"label": "r"}, {"all", "one"}),
        ("pearson", {"bounds": (0.0, 1.0)}, {"all", "one"}),
        ("mad", {"same": 0.5}, {"all"}),
        ("overlap", {"label": "Top {share}"}, {"all"}),
        ("overlap_ties", {"label": "Top {share}"}, {"ties"}),
        ("spearman", {"label": "rho"}, set()),
        ("pearson", {"about": "A correlation"}, set()),  # not in any figure
    ],
)
def test_a_new_label_draws_only_the_figures_with_that_label_again(
    drawn: Mapping[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    change: dict[str, Any],
    changed: set[str],
) -> None:
    before = shown(drawn)
    monkeypatch.setitem(
        registry.METRICS, family, replace(registry.METRICS[family], **change)
    )  # fmt: skip
    after = shown(drawn)
    assert {name for name in drawn if before[name] != after[name]} == changed


def test_labels_are_not_digests_of_code(drawn: Mapping[str, list[str]]) -> None:
    assert provenance.digests(shown(drawn)["all"]) == ["digest of plot_all"]


def test_flagged_paths_are_listed_as_text() -> None:
    """A table is one path, a figure a list of paths."""
    made = {"table": flag("a.csv", "report"), "figures": [flag("b.svg", "report"), "b.png"]}
    assert report_jobs.paths_of(made) == ["a.csv", "b.svg", "b.png"]


# Which maps a figure shows


def captions(report: report_jobs.ReportJobs) -> list[str]:
    """The caption of each declared job, for the main variant and for `other`."""
    found = []
    for job in report.jobs:
        for variant in report.design.variants if job.folder else [""]:
            caption = job.params["caption"]
            found.append(
                caption(Wildcards(fromdict={"variant": variant})) if job.folder else caption
            )
    return found


def test_figures_of_variants_name_their_maps_the_main_ones_too() -> None:
    report = jobs(cam={"variants": {"other": {"class": "true", "target_layer": "features.5"}}})
    report.draw("each", {}, ["{variant}each.svg"])
    report.draw("main", {}, ["main.svg"], maps="Maps of the CNN")
    report.draw("scores", {}, ["scores.svg"])
    assert captions(report) == [
        "Maps: Grad-CAM, predicted class, last convolutional block",
        "Maps: Grad-CAM, true class, layer features.5",
        "Maps of the CNN: Grad-CAM, predicted class, last convolutional block",
        "",
    ]


def test_figures_of_a_study_with_one_kind_of_maps_do_not_name_it() -> None:
    report = jobs(cam={})
    report.draw("each", {}, ["{variant}each.svg"])
    report.draw("main", {}, ["main.svg"], maps="Maps")
    assert [job.params["caption"] for job in report.jobs] == ["", ""]


# Figures of a paper


def test_figures_of_a_paper_are_drawn_by_the_job_of_the_figure() -> None:
    report = jobs()
    makes = {
        "one": report.figures("boxplot", "metric", ["mad", "kl"], "{variant}"),
        "other": report.figures("sets", "figure", ["sets"]),
    }
    report.draw("boxplots", {"table": "a.csv"}, makes, metrics=["mad"], seed=3)
    report.print_figures(["boxplot/kl", "nothing/here"], ["_one_column", "_two_columns"])
    drawn, printed = report.jobs
    folder = "<results>/paper/{variant}figures/boxplot"
    assert printed.makes == {
        "one": [f"{folder}/kl_one_column.pdf", f"{folder}/kl_two_columns.pdf"],
        "other": [],
    }
    assert (printed.name, printed.script, printed.target) == ("print_boxplots", drawn.script, "")
    assert (printed.needs, printed.compared) == (drawn.needs, drawn.compared)
    changed = {"dpi": report_jobs.PRINTED, "caption": ""}
    assert printed.params == {**drawn.params, **changed}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"name": "fashion_mnist"}, "Fashion-MNIST"),
        ({"name": "digits"}, "digits"),
        ({"name": "torchvision:SVHN"}, "SVHN"),
        ({"name": "image_folder", "root": "data/cifar10"}, "image folder data/cifar10"),
        ({"name": "mine.py:load"}, "mine.py:load"),
    ],
)
def test_data_sets_have_names(data: dict[str, str], name: str) -> None:
    assert names.data_set(data) == name
