"""Background jobs: comparing, exporting, scoring games, each in a separate process.

           start()             the job's end
IDLE ─────────────▶ RUNNING ───────────────────▶ DONE | FAILED
  ▲                    │ cancel()                   │ start()
  └────────────────────┘◀───────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any

from recorder.system.jobs import Job, JobLike, JobState, start_thread
from trainer.evaluation.scores import EvalProgress, Score

_PATIENCE_S = 30.0  # for a film to put its part file away; it looks up after every picture


class BackgroundJobState(Enum):
    """Drawn in the module's docstring."""

    IDLE = "idle"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class BackgroundJob:
    """Runs the generator function `target`, one job at a time; `record` is what it yielded last.

    With `cleans_up` it is asked to end instead of being killed, because it has files to clean up.
    """

    def __init__(
        self, target: str, *, cleans_up: bool = False, start_job: Callable[[str, dict[str, Any]], JobLike] = Job
    ) -> None:
        self.state = BackgroundJobState.IDLE
        self.record: Any = None
        self.error = ""
        self._target = target
        self._cleans_up = cleans_up
        self._start_job = start_job
        self._job: JobLike | None = None
        self._leaving: list[Any] = []  # threads of recorder.system.jobs in which a job is being ended

    @property
    def running(self) -> bool:
        """Whether a job is running."""
        return self.state is BackgroundJobState.RUNNING

    def start(self, **arguments: Any) -> None:
        """Start a job; a running one is cancelled."""
        self.cancel()
        self.state = BackgroundJobState.RUNNING
        self._job = self._start_job(self._target, arguments)

    def poll(self) -> bool:
        """Read new records; returns whether there were any. Never blocks."""
        job = self._job
        if job is None:
            return False
        records = job.poll()
        if records:
            self.record = records[-1]
        if job.state is JobState.RUNNING:
            return bool(records)
        self._job = None
        self.state = BackgroundJobState.DONE if job.state is JobState.DONE else BackgroundJobState.FAILED
        self.error = job.error or ""
        return True

    def cancel(self) -> None:
        """Cancel the job. Cleaning up happens without waiting."""
        job, self._job = self._job, None
        self.state, self.record, self.error = BackgroundJobState.IDLE, None, ""
        if job is None:
            return
        if not self._cleans_up:
            job.kill()
            return
        job.stop()
        self._leaving = [thread for thread in self._leaving if thread.is_alive()]
        self._leaving.append(start_thread(lambda: _wait_for_end(job), "end-job"))

    def close(self) -> None:
        """Cancel, and wait until everything is cleaned up."""
        self.cancel()
        for thread in self._leaving:
            thread.join(_PATIENCE_S + 5)
        self._leaving.clear()


def _wait_for_end(job: JobLike) -> None:
    """Wait for a job that was asked to stop; its output must be read, or it would block."""
    for _ in range(round(_PATIENCE_S / 0.1)):
        job.poll()
        if job.join(0.1):
            return
    job.kill()


def scoring(
    policies: Sequence[str], session: str | None = None, *, episodes: int = 10, seed: int = 0, alike: bool = False
) -> Iterator[EvalProgress]:
    """Games of one or two clones, of the player of a session, and of a random player, all from the same starts.

    With `alike` the first clone plays like its demonstrator. Without a session, the demonstrators are the players that
    it learned from; see `trainer.evaluation.evaluate.evaluate`. The last record has the report, whose rows are in the
    order demonstrator, clones, random player.
    """
    from trainer.evaluation.evaluate import evaluate

    first, others = policies[0], [other for other in policies[1:] if alike or other != policies[0]]
    report = None
    done = total = 0
    for progress in evaluate(first, episodes=episodes, seed=seed, alike=alike, recording=session):
        done, total, report = progress.done, progress.total + len(others) * episodes, progress.report
        left = progress.left_s
        if left is not None and progress.clone_s is not None:
            left += len(others) * progress.clone_s
        yield EvalProgress(done, total, rows=_ranked(progress.rows), left_s=left)
    assert report is not None
    rows, notes = list(report.rows), list(report.notes)
    for other in others:
        for progress in evaluate(other, episodes=episodes, seed=seed, players=("clone",)):
            shown = _ranked([*rows, *progress.rows])
            yield EvalProgress(done + progress.done, total, rows=shown, left_s=progress.left_s)
            rows += progress.report.rows if progress.report is not None else ()
            notes += progress.report.notes if progress.report is not None else ()
        done += episodes
    ranked = _ranked(rows)
    yield EvalProgress(total, total, replace(report, rows=ranked, notes=tuple(notes)), ranked)


def _ranked(rows: Iterable[Score]) -> tuple[Score, ...]:
    """In the order demonstrator, clones, random player."""
    ranks = {"demonstrator": 0, "clone": 1, "random": 2}
    return tuple(sorted(rows, key=lambda row: ranks[row.player]))
