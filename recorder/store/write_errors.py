"""Why a session cannot be written, in words, and what helps."""

from __future__ import annotations

import errno
import os

NO_MEMORY = "there is not enough memory"
_REMEDIES = {
    os.strerror(errno.EROFS): "make its disk writable again",
    os.strerror(errno.EACCES): "make its folder writable again",
    NO_MEMORY: "close other programs",
}


def reason(error: OSError | MemoryError) -> str:
    """The system's message for an error."""
    if isinstance(error, MemoryError):
        return NO_MEMORY
    return os.strerror(error.errno) if error.errno else str(error)


def remedy(why: str) -> str:
    """What helps, for a sentence that ends with what `reason` says."""
    return next((told for ending, told in _REMEDIES.items() if why.endswith(ending)), "free some disk space")
