"""The page of the explorer: HTML, style, modules of JavaScript and data in one file.

The sources are in workflow/explorer/. The modules are joined into one classic script, because
browsers load no modules from `file://`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # rules import this module, and must not import pandas
    from campare.explorer import Payload

FOLDER = Path(__file__).parents[2] / "explorer"

# Modules in the order in which they are joined; those of LOGIC need no browser.
LOGIC = ("data", "columns", "select", "state", "scale", "colours")
VIEWS = ("draw", "controls", "plot", "images", "image", "answer", "scatter", "main")


def sources() -> list[str]:
    """The names of the files of which a page is made."""
    return ["page.html", "style.css", *(f"{name}.js" for name in (*LOGIC, *VIEWS))]


def script() -> str:
    """The modules as one script, in a scope of their own."""
    parts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in (*LOGIC, *VIEWS)]
    return '(() => {\n"use strict";\n' + "\n".join(parts) + "})();\n"


def render(payload: Payload) -> str:
    """The page as text."""
    blocks = "\n".join(
        f'<script type="text/plain" id="block-{name}">{text}</script>'
        for name, text in payload.blocks.items()
    )
    parts = {
        "STYLE": (FOLDER / "style.css").read_text(encoding="utf-8"),
        "ABOUT": embeddable(payload.about),
        "BLOCKS": blocks,
        "SCRIPT": script(),
    }
    page = (FOLDER / "page.html").read_text(encoding="utf-8")
    # Split before replacing, so that no part is searched for the mark of another.
    pieces = page.split("{{")
    rendered = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        rendered += [parts[name], rest]
    return "".join(rendered)


def embeddable(values: Any) -> str:
    """JSON that HTML cannot mistake for markup, whatever the names in it."""
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
