"""Pictures for the Record page that need a simulator to draw them: a game before its first take, and finished takes.

    want(env), want_take(path) ──▶ a process: draw() ──▶ poll() ──▶ pictures

The process ends once it has drawn what was wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.library.preview import PreviewWorker, Thumbnail
from recorder.recording.recent import RecentRecordings
from recorder.recording.recordings import Picture, RecordingStatus
from recorder.system.jobs import Job, JobState


@dataclass(frozen=True)
class Still:
    """The first moment of a game, uint8 RGB (height, width, 3)."""

    env: str
    picture: Picture


def draw(env: str, takes: Sequence[str]) -> Iterator[Still | Thumbnail]:
    """Draw an environment's first moment, if one is named, and then thumbnails of takes."""
    if env:
        with Game(get_spec(env), render=True) as game:
            game.reset(0)
            yield Still(env, game.picture())
    worker = PreviewWorker()
    try:
        for take in takes:
            yield worker.thumbnail(take)
    finally:
        worker.close()


class Stills:
    """Draws each wanted picture once; what cannot be drawn has none."""

    def __init__(self) -> None:
        self.takes: dict[Path, Picture | None] = {}
        self._envs: dict[str, Picture | None] = {}
        self._wanted_env = ""
        self._wanted_takes: list[Path] = []
        self._job: Job | None = None

    def want(self, env: str) -> Picture | None:
        """The first moment of an environment, once it is drawn."""
        if env not in self._envs:
            self._envs[env] = None
            self._wanted_env = env
        return self._envs[env]

    def status(self, env: str) -> RecordingStatus | None:
        """What the page shows before a take: the first moment of an environment, once it is drawn."""
        still = self.want(env)
        return None if still is None else RecordingStatus(still, 0.0, 0, 0, 0, False, 0)

    def want_take(self, path: Path) -> None:
        """Have a take drawn."""
        if path not in self.takes:
            self.takes[path] = None
            self._wanted_takes.append(path)

    def serve(self, today: RecentRecordings) -> bool:
        """Draw the takes of a day that have no picture, and show them; returns whether there are new ones."""
        for take in today.takes:
            if take.picture is None and not take.discarded:
                self.want_take(take.path)
        new = self.poll()
        if new:
            today.show_pictures(self.takes)
        return new

    def poll(self) -> bool:
        """Collect pictures, and start drawing; returns whether there are new ones."""
        new = False
        for record in self._job.poll() if self._job is not None else ():
            new = True
            if isinstance(record, Still):
                self._envs[record.env] = record.picture
            else:
                self.takes[record.path] = record.picture
        if self._job is not None and self._job.state is not JobState.RUNNING:
            self._job = None
        if self._job is None and (self._wanted_env or self._wanted_takes):
            takes = [str(path) for path in self._wanted_takes]
            self._job = Job("recorder.recording.stills:draw", {"env": self._wanted_env, "takes": takes})
            self._wanted_env, self._wanted_takes = "", []
        return new

    def close(self) -> None:
        """Give up what is being drawn."""
        if self._job is not None:
            self._job.kill()
            self._job = None
