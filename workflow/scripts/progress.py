"""What training tells, as lines for a log and a terminal. Its wording retrains nothing."""

from __future__ import annotations

import sys
import time
from typing import Any


class Report:
    """Prints what training tells: a line per epoch, and one every half minute of a long epoch.

    On a terminal a bar runs as well.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.printed = time.monotonic()
        self.terminal = sys.stderr if sys.stderr.isatty() else None

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
            self.terminal.write(f"\r\033[K{self.name}  {epoch}  {bar}  loss {event['loss']:.3f}\r")
            self.terminal.flush()

    def line(self, text: str) -> None:
        """Print a line, in place of the bar."""
        self.printed = time.monotonic()
        if self.terminal:
            self.terminal.write("\r\033[K")
        print(f"{self.name}  {text}", file=sys.stderr)
