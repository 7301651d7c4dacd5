"""Common parts of all scripts: logging to file and terminal, error messages, speed."""

from __future__ import annotations

import gc
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from campare import user_code
from campare.errors import CampareError
from campare.sizes import pair
from provenance import USER_CODE

CLEAR = "\r\033[K"  # clears the line of a terminal, which may have a training job's progress bar


class _Tee:
    """A text stream to the log and to the terminal, where every line starts with the job's name."""

    def __init__(self, terminal: TextIO, log: TextIO, name: str) -> None:
        self.terminal = terminal
        self.log = log
        self.prefix = f"{CLEAR if terminal.isatty() else ''}{name}  "
        self.within_line = False

    def write(self, text: str) -> int:
        self.log.write(text)
        self.log.flush()
        for line in text.splitlines(keepends=True):
            self.terminal.write(line if self.within_line else f"{self.prefix}{line}")
            self.within_line = not line.endswith("\n")
        return len(text)

    def flush(self) -> None:
        self.terminal.flush()

    def isatty(self) -> bool:
        return self.terminal.isatty()


def name_of(log: str) -> str:
    """The name of a log's job on the terminal, such as train/affine/1."""
    return str(Path(log).with_suffix("")).split("/logs/")[-1]


@contextmanager
def logged(log: str) -> Iterator[None]:
    """Copy the output of the block to `log`, and exit with code 1 on any error.

    A `CampareError` is printed as one message; any other error is a bug and keeps its traceback.
    """
    stdout, stderr = sys.stdout, sys.stderr
    # backslashreplace: names of files need not be UTF-8.
    with Path(log).open("w", encoding="utf-8", errors="backslashreplace") as handle:
        tees = (_Tee(stream, handle, name_of(log)) for stream in (stdout, stderr))
        sys.stdout, sys.stderr = tees
        try:
            _find_user_files()
            yield
        except CampareError as error:
            for note in getattr(error, "__notes__", ()):
                print(note, file=sys.stderr)
            print(f"error: {error}", file=sys.stderr)
            sys.exit(1)
        except Exception:
            traceback.print_exc()
            sys.exit(1)
        finally:
            sys.stdout, sys.stderr = stdout, stderr
            gc.freeze()  # otherwise Python collects garbage in all of torch on exit: 0.3 s


def _find_user_files() -> None:
    """Set the folder and the functions of the user's files, a param of all jobs of such a study.

    Snakemake defines `snakemake` in the script.
    """
    job = getattr(sys.modules["__main__"], "snakemake", None)
    if job is not None and (state := job.params.get(USER_CODE)):
        user_code.use(**state)


def catching_signals() -> list[signal.Signals]:
    """Catch SIGTERM and SIGINT instead of ending: a list to which received signals are added.

    They announce a time limit or a preemption, or come from Ctrl-C.
    """
    received: list[signal.Signals] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: received.append(signal.Signals(number)))
    return received


def comparison_device(device: str) -> str:
    """The device of `similarity.device` by torch's name; the CPU needs no torch."""
    if device == "cpu":
        return device
    from campare import devices

    return str(devices.choose(device, "similarity.device", "cpu"))


def comparison(params: Any, threads: int) -> dict[str, Any]:
    """How a job compares maps, as arguments of `similarity.tables` and `similarity.between`.

    Parameters
    ----------
    params
        Those of the job: the config's `similarity`, `input_size` and `one_split`.
    threads
        Number of CPU threads.
    """
    return {
        "metrics": params.metrics,
        "size": pair(params.input_size) if params.resolution == "input" else None,
        "epsilon": params.epsilon,
        "threads": threads,
        "device": comparison_device(params.device),
        "one_split": params.one_split,
    }


def with_progress(batches: Iterator[Any], images: int) -> Iterator[Any]:
    """Pass on batches of maps; print a line every 30 s and at the end, then the usage.

    Parameters
    ----------
    batches
        Batches of maps.
    images
        Number of images in all batches.
    """
    start = printed = time.monotonic()
    done = 0
    for batch in batches:
        yield batch
        done += len(batch.maps)
        now = time.monotonic()
        if now - printed >= 30 or done == images:
            printed = now
            print(f"{done:,} of {images:,} images, {done / (now - start):,.0f} images/s")
    log_usage(done, time.monotonic() - start)


def log_usage(images: float, seconds: float) -> None:
    """Log a job's speed and its peak GPU memory, for the efficiency table."""
    torch = sys.modules.get("torch")
    on_gpu = torch is not None and torch.cuda.is_initialized()
    peak = torch.cuda.max_memory_reserved() if torch and on_gpu else 0
    print(f"used: {images / seconds:,.0f} images/s, peak GPU memory {peak / 1e6:,.0f} MB")
