"""The record of the config files that a results folder belongs to.

Two studies of one name would retrain each other's models at every run. The first run records its
config files, relative to the project, so that the record holds in a copy of the project, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from campare import atomic
from campare.errors import CampareError

RECORD = ".config"


def check(results: Path, files: Sequence[Path]) -> None:
    """Check that a study's results folder belongs to these config files, or to none.

    A record does not count if its files have gone, or their study has another name now.

    Raises
    ------
    CampareError
        The folder belongs to another study of this name, or is a file.
    """
    if results.exists() and not results.is_dir():
        raise CampareError(
            f"{files[-1]}: study: {results} is a file, not a folder; choose another name"
        )
    record = results / RECORD
    owners = record.read_text(encoding="utf-8").splitlines() if record.is_file() else []
    if owners and owners != _names(files) and results.name in map(_study, owners):
        raise CampareError(
            f"{files[-1]}: study: {results.name} is also the name of the study in "
            f"{' and '.join(owners)}, and each would overwrite the other's {results}; give one of "
            f"them another name. (If {results} belongs to this file from now on, delete {record}.)"
        )


def record(results: Path, files: Sequence[Path]) -> None:
    """Record that a study's results folder belongs to these config files."""
    text = "".join(f"{name}\n" for name in _names(files))
    path = results / RECORD
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        results.mkdir(parents=True, exist_ok=True)
        with atomic.replacing(path) as aside:
            aside.write_text(text, encoding="utf-8")


def _names(files: Sequence[Path]) -> list[str]:
    """Paths relative to the project, or absolute paths of files outside it."""
    here = Path.cwd().resolve()
    paths = (Path(file).resolve() for file in files)
    return [str(p.relative_to(here) if p.is_relative_to(here) else p) for p in paths]


def _study(file: str) -> Any:
    """The name of the study in a config file; None without such a file or name."""
    try:
        study = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return study.get("study") if isinstance(study, dict) else None
