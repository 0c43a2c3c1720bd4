"""A race against a twin: the same game from the same start, on the person's clock, each in a game of its own.

    LiveRecording ──began, ticked──▶ Race ──▶ Rival ──begin(), play()──▶ its process: game, clone and picture
                                              now ◀────────────────────── how far it is, its score, its picture

The twin plays up to the person's tick, as soon as its process comes to it, so the person never waits.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recorder.agents.shared_control import SharedControl
from recorder.play.rollout import Phase, Rollout
from recorder.recording.remote_twin import RemoteTwin, Twin
from recorder.store.races import RACE, RacedGame, race_attribute
from recorder.system.jobs import SharedRows

_ROWS = 3  # pictures: one is shown, and two may be drawn
_PATIENCE_S = 2.0  # for the twin to come to the person's last tick


class RivalMoment(NamedTuple):
    """How far the twin is in a game, by its number; its picture is in a row. It is what its process answers."""

    game: int
    ticks: int
    score: float
    lives: int
    over: bool
    row: int


class Rival(RemoteTwin):
    """The twin in its process. `now` is the latest moment that is known of its game."""

    def __init__(self, twin: Twin, worker: str, picture_shape: Sequence[int]) -> None:
        shared = SharedRows(_ROWS, picture_shape, "uint8")
        super().__init__(twin, worker, {"pictures": shared, "seed": time.time_ns() & 0x7FFFFFFF})
        self._pictures = shared.rows
        self.now: RivalMoment | None = None
        self._game, self._goal = -1, 0
        self._asked = 0
        self._row = 0

    @property
    def picture(self) -> npt.NDArray[np.uint8] | None:
        """The game as it is now, uint8 RGB; None before the first one."""
        return None if self.now is None else self._pictures[self.now.row]

    def begin(self, game: int, seed: int) -> None:
        """Start a game from this seed."""
        self._game, self._goal, self.now = game, 0, None
        self._ask("begin", game, seed)

    def reach(self, tick: int) -> None:
        """Play up to this tick."""
        self._goal = tick
        self._go_on()

    @property
    def arrived(self) -> bool:
        """Whether its game is over, or at the tick that it is to reach; or it is lost."""
        return self.lost or (self.now is not None and (self.now.over or self.now.ticks >= self._goal))

    def _go_on(self) -> None:
        if not self._asked and not self.arrived:
            self._ask("play", self._goal)

    def _ask(self, method: str, *args: Any) -> None:
        self._row = (self._row + 1) % _ROWS
        self._asked += 1
        self._request(method, *args, self._row)

    def _take_in(self, result: Any) -> None:
        self._asked -= 1
        moment = RivalMoment(*result)
        if moment.game == self._game:
            self.now = moment
            self._go_on()


@dataclass(frozen=True)
class RaceStatus:
    """A race as it stands. `picture` is that of the twin's game, uint8 RGB. `result` is a sentence once it is over."""

    twin: str
    picture: npt.NDArray[np.uint8] | None
    score: float
    over: bool
    lost: str
    result: str


class Race:
    """A Companion that plays in a game of its own."""

    shared: SharedControl | None = None
    hand_back_ticks = 0
    rewindable = False

    def __init__(self, rival: Rival) -> None:
        self._rival = rival
        self._games: list[RacedGame] = []  # that are over
        self._score, self._ticks, self._over = 0.0, 0, False
        self._open = False

    def began(self, rollout: Rollout) -> None:
        """A game has begun: the twin begins the same one."""
        self._take_down()
        self._score, self._ticks, self._over, self._open = 0.0, 0, False, True
        self._rival.begin(rollout.episode, rollout.episode_seed)

    def ticked(self, rollout: Rollout) -> None:
        """A tick was played: the twin may play up to it."""
        self._score, self._ticks = rollout.score, rollout.ticks
        self._over = rollout.phase is Phase.OVER
        self._rival.reach(rollout.ticks)

    def paused(self) -> None:
        """The game stands still, and so does the twin's."""

    def poll(self) -> bool:
        """Take in how far the twin is; returns whether there is anything new."""
        return self._rival.poll()

    def status(self) -> RaceStatus:
        """For the page."""
        rival, now = self._rival, self._rival.now
        result = self._present.sentence if self._over and rival.arrived else ""
        score, over = (0.0, False) if now is None else (now.score, now.over)
        return RaceStatus(rival.twin.title, rival.picture, score, over, rival.reason, result)

    def attributes(self, *, finished: bool) -> dict[str, Any]:
        """What the session gets besides: the twin, and once all is `finished` the scores; waits a moment for the twin
        to come to the end.
        """
        if finished:
            deadline = time.monotonic() + _PATIENCE_S
            while not self._rival.arrived and (left := deadline - time.monotonic()) > 0:
                self._rival.poll(left)
            self._take_down()
        return {RACE: race_attribute(self._rival.twin.title, self._rival.twin.path.stem, self._games)}

    @property
    def _present(self) -> RacedGame:
        now = self._rival.now
        if self._rival.lost or now is None or not self._rival.arrived:
            return RacedGame(self._score, None, False)
        return RacedGame(self._score, now.score, now.over)

    def _take_down(self) -> None:
        if self._open and self._ticks:
            self._games.append(self._present)
        self._open = False
