"""The one exception that stands for bad input, and how a file that cannot be read becomes one."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Of a file whose content is at fault. Never "delete it": it may have cost hours.
ANEW = "move it away and run snakemake again"
# Where the system refuses a file, which may be whole.
REMEDIES = {
    errno.ENOENT: "run snakemake again",
    errno.EACCES: "let this user read it",
    errno.EPERM: "let this user read it",
    errno.EAGAIN: "another program has it open for writing; close it there",
    errno.ENOLCK: "its file system has no locks; export HDF5_USE_FILE_LOCKING=FALSE",
    errno.ENOTSUP: "its file system has no locks; export HDF5_USE_FILE_LOCKING=FALSE",
    errno.EMFILE: "raise the limit (ulimit -n)",
    errno.ENFILE: "close other programs, or raise the system's limit",
}
OTHERWISE = "the file may be whole; run snakemake again once its disk or file system answers"


class CampareError(Exception):
    """Something the user can mend. The message names the file or key, and the remedy.

    Scripts print the message alone, without a traceback, and exit non-zero.
    """


@contextmanager
def reading(
    path: str | Path, what: str, *broken: type[Exception], remedy: str = ANEW
) -> Iterator[None]:
    """Tell a file that the system refuses from one whose content is at fault.

    Parameters
    ----------
    path
        The file that the block reads.
    what
        What it should be, such as "CAM store".
    broken
        Errors by which a reader says that the content is at fault, besides Python's own.
    remedy
        For a fault of the content.

    Raises
    ------
    CampareError
        For all of these errors; one that the block raises itself is left as it is.
    """
    failures: tuple[type[Exception], ...] = (OSError, LookupError, TypeError, ValueError)
    failures += (RuntimeError, *broken)
    try:
        with Path(path).open("rb"):  # safetensors calls every refusal a missing file
            pass
        yield
    except failures as error:
        if code := _refusal(error):
            remedy = REMEDIES.get(code, OTHERWISE)
            raise CampareError(f"{path}: cannot be read ({os.strerror(code)}); {remedy}") from error
        raise CampareError(f"{path}: no readable {what} ({error}); {remedy}") from error


def _refusal(error: Exception) -> int:
    """The system's error number, 0 where it is not the system that refuses.

    HDF5 writes it into its message, whatever the exception.
    """
    said = re.search(r"\berrno = (\d+)", str(error))
    return int(said[1]) if said else getattr(error, "errno", None) or 0
