"""The exception for errors that the user can correct, and its use for files that cannot be read."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Remedy for a file with faulty content. Never "delete it": it may have taken hours to make.
ANEW = "move it away and run snakemake again"
# Remedies where the operating system refuses a file, whose content may be intact.
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
OTHERWISE = "the file may be intact; run snakemake again once its disk or file system answers"


class CampareError(Exception):
    """An error that the user can correct. The message names the file or key, and the remedy.

    Scripts print only the message, without a traceback, and exit with a non-zero status.
    """


@contextmanager
def reading(
    path: str | Path, what: str, *broken: type[Exception], remedy: str = ANEW
) -> Iterator[None]:
    """Turn errors of reading a file into `CampareError`.

    The message distinguishes a file that the operating system refuses from faulty content.

    Parameters
    ----------
    path
        The file that the block reads.
    what
        Kind of the file, such as "CAM store".
    broken
        Exceptions, besides Python's own, by which a reader reports faulty content.
    remedy
        What to do about faulty content.

    Raises
    ------
    CampareError
        For all of these errors; a CampareError of the block itself passes unchanged.
    """
    failures: tuple[type[Exception], ...] = (OSError, LookupError, TypeError, ValueError)
    failures += (RuntimeError, *broken)
    try:
        with Path(path).open("rb"):  # safetensors reports every refusal as a missing file
            pass
        yield
    except failures as error:
        if code := _refusal(error):
            remedy = REMEDIES.get(code, OTHERWISE)
            raise CampareError(f"{path}: cannot be read ({os.strerror(code)}); {remedy}") from error
        raise CampareError(f"{path}: not a readable {what} ({error}); {remedy}") from error


def _refusal(error: Exception) -> int:
    """The error number of the operating system; 0 if the error has another cause.

    HDF5 writes the number into its message, whatever the exception.
    """
    number = re.search(r"\berrno = (\d+)", str(error))
    return int(number[1]) if number else getattr(error, "errno", None) or 0
