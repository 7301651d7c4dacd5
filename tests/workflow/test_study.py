"""One study from nothing: every artifact is there, is right, and comes out the same twice."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors import safe_open

from browser import CHROMIUM, Browser
from campare import columns, labels
from tiny import TINY, Project, announced, copy_project, pretend_gpu

pytestmark = pytest.mark.workflow

AUGMENTATIONS = list(TINY["augmentations"])
METRICS = TINY["similarity"]["metrics"]
MODELS = [("baseline", 1), *((a, s) for a in AUGMENTATIONS for s in TINY["seeds"])]
FIGURES = [
    *(f"examples/{a}" for a in AUGMENTATIONS),
    "training/history",
    *(f"performance/{score}" for score in ("accuracy", "precision", "recall", "f1")),
    *(f"confusion/{a}" for a in ("baseline", *AUGMENTATIONS)),
    "sets/sets",
    "subsets/subsets",
    "overlays/over_images",
    "overlays/alone",
    *(
        f"{kind}/{m}"
        for kind in ("boxplot", "correlation", "segments", "accuracy")
        for m in METRICS
    ),
    *(f"extremes/{m}_{statistic}" for m in METRICS for statistic in ("mean", "std")),
    "pairs/strongest",
    "pairs/weakest",
]
# What holds clock times, and so differs between two runs.
TIMED = {"seconds", "images_per_second"}


def test_every_column_is_in_the_data_dictionary(finished: Project) -> None:
    assert finished.undescribed() == []


def test_files_of_images_are_in_the_data_dictionary(finished: Project) -> None:
    for name, path in {
        "aggregate": "tables/aggregate.parquet",
        "similarity": "similarity/cutmix/1.parquet",
        "history": "models/cutmix/1.csv",
        "split": "split.csv",
    }.items():
        file = finished.results / path
        read = pd.read_csv if file.suffix == ".csv" else pd.read_parquet
        for column in read(file):
            columns.column(name, column)


def test_every_figure_is_drawn(finished: Project) -> None:
    folder = finished.results / "figures"
    drawn = {str(path.relative_to(folder)) for path in folder.rglob("*.*")}
    assert drawn == {f"{name}.{suffix}" for name in FIGURES for suffix in ("png", "svg")}
    for path in folder.rglob("*.png"):
        with Image.open(path) as image:
            assert min(image.size) > 60
            assert len(np.unique(np.asarray(image.convert("L")))) > 10, f"{path} is blank"


def test_every_model_has_weights_history_and_store(finished: Project) -> None:
    for augmentation, seed in MODELS:
        stem = f"{augmentation}/{seed}"
        history = pd.read_csv(finished.results / "models" / f"{stem}.csv")
        assert list(history["epoch"]) == [1, 2]
        with h5py.File(finished.results / "cams" / f"{stem}.h5") as store:
            assert store["attribution"].shape == (60, 1, 4, 4)
            assert store.attrs["augmentation"] == augmentation
    assert not list((finished.results / "models").rglob("*checkpoint*"))


def test_split_is_stratified_and_the_same_for_all(finished: Project) -> None:
    split = pd.read_csv(finished.results / "split.csv")
    assert split["subset"].value_counts().to_dict() == {"train": 270, "validation": 30, "test": 60}
    test = split[split["subset"] == "test"]
    assert set(test["label"].value_counts()) <= {5, 6, 7}
    for path in (finished.results / "cams").rglob("*.h5"):
        with h5py.File(path) as store:
            assert list(store["index"]) == list(test["index"])


def test_aggregate_is_the_mean_over_seeds(finished: Project) -> None:
    aggregate = pd.read_parquet(finished.results / "tables" / "aggregate.parquet")
    seeds = [
        pd.read_parquet(finished.results / "similarity" / "cutmix" / f"{seed}.parquet")
        for seed in TINY["seeds"]
    ]
    ours = aggregate[aggregate["augmentation"] == "cutmix"]["mad"].to_numpy()
    assert ours == pytest.approx(np.mean([frame["mad"] for frame in seeds], axis=0), abs=1e-12)


def test_correlation_map_is_pandas_correlation(finished: Project) -> None:
    aggregate = pd.read_parquet(finished.results / "tables" / "aggregate.parquet")
    table = pd.read_csv(finished.results / "tables" / "correlation.csv")
    for metric in METRICS:
        wide = aggregate.pivot_table(index="index", columns="augmentation", values=metric)
        expected = wide.corr()
        for row in table[table["metric"] == metric].itertuples():
            assert row.pearson == pytest.approx(
                expected.loc[row.augmentation_a, row.augmentation_b], abs=1e-9, nan_ok=True
            )


def content(path: Path) -> bytes | str:
    """A file's bytes; a history's text without its clock times."""
    if path.suffix == ".csv" and path.parents[1].name == "models":
        return pd.read_csv(path).drop(columns=list(TIMED)).to_csv()
    return path.read_bytes()


def test_a_study_without_controls_or_masks_has_none_of_their_stages(finished: Project) -> None:
    jobs = announced((finished.path / "output").read_text())
    assert not {"measure_pairs", "measure_uninformative", "initialise", "tabulate_shift"} & set(
        jobs
    )
    assert not [name for name in jobs if "locali" in name or "faith" in name or "spur" in name]


def most_at_once(output: str) -> int:
    """How many jobs held a GPU at the same time, by Snakemake's own account."""
    job = ""
    holding: set[str] = set()
    most = 0
    for line in map(str.strip, output.splitlines()):
        if line.startswith("jobid: "):
            job = line.removeprefix("jobid: ")
        elif line.startswith("resources:") and "gpu=1" in line:
            holding.add(job)
        elif line.startswith("Finished jobid: "):
            holding.discard(line.split()[2])
        most = max(most, len(holding))
    return most


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The study once more from nothing, as with two GPUs, and the architectures. Read it only."""
    folder = tmp_path_factory.mktemp("again")
    project = copy_project(folder / "project")
    with pytest.MonkeyPatch.context() as patch:
        pretend_gpu(folder / "bin", patch)
        run = project.snakemake("all", "architectures", "--resources", "gpu=2", "mem_mb=100000")
    assert run.returncode == 0, run.stdout
    (project.path / "output").write_text(run.stdout)
    return project


def test_two_runs_give_the_same_bytes(finished: Project, again: Project) -> None:
    for kind in ("models", "cams", "similarity", "tables", "figures"):
        for path in sorted((finished.results / kind).rglob("*.*")):
            other = again.results / path.relative_to(finished.results)
            assert content(path) == content(other), path


def test_jobs_queue_for_one_gpu_and_share_two(finished: Project, again: Project) -> None:
    assert most_at_once((finished.path / "output").read_text()) == 1
    assert most_at_once((again.path / "output").read_text()) == 2


def test_architectures_are_compared(again: Project) -> None:
    for score in ("accuracy", "precision", "recall", "f1", "time"):
        assert (again.results / "figures" / "architectures" / f"{score}.png").exists()
    history = pd.read_csv(again.results / "architectures" / "resnet18_cifar.csv")
    assert {"test_accuracy", "test_f1"} <= set(history.columns)
    table = pd.read_csv(again.results / "tables" / "architectures.csv")
    own = table[table["architecture"] == "resnet18_cifar"]
    assert list(own["accuracy"]) == list(history["test_accuracy"])


@pytest.fixture(scope="module")
def report(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the study, unpacked."""
    folder = tmp_path_factory.mktemp("report")
    copied = Project(folder / "project")  # processes of tests share `finished`
    shutil.copytree(finished.path, copied.path, copy_function=shutil.copy2)
    run = copied.snakemake("--report", str(folder / "report.zip"))
    assert run.returncode == 0, run.stdout
    shutil.rmtree(copied.path)
    with zipfile.ZipFile(folder / "report.zip") as packed:
        packed.extractall(folder)
    return folder / "report"


