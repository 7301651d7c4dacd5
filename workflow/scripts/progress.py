"""Progress of training as lines for log and terminal. A change of its text retrains nothing."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Any

from job import CLEAR


class Report:
    """Prints progress events of training: a line per epoch, and every 30 s within an epoch.

    With `--logger campare`, a progress bar is drawn on a terminal as well. Otherwise Snakemake's
    own lines would run into the bar.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.printed = time.monotonic()
        bar = "CAMPARE_BAR" in os.environ and sys.stderr.isatty()
        self.terminal = sys.stderr if bar else None

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] == "note":
            self.line(event["message"])
            return
        epoch = f"epoch {event['epoch']}/{event['epochs']}"
        if event["event"] == "epoch":
            self.line(
                f"{epoch}  loss {event['train_loss']:.3f}  "
                f"validation accuracy {100 * event['validation_accuracy']:.1f} %  "
                f"{event['images_per_second']:,.0f} images/s  {event['left']:.0f} s left"
            )
            return
        share = event["done"] / event["images"]
        if time.monotonic() - self.printed >= 30:
            self.line(f"{epoch}  {100 * share:.0f} %  loss {event['loss']:.3f}")
        if self.terminal:
            bar = "█" * round(20 * share) + "·" * (20 - round(20 * share))
            text = f"{self.name}  {epoch}  {bar}  loss {event['loss']:.3f}"
            # Cut to one line: only the last line of a terminal can be cleared.
            self.terminal.write(f"{CLEAR}{text[: shutil.get_terminal_size().columns - 1]}\r")
            self.terminal.flush()

    def line(self, text: str) -> None:
        """Print a line in place of the bar; `logged` clears the bar and adds the job's name."""
        self.printed = time.monotonic()
        print(text, file=sys.stderr)
