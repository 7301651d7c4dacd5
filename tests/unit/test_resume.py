"""A training job killed at any moment and started again gives the bytes of an undisturbed one.

The real script runs, as Snakemake runs it, in processes of their own that are really killed.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import runpy
import signal
import time
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import provenance
from campare import checkpoints, data, split, train
from campare.errors import CampareError
from campare.settings import Settings

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "train_model.py"
SETTINGS: dict[str, Any] = {
    "architecture": "small_cnn",
    "input_size": 16,
    "epochs": 3,
    "batch_size": 32,
    "learning_rate": 0.1,  # so high that the best epoch is the second
    "weight_decay": 1e-5,
    "precision": "float32",
    "device": "cpu",
    "threads": 1,
    "copies": 1,
    "resample": "each_epoch",
    "augment_at": "native",
    "init_seed": 1,
    "order_seed": 2,
    "augmentation_seed": 3,
    "steps": [["horizontal_flip", {"probability": 0.5}]],
    "evaluate": ["validation"],
}
STUDY = {
    "study": "s",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "augmentations": {},
}
# The files a run of three epochs renames to their places, in order.
CLAIM, FIRST, SECOND, THIRD, WEIGHTS, HISTORY = range(6)

forkserver = multiprocessing.get_context("forkserver")
forkserver.set_forkserver_preload(["torch._dynamo", "torchvision", "pandas", "h5py", "safetensors"])


def write_inputs(folder: Path, channels: int = 1, first: int = 0) -> None:
    """A study of 200 digits."""
    digits = data.load("digits", root=None, size=None, fit="crop", channels=channels)
    few = np.arange(first, first + 200)
    subset = np.array(["train", "train", "validation", "test"])[few % 4]
    kept = data.Dataset(digits.images[few], digits.labels[few], digits.classes, digits.part[few])
    data.write(kept, folder / "data.h5")
    split.write(
        pd.DataFrame({"index": range(200), "label": kept.labels, "subset": subset}),
        folder / "split.csv",
    )


class Params(dict[str, Any]):
    """The params of a job, by name and as attributes."""

    __getattr__ = dict.__getitem__


def job(
    study: Path, folder: Path, changes: dict[str, Any], kill: tuple[str, int] | None = None
) -> None:
    """Run the script; die "before" or "after" the n-th file is renamed to its place."""
    renamed = 0
    rename = Path.replace

    def replace(self: Path, target: Path) -> Path:
        nonlocal renamed
        if kill == ("before", renamed):
            os.kill(os.getpid(), signal.SIGKILL)
        result = rename(self, target)
        if kill == ("after", renamed):
            os.kill(os.getpid(), signal.SIGKILL)
        renamed += 1
        return result

    Path.replace = replace  # type: ignore[method-assign]
    code = {f"{provenance.PREFIX}{name}": name for name in changes.pop("code", ["abc"])}
    given = SimpleNamespace(
        input=SimpleNamespace(data=str(study / "data.h5"), split=str(study / "split.csv")),
        params=Params(settings=SETTINGS | changes, mapped=False, **code),
        config=STUDY,
        output=SimpleNamespace(
            weights=str(folder / "models" / "flip" / "2.safetensors"),
            history=str(folder / "models" / "flip" / "2.csv"),
        ),
        log=[str(folder / "log")],
    )
    folder.mkdir(exist_ok=True)
    runpy.run_path(str(SCRIPT), init_globals={"snakemake": given})


def start(study: Path, folder: Path, **options: Any) -> BaseProcess:
    kill = options.pop("kill", None)
    process = forkserver.Process(target=job, args=(study, folder, options, kill))
    process.start()
    return process


def finish(study: Path, folder: Path, **options: Any) -> int | None:
    process = start(study, folder, **options)
    process.join()
    return process.exitcode


def results(folder: Path) -> tuple[bytes, str]:
    """The bytes of the weights, and the history as text without its clock."""
    models = folder / "models" / "flip"
    history = pd.read_csv(models / "2.csv", dtype=str)
    return (
        (models / "2.safetensors").read_bytes(),
        history.drop(columns=["seconds", "images_per_second"]).to_csv(),
    )


def checkpoint(folder: Path) -> Path:
    return folder / "models" / "flip" / ".2.checkpoint"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert finish(study, folder) == 0
    return results(folder)


def test_an_undisturbed_job_leaves_its_results_and_a_line_per_epoch(
    study: Path, undisturbed: tuple[bytes, str], tmp_path: Path
) -> None:
    assert finish(study, tmp_path) == 0
    assert results(tmp_path) == undisturbed
    left = sorted(path.name for path in (tmp_path / "models" / "flip").iterdir())
    assert left == ["2.csv", "2.safetensors"]
    *lines, last = read(tmp_path / "log").splitlines()
    assert len(lines) == 3
    assert re.fullmatch(r"used: [\d,]+ images/s, peak GPU memory 0 MB", last)
    for epoch, line in enumerate(lines, start=1):
        numbers = r"loss \d+\.\d{3}  validation accuracy \d+\.\d %  [\d,]+ images/s  \d+ s left"
        assert re.fullmatch(rf"epoch {epoch}/3  {numbers}", line)


MOMENTS = {
    "before anything is written": (("before", CLAIM), None),
    "in the first epoch": (("after", CLAIM), None),
    "while the first checkpoint is written": (("before", FIRST), None),
    "in the second epoch": (("after", FIRST), 1),
    "while a checkpoint is replaced": (("before", THIRD), 2),
    "between the last checkpoint and the weights": (("after", THIRD), 3),
    "while the weights are written": (("before", WEIGHTS), 3),
    "between weights and history": (("after", WEIGHTS), 3),
    "before the checkpoint is removed": (("after", HISTORY), 3),
}


@pytest.mark.parametrize(("kill", "reached"), MOMENTS.values(), ids=MOMENTS.keys())
def test_killed_and_started_again_gives_the_same_bytes_without_starting_from_zero(
    kill: tuple[str, int],
    reached: int | None,
    study: Path,
    undisturbed: tuple[bytes, str],
    tmp_path: Path,
) -> None:
    assert finish(study, tmp_path, kill=kill) == -signal.SIGKILL
    for output in (tmp_path / "models" / "flip").glob("2.*"):  # as Snakemake does before a job
        output.unlink()
    assert finish(study, tmp_path) == 0
    assert results(tmp_path) == undisturbed
    assert not checkpoint(tmp_path).exists()
    log = (tmp_path / "log").read_text()
    assert ("goes on after" in log) == (reached is not None)
    assert f"goes on after epoch {reached}," in log or reached is None


def test_killed_again_and_again_at_random_moments_gives_the_same_bytes(
    study: Path, undisturbed: tuple[bytes, str], tmp_path: Path
) -> None:
    begun = time.monotonic()
    assert finish(study, tmp_path / "timed") == 0
    duration = time.monotonic() - begun
    for _ in range(6):
        process = start(study, tmp_path)
        process.join(random.uniform(0.2, 1.0) * duration)
        process.kill()
        process.join()
    assert finish(study, tmp_path) == 0
    assert results(tmp_path) == undisturbed


def test_every_part_of_a_recipe_survives_a_kill(tmp_path: Path) -> None:
    write_inputs(tmp_path)
    recipe = {
        "optimizer": "sgd", "nesterov": True, "schedule": "one_cycle", "ema": 0.8, "keep": "last",
        "sampling": "balanced", "label_smoothing": 0.1, "loss": "binary_cross_entropy",
        "class_weights": "balanced", "gradient_clip": 1.0, "early_stopping": 2,
        "head_learning_rate": 0.3,
        "recalibrate_batch_norm": 2, "freeze": ["features.0"], "copies": 0, "probability": 0.5,
        "resample": "once", "batch_size": 20,
    }  # fmt: skip
    assert finish(tmp_path, tmp_path / "whole", **recipe) == 0
    assert finish(tmp_path, tmp_path / "killed", **recipe, kill=("after", SECOND)) < 0
    assert finish(tmp_path, tmp_path / "killed", **recipe) == 0
    assert results(tmp_path / "killed") == results(tmp_path / "whole")
    assert "goes on after epoch 2" in read(tmp_path / "killed" / "log")


def test_the_momentum_of_muon_survives_a_kill(tmp_path: Path) -> None:
    write_inputs(tmp_path)
    recipe = {
        "optimizer": "muon", "nesterov": True, "schedule": "linear", "bias_learning_rate": 0.1,
        "head_learning_rate": 0.3, "learning_rate": 0.05,
    }  # fmt: skip
    assert finish(tmp_path, tmp_path / "whole", **recipe) == 0
    assert finish(tmp_path, tmp_path / "killed", **recipe, kill=("after", SECOND)) < 0
    assert finish(tmp_path, tmp_path / "killed", **recipe) == 0
    assert results(tmp_path / "killed") == results(tmp_path / "whole")


def test_dropout_and_the_layout_of_colour_networks_survive_a_kill(tmp_path: Path) -> None:
    write_inputs(tmp_path, channels=3)
    changes = {"architecture": "squeezenet1_1", "input_size": 32, "learning_rate": 1e-3}
    assert finish(tmp_path, tmp_path / "whole", **changes) == 0
    assert finish(tmp_path, tmp_path / "killed", **changes, kill=("after", SECOND)) < 0
    assert finish(tmp_path, tmp_path / "killed", **changes) == 0
    assert results(tmp_path / "killed") == results(tmp_path / "whole")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_ends_at_once_and_the_next_start_goes_on(
    sent: signal.Signals, study: Path, tmp_path: Path
) -> None:
    # So many epochs that it is not through before the signal comes.
    process = start(study, tmp_path, epochs=300)
    while process.is_alive() and "epoch 2/300" not in read(tmp_path / "log"):
        time.sleep(0.01)
    assert process.pid
    os.kill(process.pid, sent)
    process.join()
    assert process.exitcode == 128 + sent
    assert f"stopped by {sent.name} in epoch" in read(tmp_path / "log")
    assert [path.name for path in (tmp_path / "models" / "flip").iterdir()] == [".2.checkpoint"]
    assert finish(study, tmp_path, epochs=300, kill=("after", CLAIM)) < 0
    assert re.search(r"goes on after (epoch \d+|\d+ images of epoch)", read(tmp_path / "log"))


SMALL = {"architecture": "small_cnn", "input_size": 16, "learning_rate": 0.02}
RECIPES: list[dict[str, Any]] = [
    {"architecture": "squeezenet1_1", "input_size": 32, "learning_rate": 1e-3},
    SMALL | {"optimizer": "adamw", "schedule": "one_cycle", "label_smoothing": 0.1},
    SMALL | {"optimizer": "sgd", "nesterov": True, "schedule": "cosine", "warmup": 0.5},
    SMALL | {"schedule": "steps", "milestones": [0.5, 1], "gradient_clip": 0.1, "keep": "last"},
    SMALL | {"ema": 0.7, "loss": "binary_cross_entropy", "class_weights": "balanced"},
    SMALL | {"copies": 0, "probability": 0.5, "batch_size": 40, "sampling": "balanced"},
]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_stopped_after_any_batch_it_goes_on_there_with_the_same_weights(
    recipe: dict[str, Any], study: Path, tmp_path: Path
) -> None:
    """Dropout's random numbers and the losses of the epoch so far are kept as well."""
    dataset = data.read(study / "data.h5")
    frame = split.read(study / "split.csv", 200)
    settings = Settings(**SETTINGS | {"epochs": 2, "batch_size": 80} | recipe)

    def run(path: Path, last: int | None) -> tuple[Any, pd.DataFrame, list[dict[str, Any]]]:
        asked = iter(range(10**9))
        notes: list[dict[str, Any]] = []
        weights, about, history = train.train(
            settings,
            dataset,
            frame,
            name="flip/2",
            checkpoint=path,
            code=["abc"],
            progress=notes.append,
            stopping=lambda: next(asked) == last,
        )
        return (
            {name: tensor.numpy().tobytes() for name, tensor in weights.items()} | about,
            history.drop(columns=["seconds", "images_per_second"]),
            notes,
        )

    weights, history, _ = run(tmp_path / "whole", None)
    # An epoch: three batches of training (200 images), one of validation.
    done = [80, 160, 200, 200, 80, 160, 200, 200]
    if not settings.copies:
        done = [images // 2 for images in done]
    for last, where in enumerate(done):
        path = tmp_path / str(last)
        with pytest.raises(train.Stopped):
            run(path, last)
        weights_again, history_again, notes = run(path, None)
        assert notes[0]["message"].startswith(
            f"goes on after {where} images of epoch {1 + last // 4}"
        )
        assert weights_again == weights
        pd.testing.assert_frame_equal(history_again, history, check_exact=True)


def test_a_checkpoint_is_released_by_its_owner_alone(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = checkpoint(tmp_path)
    assert finish(study, tmp_path, kill=("after", SECOND)) < 0
    checkpoints.release(path)
    assert path.exists()
    monkeypatch.setattr(checkpoints, "owner", lambda: checkpoints.read(path)[1]["owner"])
    checkpoints.release(path)
    assert not path.exists()


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("changes", [{"code": ["other"]}, {"learning_rate": 0.04}])
def test_a_checkpoint_of_other_code_or_settings_is_not_used(
    changes: dict[str, Any], study: Path, undisturbed: tuple[bytes, str], tmp_path: Path
) -> None:
    assert finish(study, tmp_path, **changes, kill=("after", SECOND)) < 0
    assert finish(study, tmp_path) == 0
    assert results(tmp_path) == undisturbed
    assert "stale checkpoint" in read(tmp_path / "log")
    assert "starting from zero" in read(tmp_path / "log")


def test_a_checkpoint_of_other_pictures_is_not_used(
    study: Path, undisturbed: tuple[bytes, str], tmp_path: Path
) -> None:
    write_inputs(tmp_path, first=300)
    assert finish(tmp_path, tmp_path / "job", kill=("after", SECOND)) < 0
    assert finish(study, tmp_path / "job") == 0
    assert results(tmp_path / "job") == undisturbed
    assert "stale checkpoint" in read(tmp_path / "job" / "log")


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign"])
def test_an_unreadable_checkpoint_is_named_and_left_as_it_is(
    damage: str, study: Path, tmp_path: Path
) -> None:
    assert finish(study, tmp_path, kill=("after", FIRST)) < 0
    whole = checkpoint(tmp_path).read_bytes()
    damaged = {"truncated": whole[:-100], "empty": b"", "foreign": b"PK\x03\x04" * 99}[damage]
    checkpoint(tmp_path).write_bytes(damaged)
    assert finish(study, tmp_path) == 1
    log = read(tmp_path / "log")
    assert log.startswith(f"error: {checkpoint(tmp_path)}: not a readable checkpoint")
    assert "move it away, and training starts from zero" in log
    assert "Traceback" not in log
    assert checkpoint(tmp_path).read_bytes() == damaged


@pytest.mark.parametrize("fate", ["goes on", "is done"])
def test_of_two_processes_the_older_one_stops(
    fate: str, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An orphan on a lost node must not overwrite what the new job writes."""
    dataset = data.read(study / "data.h5")
    frame = split.read(study / "split.csv", 200)
    path = tmp_path / ".2.checkpoint"

    def run(progress: train.Progress) -> None:
        options = {"name": "flip/2", "checkpoint": path, "code": ["abc"], "progress": progress}
        train.train(Settings(**SETTINGS), dataset, frame, **options)

    def takeover(event: dict[str, Any]) -> None:
        if event["event"] == "epoch" and event["epoch"] == 1:
            with monkeypatch.context() as patch:
                patch.setattr(checkpoints, "owner", lambda: "process 7 on node2")
                notes: list[dict[str, Any]] = []
                run(notes.append)
            assert notes[0]["message"].startswith("goes on after epoch 1")
            if fate == "is done":
                path.unlink()

    owner = "process 7 on node2" if fate == "goes on" else "another process, now done"
    with pytest.raises(CampareError, match=f"taken over by {owner}"):
        run(takeover)
    assert path.exists() == (fate == "goes on")


def test_claim_while_a_checkpoint_is_written_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped while it wrote must not overwrite the claim of the new job."""
    path, claimed = tmp_path / ".1.checkpoint", tmp_path / ".2.checkpoint"
    weights = {"weight": torch.ones(1)}
    checkpoints.save(path, weights, {"owner": checkpoints.owner()})
    checkpoints.save(claimed, weights, {"owner": "process 7 on node2"})
    check = partial(checkpoints.check_owner, path)
    checkpoints.save(path, weights, {"owner": checkpoints.owner()}, check)

    monkeypatch.setattr(os, "fsync", lambda _: path.write_bytes(claimed.read_bytes()))
    with pytest.raises(CampareError, match="taken over by process 7 on node2"):
        checkpoints.save(path, weights, {"owner": checkpoints.owner()}, check)
    assert path.read_bytes() == claimed.read_bytes()
    assert sorted(tmp_path.iterdir()) == [path, claimed]


def test_files_of_killed_writers_go_with_the_checkpoint(tmp_path: Path) -> None:
    path, left, other = (tmp_path / f"{name}.checkpoint" for name in (".1", "..1.vm.7", ".12"))
    for file in (path, left, other):
        checkpoints.save(file, {"weight": torch.ones(1)}, {"owner": checkpoints.owner()})
    checkpoints.release(path)
    assert list(tmp_path.iterdir()) == [other]
