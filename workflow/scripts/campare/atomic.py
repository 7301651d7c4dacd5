"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from campare.errors import CampareError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block succeeds.

    The temporary name carries host and process, so that two writers never share one, and keeps
    the suffix, which some writers read the format from. After a failure nothing is left behind
    and an older `path` is untouched.

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
    """Take `size` bytes of disk for a file before HDF5 writes to it: it crashes on a full disk."""
    if hasattr(os, "posix_fallocate"):  # macOS has none
        with path.open("r+b" if path.exists() else "w+b") as handle:
            os.posix_fallocate(handle.fileno(), 0, size)
