"""The page of the explorer: HTML, style, modules of JavaScript and data in one file.

The sources are in workflow/explorer/. The modules are joined into one classic script, because
browsers load no modules from `file://`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # rules import this module, and must not import pandas
    from campare.explorer import Payload

FOLDER = Path(__file__).parents[2] / "explorer"

DATA = "explorer_data"  # folder of the data of a large study, next to the page
ONE_FILE = 50_000_000  # characters of data up to which the page contains them
SHARD = 8_000_000  # characters of a file of data; a multiple of 4, so that each is base64

# Modules in the order in which they are joined; those of LOGIC need no browser.
LOGIC = ("data", "columns", "select", "state", "scale", "colours")
VIEWS = ("draw", "shards", "controls", "plot", "images", "image", "answer", "scatter", "main")


def sources() -> list[str]:
    """The names of the files of which a page is made."""
    return ["page.html", "style.css", *(f"{name}.js" for name in (*LOGIC, *VIEWS))]


def script() -> str:
    """The modules as one script, in a scope of their own."""
    parts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in (*LOGIC, *VIEWS)]
    return '(() => {\n"use strict";\n' + "\n".join(parts) + "})();\n"


def files(payload: Payload) -> tuple[str, dict[str, str]]:
    """The page as text and, if it would have more than `ONE_FILE` bytes, the files of its data.

    Browsers load neither data nor modules from `file://`, but classic scripts. The files are
    scripts, each with at most `SHARD` characters of a block.

    Returns
    -------
    page
        The page.
    shards
        Name in the folder `DATA` → text; {} if the page contains its data.
    """
    if sum(map(len, payload.blocks.values())) <= ONE_FILE:
        return render(payload), {}
    digest = hashlib.sha256("".join(payload.blocks.values()).encode()).hexdigest()[:16]
    shards, listed = {}, []
    for block, text in payload.blocks.items():
        for place, start in enumerate(range(0, len(text), SHARD)):
            name = f"{block}-{place}.js"
            part = json.dumps(text[start : start + SHARD])
            shards[name] = f'campareShard("{digest}", "{block}", {part});\n'
            listed.append({"file": f"{DATA}/{name}", "block": block})
    about = payload.about | {"shards": {"digest": digest, "files": listed}}
    return render(replace(payload, about=about, blocks={})), shards


def render(payload: Payload) -> str:
    """The page as text, with the blocks of data in it."""
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
