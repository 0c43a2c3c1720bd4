"""A small picture of the play that a run learned from, drawn by a process that ends once it is drawn."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recorder.library.preview import Picture, Thumbnail
from recorder.store.places import place
from recorder.system.jobs import Job, JobLike, JobState
from trainer.runs.runs import Run


class RunPictures:
    """Draws each wanted session once; what cannot be drawn has no picture. `library` is the run's."""

    def __init__(self, library: Path, start_job: Callable[[str, dict[str, Any]], JobLike] = Job) -> None:
        self._library = library
        self._start_job = start_job
        self._drawn: dict[Path, Picture | None] = {}
        self._wanted: list[Path] = []
        self._job: JobLike | None = None

    @property
    def busy(self) -> bool:
        """Whether `poll` may bring a picture."""
        return self._job is not None or bool(self._wanted)

    def session(self, run: Run) -> Path | None:
        """The session of which a run has a picture: the one that it learned most from; None if that has gone."""
        if run.setup is None:
            return None
        source = max(run.setup.sources, key=lambda each: each.minutes)
        where = place(source.path)
        candidates = (where, self._library / f"{source.name}.zarr")
        return next((each for each in candidates if isinstance(each, Path) and os.path.isdir(each)), None)

    def of(self, session: Path) -> Picture | None:
        """The picture of a session once it is drawn, uint8 RGB; otherwise it is requested."""
        if session not in self._drawn:
            self._drawn[session] = None
            self._wanted.append(session)
        return self._drawn[session]

    def poll(self) -> bool:
        """Collect pictures, and start drawing; returns whether there are new ones."""
        records = self._job.poll() if self._job is not None else []
        for record in records:
            if isinstance(record, Thumbnail):
                self._drawn[record.path] = record.picture
        if self._job is not None and self._job.state is not JobState.RUNNING:
            self._job = None
        if self._job is None and self._wanted:
            takes = [str(path) for path in self._wanted]
            self._wanted.clear()
            self._job = self._start_job("recorder.recording.stills:draw", {"env": "", "takes": takes})
        return bool(records)

    def close(self) -> None:
        """Give up what is being drawn."""
        self._wanted.clear()
        if self._job is not None:
            self._job.kill()
            self._job = None
