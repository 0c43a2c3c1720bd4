"""Pictures of the games one can choose from, drawn once by a process and kept in the user's cache.

    want(names) ──▶ a process: draw() ──▶ <cache>/twinplay/games/pong-<digest>.png ──▶ poll(), picture("pong")

The digest is of the environment's description, so that one that is described anew is drawn anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from recorder.agents.agent import RandomAgent
from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.errors import TwinplayError
from recorder.library.stored_pictures import Picture, read_picture, shrink, write_picture
from recorder.system.jobs import Job, JobState

SIZE = (184, 138)  # 4 : 3
_PLAYED_TICKS = 150  # by then most games show more than their first screen


@dataclass(frozen=True)
class Drawn:
    """An environment of which there is a picture now."""

    env: str


def pictures_folder() -> Path:
    """The folder of the pictures, in the user's cache."""
    return Path(platformdirs.user_cache_dir("twinplay", appauthor=False)) / "games"


def draw(names: Sequence[str]) -> Iterator[Drawn]:
    """Draw environments, one after the other; what cannot be drawn has no picture."""
    for name in names:
        try:
            spec = get_spec(name)
            agent = RandomAgent(spec)
            with Game(spec, render=True) as game:
                observation = game.reset(0, varied=True)
                for _ in range(_PLAYED_TICKS):
                    observation, _, terminated, truncated = game.step(agent.act(observation))
                    if terminated or truncated:
                        break
                write_picture(_file(name), shrink(game.picture(), spec.pixel_aspect, SIZE))
        except TwinplayError:
            continue
        yield Drawn(name)


class GamePictures:
    """See the module's docstring."""

    def __init__(self) -> None:
        self._job: Job | None = None

    def picture(self, name: str) -> Picture | None:
        """The picture of an environment, uint8 RGB (height, width, 3) of SIZE; None if it is not drawn yet."""
        return read_picture(_file(name), SIZE)

    def want(self, names: Sequence[str]) -> None:
        """Draw those that have no picture yet, in this order."""
        missing = [name for name in names if not _file(name).exists()]
        if missing and self._job is None:
            self._job = Job("recorder.recording.game_pictures:draw", {"names": missing})

    def poll(self) -> list[str]:
        """The environments of which there are new pictures."""
        if self._job is None:
            return []
        drawn = [record.env for record in self._job.poll()]
        if self._job.state is not JobState.RUNNING:
            self._job = None
        return drawn

    @property
    def drawing(self) -> bool:
        """Whether there are pictures to come."""
        return self._job is not None

    def close(self) -> None:
        """Give up what is being drawn."""
        if self._job is not None:
            self._job.kill()
            self._job = None


def _file(name: str) -> Path:
    described = json.dumps(get_spec(name).to_json(), sort_keys=True)
    return pictures_folder() / f"{name}-{hashlib.sha256(described.encode()).hexdigest()[:12]}.png"
