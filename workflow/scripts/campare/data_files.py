"""The files that `data.root` means for data sets that are not folders of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from campare.errors import CampareError


def matching(root: str, suffixes: Sequence[str], several: bool) -> list[Path]:
    """The files that `data.root` means, sorted by name.

    Parameters
    ----------
    root
        A file; if there may be several files, also a folder, of which all subfolders count, or a
        pattern such as `data/*.parquet`.
    suffixes
        Suffixes that the files may have.
    several
        Whether there may be several.

    Raises
    ------
    CampareError
        There is no such file.
    """
    path, kinds = Path(root).expanduser(), " or ".join(suffixes)
    if path.is_file():
        if path.suffix.lower() not in suffixes:
            raise CampareError(f"data.root: {root} is not a file {kinds}; convert it, or rename it")
        return [path]
    if not several:
        what = "is a folder" if path.is_dir() else "does not exist"
        raise CampareError(f"data.root: {root} {what}; set it to the file of the images ({kinds})")
    pattern = str(path.relative_to(path.anchor))
    candidates = path.rglob("*") if path.is_dir() else Path(path.anchor).glob(pattern)
    files = sorted(
        each for each in candidates if each.suffix.lower() in suffixes and each.is_file()
    )
    if not files:
        raise CampareError(
            f"data.root: {root} has no files {kinds}; set it to a file, a folder, or a pattern "
            f"such as data/*{suffixes[0]}"
        )
    return files
