"""The one exception that stands for bad input."""


class CampareError(Exception):
    """Something the user can mend. The message names the file or key, and the remedy.

    Scripts print the message alone, without a traceback, and exit non-zero.
    """
