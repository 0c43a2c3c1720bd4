"""How work that runs elsewhere tells of its failure."""

from __future__ import annotations

import sys
import traceback

from recorder.errors import TwinplayError


class WorkerError(TwinplayError):
    """A process of ours failed or vanished."""


def told(error: BaseException) -> str:
    """A failure as its sentence; where nobody foresaw it, its traceback goes to stderr."""
    if isinstance(error, TwinplayError):
        return str(error)
    traceback.print_exception(error, file=sys.stderr)
    return f"{type(error).__name__}: {error}"


def exit_reason(code: int | None) -> str:
    """Why a process ended that nobody had asked to."""
    reason = f"exit status {code}" if code is None or code >= 0 else f"signal {-code}"
    return f"the process ended unexpectedly ({reason})"
