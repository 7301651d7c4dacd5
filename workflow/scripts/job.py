"""What scripts do around their work: a log that is also on the terminal, clear errors, speed."""

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

from campare.errors import CampareError

CLEAR = "\r\033[K"  # of a terminal's line, where a training job's bar may be


class _Tee:
    """A text stream to the log, and to the terminal, where the job's name opens every line."""

    def __init__(self, terminal: TextIO, log: TextIO, name: str) -> None:
        self.terminal = terminal
        self.log = log
        self.opening = f"{CLEAR if terminal.isatty() else ''}{name}  "
        self.opened = False

    def write(self, text: str) -> int:
        self.log.write(text)
        self.log.flush()
        for line in text.splitlines(keepends=True):
            self.terminal.write(line if self.opened else f"{self.opening}{line}")
            self.opened = not line.endswith("\n")
        return len(text)

    def flush(self) -> None:
        self.terminal.flush()

    def isatty(self) -> bool:
        return self.terminal.isatty()


def name_of(log: str) -> str:
    """What the terminal calls the job of this log, such as train/affine/1."""
    return str(Path(log).with_suffix("")).split("/logs/")[-1]


@contextmanager
def logged(log: str) -> Iterator[None]:
    """Send what the block prints to `log` as well; end with exit code 1 on any error.

    A `CampareError` is one message; anything else is a bug, and keeps its traceback.
    """
    stdout, stderr = sys.stdout, sys.stderr
    # backslashreplace: a file may have a name that is not UTF-8.
    with Path(log).open("w", encoding="utf-8", errors="backslashreplace") as handle:
        tees = (_Tee(stream, handle, name_of(log)) for stream in (stdout, stderr))
        sys.stdout, sys.stderr = tees  # type: ignore[assignment]
        try:
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
            gc.freeze()  # or Python looks through all of torch for garbage before it ends: 0.3 s


def catching_signals() -> list[signal.Signals]:
    """From now on SIGTERM and SIGINT end nothing: the list, empty as yet, is of those that came.

    A time limit or a preemption is near, or somebody pressed Ctrl-C.
    """
    came: list[signal.Signals] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: came.append(signal.Signals(number)))
    return came


def comparison_device(device: str) -> str:
    """Where `similarity.device` is, in torch's words; the CPU needs no torch."""
    if device == "cpu":
        return device
    from campare import devices

    return str(devices.choose(device, "similarity.device", "cpu"))


def with_progress(batches: Iterator[Any], images: int) -> Iterator[Any]:
    """The same batches of maps, with a line every half minute and at the end, and then `used`."""
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
