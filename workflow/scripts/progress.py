"""What training tells, as lines for a log and a terminal. Its wording retrains nothing."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Any

from job import CLEAR


class Report:
    """Prints what training tells: a line per epoch, and one every half minute of a long epoch.

    On a terminal a bar runs as well, with `--logger campare`: Snakemake's own lines would be
    written into it.
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
            # Whole, or it would go on in a second line, and stay there.
            self.terminal.write(f"{CLEAR}{text[: shutil.get_terminal_size().columns - 1]}\r")
            self.terminal.flush()

    def line(self, text: str) -> None:
        """Print a line, in place of the bar; `logged` clears it, and names the job."""
        self.printed = time.monotonic()
        print(text, file=sys.stderr)
