"""Verifying, merging, splitting and writing tables: each in a process, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from recorder.library.merging import ReshapeProgress
from recorder.library.tables import TableProgress
from recorder.library.verify import VerifyProgress
from recorder.system.jobs import JobLike, JobState

_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Work:
    """A job in progress: its title, and the fraction done."""

    title: str
    fraction: float


class LongWork:
    """Runs one job at a time; `work` is its progress.

    `name_of` gives the name of the session at a path. `done` is called with how the job ended, and its result or the
    reason why it failed.
    """

    def __init__(
        self,
        start_job: Callable[[str, dict[str, Any]], JobLike],
        name_of: Callable[[str], str],
        done: Callable[[JobState, str, tuple[Path, ...]], None],
    ) -> None:
        self.work: Work | None = None
        self._start_job, self._name_of, self._done = start_job, name_of, done
        self._job: JobLike | None = None
        self._result = ""
        self._made: tuple[Path, ...] = ()

    def start(self, title: str, target: str, arguments: dict[str, Any]) -> None:
        """Start a job; none may be running."""
        self._result, self._made = "", ()
        self._job, self.work = self._start_job(target, arguments), Work(title, 0.0)

    def poll(self) -> bool:
        """Read the progress; returns whether there was anything new."""
        job = self._job
        if job is None:
            return False
        records = job.poll()
        for record in records:
            self._note(record)
        if job.state is JobState.RUNNING:
            return bool(records)
        self._job, self.work = None, None
        self._done(job.state, str(job.error) if job.state is JobState.FAILED else self._result, self._made)
        return True

    def close(self) -> None:
        """Stop the running job."""
        if self._job is not None:
            self._job.stop()
            self._job.poll()
            if not self._job.join(_PATIENCE_S):
                self._job.kill()
            self._job, self.work = None, None

    def _note(self, record: Any) -> None:
        assert self.work is not None
        match record:
            case ReshapeProgress():
                fraction = record.ticks / max(1, record.total)
                if record.made:
                    self._made = record.made
                    merged = len(record.made) == 1
                    made = "one new session. The originals are" if merged else "two new sessions. The original is"
                    note = f" Note: {record.note}." if record.note else ""
                    self._result = f"Created {made} unchanged.{note}"
            case (str(path), VerifyProgress() as progress):
                fraction = progress.ticks / max(1, progress.total)
                certificate = progress.certificate
                if certificate is not None:
                    exact = f"all {certificate.ticks:,} frames reproduced exactly ({certificate.seconds:.1f} s)"
                    verdict = f"verified, {exact}." if certificate.ok else f"not verified: {certificate.difference}."
                    self._result = f"{self._result} {self._name_of(path)}: {verdict}".strip()
            case TableProgress():
                fraction = record.done / max(1, record.total)
                rows = "1 row" if record.rows == 1 else f"{record.rows:,} rows"
                gone = f" {len(record.left_out):,} unreadable left out." if record.left_out else ""
                self._result = f"Saved “{record.file.name}” in {record.file.parent}: {rows}.{gone}"
            case _:
                return
        self.work = replace(self.work, fraction=fraction)