def test_report_has_every_figure_with_a_caption_and_every_table(report: Path) -> None:
    page = (report / "report.html").read_text(encoding="utf-8")
    for kind in ("boxplot", "correlation", "segments", "extremes", "performance", "examples"):
        assert f"figures/{kind}/" in page and labels.FIGURES[kind] in page
    assert len(list(report.rglob("*.png"))) == len(FIGURES)
    names = [path.stem for path in report.rglob("*.csv")]
    assert len(names) > 8
    assert sorted([*names, "answer", "explorer"]) == sorted(
        path.stem for path in (report / "data").rglob("*.html")
    )
    assert "System Message" not in page and "<strong>n</strong>" in page


SIZES = ((1280, 800), (1920, 1080))
CHOOSE = """((ending) => {
    const path = Object.keys(results).find((each) => each.endsWith(ending));
    const content = results[path].mime_type === "text/html" ? "html" : "img";
    app.setView({ content, contentPath: results[path].data_uri, resultPath: path });
})"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_report_opens_with_the_answer_and_figures_fit_the_window(
    report: Path, tmp_path: Path
) -> None:
    """The viewer is Snakemake's own page."""
    with Browser(tmp_path) as browser:
        browser.call("Page.navigate", url=(report / "report.html").as_uri())
        browser.wait("!!document.querySelector('.campare.answer h1')")
        for size in SIZES:
            browser.resize(*size)
            place = "document.querySelector('.campare.answer h1').getBoundingClientRect()"
            assert 0 <= browser.run(f"{place}.top") < 100
            assert browser.run("document.querySelector('.campare.answer table').offsetHeight") > 100
            width = browser.run("document.querySelector('.campare.answer').offsetWidth")
            assert width > size[0] / 2  # Snakemake gives 512 pixels
        browser.run(f"{CHOOSE}('overlays/over_images.png')")
        browser.wait("document.querySelector('.p-3 > img')?.naturalWidth > 0")
        for size in SIZES:
            browser.resize(*size)
            left, top, right, bottom = browser.run(
                "(({ left, top, right, bottom }) => [left, top, right, bottom])"
                "(document.querySelector('.p-3 > img').getBoundingClientRect())"
            )
            assert 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]
        browser.run(f"{CHOOSE}('tables/performance.html')")
        inside = "document.querySelector('iframe')?.contentDocument"
        # Pages of file: have no common origin, so its content is not accessible from outside.
        browser.wait("!!document.querySelector('iframe')?.src.endsWith('performance.html')")
        assert browser.run(f"{inside} === null")
        # Its caption leaves it most of the window, not the half that Snakemake does.
        browser.run("app.setView({ navbarMode: 'resultinfo' })")
        browser.wait("document.querySelector('nav').offsetWidth <= 400")
        assert browser.errors == []


