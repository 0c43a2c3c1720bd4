"""Supervision of the process that trains: it is started when a run waits, and missed when it has vanished."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from trainer.runs.messages import Messages
from trainer.runs.runs import Run, Runs, RunState
from trainer.runs.worker import WorkerLike


class Supervision:
    """Works off the queue of `kept`; `start` starts the process that trains."""

    def __init__(self, kept: Runs, start: Callable[[Path], WorkerLike], messages: Messages) -> None:
        self._kept, self._start, self._messages = kept, start, messages
        self._worker: WorkerLike | None = None

    @property
    def started(self) -> bool:
        """Whether this window started a process that is not over yet."""
        return self._worker is not None

    @property
    def at_work(self) -> bool:
        """Whether a process works through the queue, whoever started it."""
        return self.started or self._kept.is_locked()

    def take_in_end(self) -> bool:
        """Mark what a process that is over left unfinished; returns whether one is over."""
        if self._worker is None or self._worker.poll():
            return False
        error, self._worker = self._worker.error, None
        lost = self._kept.settle(error or "")
        if error is not None and not lost and (waiting := self._kept.queued()):
            failed = replace(waiting[0].status, state=RunState.FAILED, reason=f"it could not start: {error}")
            self._messages.attempt(lambda: self._kept.set_status(waiting[0].id, failed))
        return True

    def start_if_needed(self, active: Sequence[Run]) -> bool:
        """Start the process when one of these runs waits and none is at work; returns whether anything changed."""
        if not active or self.at_work:
            return False
        if self._kept.settle(among=[run.id for run in active]):
            return True
        if not any(run.status.state is RunState.QUEUED for run in active):
            return False
        try:
            self._worker = self._start(self._kept.library)
        except OSError as error:
            self._messages.error = f"The training process cannot be started: {error.strerror or error}."
            self.pause_waiting()
        return True

    def pause_waiting(self) -> None:
        """Pause every run that waits."""
        for run in self._kept.queued():
            self._ask_to_pause(run.id)

    def leave(self) -> None:
        """Let the process go on in the background."""
        if self._worker is not None:
            self._worker.leave()

    def pause_and_leave(self, runs: Sequence[Run], timeout: float) -> None:
        """Pause what waits, and of these runs those that are trained, within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        active = any(run.active for run in runs)
        while active and self.at_work:
            self._pause_all(runs)
            over = not self._kept.is_locked() if self._worker is None else not self._worker.poll()
            if over or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        self.leave()  # if it is still there, it has been asked, and ends as soon as it can
        self._worker = None

    def _pause_all(self, runs: Sequence[Run]) -> None:
        """Ask everything that is trained to pause, unless something is asked of it already."""
        self.pause_waiting()
        for run in runs:
            fresh = self._kept.find(run.id)
            if fresh is not None and fresh.status.state is RunState.RUNNING and not self._kept.requested(run.id):
                self._ask_to_pause(run.id)

    def _ask_to_pause(self, run: str) -> None:
        self._messages.attempt(partial(self._kept.request, run, "pause"))
