"""A race against a twin: the same game from the same start, on the person's clock, each in a game of its own.

    LiveRecording ──began, ticked──▶ Race ──▶ Rival ──begin(), play()──▶ its process: game, clone and picture
                                              now ◀────────────────────── how far it is, its score, its picture

The twin plays up to the person's tick, as soon as its process comes to it, so the person never waits. Each game has
a start of its own: the moves of a varied one (recorder.envs.game), which are stored as the lead-in of a fork.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recorder.agents.shared_control import SharedControl
from recorder.envs.backend import Array
from recorder.envs.spec import EnvSpec
from recorder.play.fork import Fork, fork_of_play
from recorder.play.rollout import Phase, Rollout
from recorder.recording.remote_twin import RemoteTwin, Twin
from recorder.store.races import RACE, RacedGame, RaceRecord, race_attribute
from recorder.system.jobs import SharedRows

_ROWS = 4  # pictures: one is shown, and three may be asked for
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
    """The twin in its process."""

    def __init__(self, twin: Twin, worker: str, picture_shape: Sequence[int]) -> None:
        shared = SharedRows(_ROWS, picture_shape, "uint8")
        super().__init__(twin, worker, {"pictures": shared, "seed": time.time_ns() & 0x7FFFFFFF})
        self._pictures = shared.rows
        self._known: dict[int, RivalMoment] = {}  # the latest of each game
        self._game, self._goal = -1, 0
        self._asked = 0
        self._row = 0
        self._shown: int | None = None  # the row of the newest picture

    @property
    def now(self) -> RivalMoment | None:
        """The latest moment of its game."""
        return self._known.get(self._game)

    def at(self, game: int, tick: int) -> RivalMoment | None:
        """How it stood in a game at the tick which it was to reach, or at the end of its game; None if not known."""
        moment = self._known.get(game)
        return moment if moment is not None and (moment.over or moment.ticks >= tick) else None

    @property
    def picture(self) -> npt.NDArray[np.uint8] | None:
        """The newest picture of its games, uint8 RGB; None before the first one."""
        return None if self._shown is None else self._pictures[self._shown]

    def begin(self, seed: int, lead_in: Array | Sequence[Any] = ()) -> int:
        """Start a game from this seed, after the actions of a lead-in; returns its number, which no other game has."""
        if not self.arrived:
            self._ask("finish", self._goal)
        self._game, self._goal = self._game + 1, 0
        self._ask("begin", self._game, seed, lead_in)
        return self._game

    def reach(self, tick: int) -> None:
        """Play up to this tick."""
        self._goal = tick
        self._go_on()

    @property
    def arrived(self) -> bool:
        """Whether its game is over, or at the tick that it is to reach; or it is lost."""
        return self.lost or self._game < 0 or self.at(self._game, self._goal) is not None

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
        self._known[moment.game], self._shown = moment, moment.row
        self._go_on()


@dataclass(frozen=True)
class RaceStatus:
    """A race as it stands. `picture` is that of the twin's game, uint8 RGB. `caught_up`: the twin is at the tick of the
    person, or at the end of its game. `result` is a sentence once both are at the end of the person's game.

    Of a series, `standing` is a sentence, and `won` are the games that the person and the twin have won. It is
    `settled` once somebody has won it, or the twin is lost.
    """

    twin: str
    picture: npt.NDArray[np.uint8] | None
    score: float
    over: bool
    lost: str
    caught_up: bool
    result: str
    standing: str = ""
    won: tuple[int, int] = (0, 0)
    settled: bool = False


@dataclass
class _Played:
    """What the person has played of a game, by the number that it has for the twin."""

    game: int
    score: float = 0.0
    ticks: int = 0
    over: bool = False


class Race:
    """A Companion that plays in a game of its own. With `best_of`, the games of the take are a series."""

    shared: SharedControl | None = None
    hand_back_ticks = 0
    rewindable = False

    def __init__(self, rival: Rival, best_of: int = 0) -> None:
        self._rival, self._best_of = rival, best_of
        self._games: list[_Played] = []

    def start(self, spec: EnvSpec, seed: int) -> Fork | None:
        """The varied start that this seed draws; None where all games begin alike, or the simulator draws the start."""
        return fork_of_play(spec, seed, (), 0, self._rival.twin.path.stem, varied=True) if spec.start_noops else None

    def began(self, rollout: Rollout, fork: Fork | None = None) -> None:
        """A game has begun: the twin begins the same one."""
        number = self._rival.begin(rollout.episode_seed, () if fork is None else fork.actions)
        self._games.append(_Played(number))

    def ticked(self, rollout: Rollout) -> None:
        """A tick was played: the twin may play up to it."""
        number = self._games[-1].game
        self._games[-1] = _Played(number, rollout.score, rollout.ticks, rollout.phase is Phase.OVER)
        self._rival.reach(rollout.ticks)

    def paused(self) -> None:
        """The game stands still, and so does the twin's."""

    def poll(self) -> bool:
        """Take in how far the twin is; returns whether there is anything new."""
        return self._rival.poll()

    def status(self) -> RaceStatus:
        """For the page."""
        rival, now, played = self._rival, self._rival.now, self._games[-1]
        result = self._raced(played).sentence if played.over and rival.arrived else ""
        score, over = (0.0, False) if now is None else (now.score, now.over)
        record = self._record([each for each in self._games if each.over])
        return RaceStatus(
            rival.twin.title,
            rival.picture,
            score,
            over,
            rival.reason,
            rival.arrived,
            result,
            record.standing,
            record.won,
            bool(self._best_of) and (record.decided or rival.lost),
        )

    def attributes(self, *, finished: bool) -> dict[str, Any]:
        """What the session gets besides: the twin, and once all is `finished` the scores; waits a moment for the twin
        to come to the end.
        """
        deadline = time.monotonic() + (_PATIENCE_S if finished else 0.0)
        while not self._rival.arrived and (left := deadline - time.monotonic()) > 0:
            self._rival.poll(left)
        return {RACE: race_attribute(self._record([each for each in self._games if each.ticks] if finished else ()))}

    def _record(self, games: Sequence[_Played]) -> RaceRecord:
        twin = self._rival.twin
        return RaceRecord(twin.title, twin.path.stem, tuple(map(self._raced, games)), self._best_of, twin.created)

    def _raced(self, played: _Played) -> RacedGame:
        moment = self._rival.at(played.game, played.ticks)
        if moment is None:
            return RacedGame(played.score, None, False, played.over)
        return RacedGame(played.score, moment.score, moment.over, played.over)
