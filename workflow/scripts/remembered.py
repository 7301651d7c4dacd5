"""Results that every process which parses the rules needs, kept in files between processes.

A file counts only if it was written for the same key and its content is as written; so one that is
outdated, truncated or edited costs time, never a result. Without a folder, or if it cannot be
written to, nothing is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from campare import atomic
from campare.errors import CampareError

_folder: Path | None = None


def keep_in(folder: str | Path | None) -> None:
    """Set the folder of the files; it need not exist. None: keep nothing."""
    global _folder
    _folder = Path(folder).absolute() if folder else None


def remembered(name: str, key: str, compute: Callable[[], Any]) -> Any:
    """The result of `compute`, or what it returned before for the same key.

    Parameters
    ----------
    name
        Of the file; a result with another key replaces it.
    key
        Digest of all that the result depends on, without spaces.
    compute
        Returns what JSON keeps as it is: dictionaries with text as keys, lists, text, numbers.
    """
    if _folder is None:
        return compute()
    path = _folder / f"{name}.json"
    with suppress(OSError, ValueError):
        head, _, text = path.read_text(encoding="utf-8").partition("\n")
        if head == f"{key} {_digest(text)}":
            return json.loads(text)
    result = compute()
    text = json.dumps(result)
    with suppress(OSError, CampareError), atomic.replacing(path) as file:
        file.write_text(f"{key} {_digest(text)}\n{text}", encoding="utf-8")
    return result


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
