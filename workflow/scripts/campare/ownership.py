"""Which config files a folder of results was made from, so that no other study writes over it.

Two studies of one name would retrain each other's models at every run. The first to run writes down
its config files, as the paths that the project knows them by, so that a copy of the project agrees.
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
    """Check that a study's folder is free, or belongs to these config files.

    Those written down may have been renamed since, or their study: then the folder is free.

    Raises
    ------
    CampareError
        It belongs to another study that still has its name, or is no folder.
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
            f"{' and '.join(owners)}, and one would write over the other's {results}; give one of "
            f"them another name. (If {results} belongs to this file from now on, delete {record}.)"
        )


def record(results: Path, files: Sequence[Path]) -> None:
    """Write down that a study's folder belongs to these config files."""
    text = "".join(f"{name}\n" for name in _names(files))
    path = results / RECORD
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        results.mkdir(parents=True, exist_ok=True)
        with atomic.replacing(path) as aside:
            aside.write_text(text, encoding="utf-8")


def _names(files: Sequence[Path]) -> list[str]:
    """The files as seen from the project, with whole paths where they lie outside."""
    here = Path.cwd().resolve()
    paths = (Path(file).resolve() for file in files)
    return [str(p.relative_to(here) if p.is_relative_to(here) else p) for p in paths]


def _study(file: str) -> Any:
    """The study's name in a config file; None where there is none now."""
    try:
        study = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return study.get("study") if isinstance(study, dict) else None