def test_class_policy_baseline_explains_what_the_baseline_predicts(project: Project) -> None:
    project.edit(
        "config/tiny.yaml", lambda text: f"{text}cam: {{class: baseline, method: layercam}}\n"
    )
    run = project.snakemake("results/tiny/similarity/cutmix/1.parquet")
    assert run.returncode == 0, run.stdout
    # Maps of the baseline and of both seeds, compared in one job.
    assert announced(run.stdout) == {"extract_cams": 3, "measure_similarity": 1}
    with (
        h5py.File(project.results / "cams" / "baseline" / "1.h5") as baseline,
        h5py.File(project.results / "cams" / "cutmix" / "1.h5") as store,
    ):
        assert store.attrs["method"] == "layercam"
        assert list(store["target"]) == list(np.argmax(baseline["logit"], axis=1))
        assert list(store["target"]) != list(np.argmax(store["logit"], axis=1))


def test_a_further_class_is_explained_beside_the_first(project: Project) -> None:
    project.edit(
        "config/tiny.yaml",
        lambda text: f"{text}cam: {{variants: {{shared: {{class: baseline}}}}}}\n",
    )
    run = project.snakemake("results/tiny/variants/shared/similarity/cutmix/1.parquet")
    assert run.returncode == 0, run.stdout
    assert announced(run.stdout) == {"extract_cams": 3, "measure_similarity": 1}
    top = project.results
    assert same_maps(top / "variants" / "shared", top, "baseline") and not same_maps(
        top / "variants" / "shared", top, "cutmix"
    )
    with h5py.File(top / "variants" / "shared" / "cams" / "cutmix" / "1.h5") as store:
        assert store.attrs["class_policy"] == "baseline" and store.attrs["method"] == "gradcam"


def same_maps(one: Path, other: Path, augmentation: str) -> bool:
    place = Path("cams") / augmentation / "1.h5"
    with h5py.File(one / place) as first, h5py.File(other / place) as second:
        return np.array_equal(first["attribution"], second["attribution"])


def test_a_seed_drives_the_streams_that_vary_names(project: Project) -> None:
    project.edit("config/tiny.yaml", lambda text: f"{text}vary: [order, init]\n")
    targets = [f"results/tiny/models/affine/{seed}.safetensors" for seed in (1, 2)]
    run = project.snakemake(*targets)
    assert run.returncode == 0, run.stdout
    first, second = (settings(project.path / target) for target in targets)
    streams = ("init_seed", "order_seed", "augmentation_seed")
    assert [first[stream] for stream in streams] == [1, 1, 0]
    assert [second[stream] for stream in streams] == [2, 2, 0]


def settings(weights: Path) -> dict:
    """What a weight file says of its training."""
    with safe_open(weights, "np") as file:
        return json.loads(file.metadata()["campare"])["settings"]


def test_the_efficiency_table_has_every_job(project: Project) -> None:
    run = project.snakemake("efficiency")
    assert run.returncode == 0, run.stdout
    table = pd.read_csv(project.results / "benchmarks" / "efficiency.csv").set_index("job")
    benchmarks = sorted((project.results / "benchmarks").rglob("*.tsv"))
    assert len(table) == len(benchmarks) > len(MODELS) * 2
    assert (table["wall_s"] > 0).all()
    assert table.loc["train/affine/1", "images_per_s"] > 0
    assert table.loc["cams/affine/1", "peak_gpu_memory_mb"] == 0
    assert "train/affine/1" in run.stdout
    # It belongs to no other target: its times differ from run to run.
    assert "efficiency" in announced(run.stdout)
    assert "efficiency" not in announced((project.path / "output").read_text())
