"""One take: a running recording, controlled by the Record page.

LiveRecording     a person at the keys: the game runs here, paced by the clock, one poll() per wake-up
WorkerRecording   a scripted expert: game, drawing and recording run in a separate process (drawing is slow)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recorder.agents.agent import KeyAgent, KeyEvent, describe
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.play.clock import LATE_NS, Pacer
from recorder.play.latency import LatencyMeter
from recorder.play.rollout import Phase, Rollout
from recorder.play.timing import FULL_SPEED, Tempo
from recorder.recording.headless import finished
from recorder.recording.take_limit import NO_LIMIT, TakeLimit
from recorder.store.session import Session
from recorder.store.session_writer import SessionWriter
from recorder.system.jobs import Service

Picture = npt.NDArray[np.uint8]
_MOST_TICKS_A_PICTURE = 25  # a fifth of a second of Hopper; a slower renderer slows the demonstration down


@dataclass(frozen=True)
class RecordingStatus:
    """What the page shows. `ticks` are recorded in this take, of which `late_ticks` came more than 8 ms late.

    `speed` is in percent of real time, `label` is the label of the current game. `trouble` is the reason why the take
    cannot be written at the moment; empty while it can. `actions_hz` and `presses_hz` are the recent numbers of actions
    recorded and keys pressed per second. `game_ticks` are those of the current game, without what was rewound;
    `undone_ticks` are all that rewinds took back in this take. `complete` says that the take's limit is reached.
    """

    picture: Picture
    score: float
    lives: int
    ticks: int
    games: int
    game_over: bool
    late_ticks: int
    speed: int = FULL_SPEED
    label: str = ""
    trouble: str = ""
    actions_hz: float = 0.0
    presses_hz: float = 0.0
    game_ticks: int = 0
    undone_ticks: int = 0
    complete: bool = False


class Recording(Protocol):
    """See the module's docstring."""

    status: RecordingStatus

    @property
    def speeds(self) -> tuple[int, ...]: ...
    @property
    def wait_ns(self) -> int | None: ...
    @property
    def torn(self) -> bool: ...
    def poll(self) -> bool: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def set_speed(self, percent: int) -> None: ...
    def advance(self) -> None: ...
    def rewind(self, seconds: float, keep: bool) -> int: ...
    def mark(self, label: str) -> None: ...
    def next_game(self) -> None: ...
    def shown(self, picture: Picture) -> None: ...
    def stop(self) -> Path | None: ...


