"""Files that appear complete or not at all."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from campare.errors import CampareError


@contextmanager
def replacing(path: str | Path, check: Callable[[], None] | None = None) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block succeeds.

    The temporary name contains host and process, so that two writers never share one, and has the
    suffix of `path`, from which some writers infer the format. After a failure the temporary file
    is removed, and an older `path` is unchanged. `check` is called just before the file is renamed,
    when all of it is on the disk; what it raises is a failure, too.

    Raises
    ------
    CampareError
        The disk is full or the folder cannot be written.
    """
    path = Path(path)
    aside = path.with_name(f".{path.stem}.{socket.gethostname()}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        with aside.open("rb") as handle:
            os.fsync(handle.fileno())
        if check:
            check()
        aside.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            remedy = "free some space"
        elif error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            remedy = "make its folder writable"
        else:
            raise
        raise CampareError(f"{path}: cannot be written ({error.strerror}); {remedy}") from error
    finally:
        aside.unlink(missing_ok=True)


def reserve(path: Path, size: int) -> None:
    """Reserve `size` bytes on disk for a file, because HDF5 crashes when the disk becomes full."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with path.open("r+b" if path.exists() else "w+b") as handle:
            os.posix_fallocate(handle.fileno(), 0, size)
