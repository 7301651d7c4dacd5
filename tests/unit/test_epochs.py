"""Weights of chosen epochs: those of the undisturbed training, also if the job is killed."""

from __future__ import annotations

import os
import runpy
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from test_resume import SETTINGS, STUDY, Params, finish, forkserver, write_inputs

import provenance
from campare import checkpoints, epochs

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "train_model.py"
# The files that a run of three epochs renames to their places, if two of them are kept.
(CLAIM, FIRST, COPY, SECOND, THIRD, THIRD_COPY, WEIGHTS, EPOCH_1, EPOCH_3, HISTORY) = range(10)
CHOSEN = [1, 3]


def job(study: Path, folder: Path, chosen: list[int], last: int | None, changes: Any) -> None:
    """Run the script; die after the n-th file is renamed to its place."""
    renamed = 0
    rename = Path.replace

    def replace(self: Path, target: Path) -> Path:
        nonlocal renamed
        result = rename(self, target)
        if last == renamed:
            os.kill(os.getpid(), signal.SIGKILL)
        renamed += 1
        return result

    Path.replace = replace  # type: ignore[method-assign]
    models = folder / "models" / "flip"
    code = {f"{provenance.PREFIX}abc": "abc"}
    given = SimpleNamespace(
        input=SimpleNamespace(data=str(study / "data.h5"), split=str(study / "split.csv")),
        params=Params(settings=SETTINGS | changes, mapped=False, kept_epochs=chosen, **code),
        config=STUDY,
        output=SimpleNamespace(
            weights=str(models / "2.safetensors"),
            history=str(models / "2.csv"),
            epochs=[str(models / f"2.epoch-{epoch}.safetensors") for epoch in chosen],
        ),
        log=[str(folder / "log")],
    )
    folder.mkdir(exist_ok=True)
    runpy.run_path(str(SCRIPT), init_globals={"snakemake": given})


def run(
    study: Path, folder: Path, chosen: list[int], last: int | None = None, **changes: Any
) -> int | None:
    process = forkserver.Process(target=job, args=(study, folder, chosen, last, changes))
    process.start()
    process.join()
    return process.exitcode


def weights(folder: Path) -> dict[str, bytes]:
    """The bytes of all files of weights; there is no other file but the history."""
    models = folder / "models" / "flip"
    files = {path.name: path for path in models.iterdir() if path.name != "2.csv"}
    assert not any(name.startswith(".") for name in files)
    return {name: path.read_bytes() for name, path in files.items()}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert run(study, folder, CHOSEN) == 0
    return folder


def test_the_weights_of_chosen_epochs_are_kept_and_training_is_the_same(
    study: Path, undisturbed: Path, tmp_path: Path
) -> None:
    found = weights(undisturbed)
    assert set(found) == {"2.safetensors", "2.epoch-1.safetensors", "2.epoch-3.safetensors"}
    models = undisturbed / "models" / "flip"
    best, about = checkpoints.read(models / "2.safetensors")
    assert about["epoch"] == 3  # the best one, whose file is the same to the bit
    assert found["2.epoch-3.safetensors"] == found["2.safetensors"]
    assert checkpoints.read(models / "2.epoch-1.safetensors")[1] == about | {"epoch": 1}
    assert found["2.epoch-1.safetensors"] != found["2.safetensors"]
    # As train_model.py trains it; and the first epoch is what a training of one epoch gives.
    assert finish(study, tmp_path / "without") == 0
    assert finish(study, tmp_path / "one", epochs=1) == 0
    for folder, expected in (("without", best), ("one", None)):
        tensors, _ = checkpoints.read(tmp_path / folder / "models" / "flip" / "2.safetensors")
        expected = expected or checkpoints.read(models / "2.epoch-1.safetensors")[0]
        assert all((tensors[name] == expected[name]).all() for name in tensors)


@pytest.mark.parametrize("last", [FIRST, COPY, EPOCH_3, HISTORY])
def test_killed_and_started_again_gives_the_same_bytes(
    last: int, study: Path, undisturbed: Path, tmp_path: Path
) -> None:
    assert run(study, tmp_path, CHOSEN, last) == -signal.SIGKILL
    for output in (tmp_path / "models" / "flip").glob("2.*"):  # as Snakemake does before a job
        output.unlink()
    assert run(study, tmp_path, CHOSEN) == 0
    assert weights(tmp_path) == weights(undisturbed)
    assert "goes on after" in (tmp_path / "log").read_text()


def test_an_epoch_that_is_past_and_was_not_chosen_starts_the_training_from_zero(
    study: Path, undisturbed: Path, tmp_path: Path
) -> None:
    assert run(study, tmp_path, [3], SECOND - 1) == -signal.SIGKILL  # no copy of the first epoch
    assert run(study, tmp_path, CHOSEN) == 0
    assert weights(tmp_path) == weights(undisturbed)
    assert "no weights of epoch 1, which is past: starting from zero" in (
        (tmp_path / "log").read_text()
    )


def test_averaged_weights_are_kept_if_they_are_evaluated(study: Path, tmp_path: Path) -> None:
    assert run(study, tmp_path, [3], ema=0.8, keep="last") == 0
    found = weights(tmp_path)
    assert found["2.epoch-3.safetensors"] == found["2.safetensors"]


def test_a_file_of_another_training_is_not_taken_for_that_of_this_one(
    study: Path, undisturbed: Path, tmp_path: Path
) -> None:
    """A file of an earlier training with other settings lies there still."""
    assert run(study, tmp_path, CHOSEN, COPY, learning_rate=0.05) == -signal.SIGKILL
    checkpoint = tmp_path / "models" / "flip" / ".2.checkpoint"
    assert epochs.file_of(checkpoint, 1).exists()
    assert run(study, tmp_path, [3], SECOND - 1) == -signal.SIGKILL  # from zero, past epoch 1
    assert run(study, tmp_path, CHOSEN) == 0
    assert weights(tmp_path) == weights(undisturbed)