class LiveRecording:
    """A person plays `game`; the caller polls at least once per tick, and more often for smooth pacing.

    It is paused until `resume`. The game belongs to the caller and is not closed. At full speed `hear` is called with
    the sound of every tick, as `Game.sound` returns it. Once `limit` is reached, no more ticks are played.

    Raises LibraryError if the library cannot be written. If writing fails later, the game is paused and
    `status.trouble` says why; nothing that was played is lost.
    """

    speeds = (25, 50, 75, FULL_SPEED)

    def __init__(
        self,
        game: Game,
        keys: KeyAgent,
        library: Path,
        *,
        seed: int,
        key_names: dict[int, str],
        limit: TakeLimit = NO_LIMIT,
        before_tick: Callable[[], None] = lambda: None,
        hear: Callable[[npt.NDArray[np.uint8]], None] | None = None,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._game = game
        self._hear = hear
        self._now = now
        self._limit = limit
        self._tempo = Tempo()
        self._keys = keys
        self._before_tick = before_tick
        self._writer = SessionWriter(
            library, self._game, describe(keys), seed=seed, key_names=key_names, real_time=True, now=now
        )
        self._latency = LatencyMeter()
        keys.on_key = self._key
        self._rollout = Rollout(
            self._game, keys, seed=seed, sink=self._writer, unattended=False, rewindable=True, now=now
        )
        self._pacer = Pacer(self._game.spec.rate_hz, now)
        self._rollout.begin()
        self._games = 1
        self._late = 0
        self._undone = 0
        self._running = False
        self._speed = FULL_SPEED
        self.status = self._look()

    @property
    def wait_ns(self) -> int | None:
        """Nanoseconds until the next tick is due; None while the game is paused."""
        return self._pacer.wait_ns() if self._running and self._plays else None

    @property
    def torn(self) -> bool:
        """Whether an error came between the game and what is written of it (see Rollout): the take cannot go on."""
        return self._rollout.torn

    def poll(self) -> bool:
        """Play the due ticks; returns whether there is anything new to show."""
        played = self._writer.trouble != self.status.trouble
        if self._writer.trouble:
            self._running = False
        while self._running and self._plays and self._pacer.due():
            self._before_tick()
            self._latency.tick(self._rollout.tick(self._pacer.due_ns, self._speed))
            self._late += self._pacer.lateness_ns > LATE_NS
            if self._hear is not None and self._speed == FULL_SPEED:
                self._hear(self._game.sound())
            played = True
        if played:
            self.status = self._look()
        return played

    def pause(self) -> None:
        """Stop the clock, and flush everything played to the disk."""
        self._running = False
        self._tempo.clear()
        self._latency.forget()
        self._writer.flush()

    def resume(self) -> None:
        """Continue."""
        self._running = True
        self._latency.forget()
        self._pacer.restart()

    def set_speed(self, percent: int) -> None:
        """Run at this share of real time from now on."""
        self._speed = percent
        self._pacer.set_rate(self._game.spec.rate_hz * percent / 100)
        self.status = self._look()

    def advance(self) -> None:
        """Play a single tick, independent of the clock."""
        if self._plays:
            self._before_tick()
            self._rollout.tick()
            self.status = self._look()

    def rewind(self, seconds: float, keep: bool) -> int:
        """Go back in this game, as `Rollout.rewind` describes; returns the number of ticks undone."""
        if self._rollout.phase is not Phase.PLAYING:
            return 0
        undone = self._rollout.rewind(round(seconds * self._game.spec.rate_hz), keep=keep)
        self._undone += 0 if keep else undone
        self._writer.flush()
        self.status = self._look()
        return undone

    def mark(self, label: str) -> None:
        """Label the current game, or the one that just ended."""
        self._writer.mark(label)
        self.status = self._look()

    def next_game(self) -> None:
        """After a game is over, start another in the same take."""
        self._rollout.begin()
        self._games += 1
        self.resume()
        self.status = self._look()

    def shown(self, picture: Picture) -> None:
        """This picture was handed over to the window system just now."""
        if picture is self.status.picture:
            self._latency.picture(self._now())

    def stop(self) -> Path | None:
        """Finish the session; None if nothing was played."""
        try:
            if not self._writer.ticks:
                self._writer.discard()
                return None
            return finished(self._rollout, self._writer, self._latency.latency).path
        finally:
            self._keys.on_key = None

    @property
    def _plays(self) -> bool:
        """Whether there is another tick to play in this game."""
        return self._rollout.phase is Phase.PLAYING and not self._complete

    @property
    def _complete(self) -> bool:
        games = self._games - (self._rollout.phase is Phase.PLAYING)
        return self._limit.reached(self._writer.ticks - self._undone, games, self._game.spec.rate_hz)

    def _key(self, event: KeyEvent) -> None:
        self._latency.key(event)
        self._writer.key(event)

    def _look(self) -> RecordingStatus:
        rollout = self._rollout
        actions_hz, presses_hz = self._tempo.add(self._now(), self._writer.ticks, self._keys.presses)
        return RecordingStatus(
            self._game.picture(),
            rollout.score,
            rollout.lives,
            self._writer.ticks,
            self._games,
            rollout.phase is Phase.OVER,
            self._late,
            self._speed,
            self._writer.label,
            self._writer.trouble,
            actions_hz,
            presses_hz,
            rollout.ticks,
            self._undone,
            self._complete,
        )


class RecordingWorker:
    """Runs in a separate process: plays, draws and records a scripted expert."""

    def __init__(self, env: str, library: str, seed: int, limit: str) -> None:
        self._limit = TakeLimit.read(limit)
        agent = scripted(env, seed)
        self._game = Game(get_spec(env), render=True)
        self._writer = SessionWriter(Path(library), self._game, describe(agent), seed=seed, real_time=True)
        self._rollout = Rollout(self._game, agent, seed=seed, sink=self._writer)
        self._rollout.begin()
        self._games = 1

    def advance(self, ticks: int) -> RecordingStatus:
        """Play some ticks, across the ends of games, up to the limit, and draw once. While writing fails, none are
        played.
        """
        for _ in range(0 if self._writer.trouble else ticks):
            if self._complete:
                break
            if self._rollout.phase is Phase.OVER:
                self._rollout.begin()
                self._games += 1
            self._rollout.tick()
        rollout = self._rollout
        picture, trouble = self._game.picture(), self._writer.trouble
        return RecordingStatus(
            picture,
            rollout.score,
            0,
            self._writer.ticks,
            self._games,
            False,
            0,
            trouble=trouble,
            complete=self._complete,
        )

    @property
    def _complete(self) -> bool:
        games = self._games - (self._rollout.phase is Phase.PLAYING)
        return self._limit.reached(self._writer.ticks, games, self._game.spec.rate_hz)

    def stop(self) -> str:
        """Finish the session and return its path."""
        path = finished(self._rollout, self._writer).path
        self._game.close()
        return str(path)


class WorkerRecording:
    """A scripted expert plays at the environment's rate or faster, as fast as it can be drawn."""

    speeds = (FULL_SPEED, 200, 400, 800)

    def __init__(
        self,
        env: str,
        library: Path,
        *,
        seed: int,
        limit: TakeLimit = NO_LIMIT,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        spec = get_spec(env)
        arguments = {"env": env, "library": str(library), "seed": seed, "limit": str(limit)}
        self._service = Service("recorder.recording.recordings:RecordingWorker", arguments)
        self._rate = spec.rate_hz
        self._speed = FULL_SPEED
        self._now = now
        self._asked = 0  # ticks asked for since the clock started
        self._since: int | None = None
        self._running = True
        self.status = RecordingStatus(np.zeros((400, 400, 3), np.uint8), 0.0, 0, 0, 1, False, 0)
        self._service.request("advance", 1)

    @property
    def wait_ns(self) -> int | None:
        """Always None: the expert's clock is in its own process."""
        return None

    @property
    def torn(self) -> bool:
        """False: an error in the worker ends it."""
        return False

    def poll(self) -> bool:
        """Collect a finished picture and ask for the next; returns whether there was one."""
        fresh = False
        for method, result in self._service.poll():
            if method == "advance":
                self.status, fresh = replace(result, speed=self._speed), True
        if self._running and not self._service.pending:
            now = self._now()
            if self._since is None:
                self._since, self._asked = now, 0
            due = int((now - self._since) * 1e-9 * self._rate * self._speed / 100) - self._asked
            most = _MOST_TICKS_A_PICTURE * self._speed // 100
            if due > most:  # too slow to draw at this speed: let the clock slip, show the truth
                self._since, self._asked, due = now, 0, most
                self._service.request("advance", due)
            elif due > 0:
                self._asked += due
                self._service.request("advance", due)
        return fresh

    def pause(self) -> None:
        """Stop asking for pictures."""
        self._running = False

    def resume(self) -> None:
        """Continue."""
        self._running, self._since = True, None

    def set_speed(self, percent: int) -> None:
        """Run at this share of real time from now on."""
        self._speed, self._since = percent, None
        self.status = replace(self.status, speed=percent)

    def advance(self) -> None:
        """Does nothing: an expert does not play single ticks."""

    def rewind(self, seconds: float, keep: bool) -> int:
        """Does nothing: an expert does not rewind."""
        return 0

    def mark(self, label: str) -> None:
        """Does nothing: an expert's games are not labelled while it plays."""

    def next_game(self) -> None:
        """Does nothing: the worker starts the next game by itself."""

    def shown(self, picture: Picture) -> None:
        """Does nothing: no key is pressed."""

    def stop(self) -> Path | None:
        """Finish the session."""
        try:
            path = Path(self._service.call("stop"))
            return path if len(Session.open(path)) else None
        finally:
            self._service.close()
