"""The process that trains, as the window starts it and watches it; what it does is in trainer.runs.work."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from recorder.system.jobs import Detached


class WorkerLike(Protocol):
    """What the presenter needs of recorder.system.jobs.Detached."""

    @property
    def error(self) -> str | None: ...
    def poll(self) -> bool: ...
    def join(self, timeout: float | None = None) -> bool: ...
    def leave(self) -> None: ...


def start_worker(library: Path) -> WorkerLike:
    """The process that works through the queue of a library."""
    return Detached("trainer.runs.work:work", {"library": str(library.resolve())}, library / "runs" / "worker.log")
