"""How work in another process or thread reports its failure."""

from __future__ import annotations

import sys
import traceback

from recorder.errors import TwinplayError, outside_sentence


class WorkerError(TwinplayError):
    """A child process failed or disappeared."""


def told(error: BaseException) -> str:
    """The sentence of an error; the traceback of an unexpected error also goes to stderr."""
    if isinstance(error, TwinplayError):
        return str(error)
    if isinstance(error, MemoryError):
        return outside_sentence(error)
    traceback.print_exception(error, file=sys.stderr)
    return f"{type(error).__name__}: {error}"


def exit_reason(code: int | None) -> str:
    """Why a process ended that was not asked to end."""
    reason = f"exit status {code}" if code is None or code >= 0 else f"signal {-code}"
    return f"the process ended unexpectedly ({reason})"
