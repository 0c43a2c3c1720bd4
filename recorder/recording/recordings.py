"""One take: a running recording, controlled by the Record page.

LiveRecording     a person at the keys: the game runs here, paced by the clock, one poll() per wake-up
WorkerRecording   a scripted expert, in a process of its own (recorder.recording.worker_recording)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recorder.agents.agent import KeyAgent, KeyEvent, describe
from recorder.envs.game import Game
from recorder.errors import TwinplayError
from recorder.play.clock import LATE_NS, Pacer
from recorder.play.fork import Fork
from recorder.play.latency import LatencyMeter
from recorder.play.rollout import Phase, Rollout, Step, episode_seed
from recorder.play.timing import FULL_SPEED, Tempo
from recorder.recording.companions import Companion
from recorder.recording.headless import finished
from recorder.recording.take_limit import NO_LIMIT, TakeLimit
from recorder.store.session_writer import SessionWriter

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class RecordingStatus:
    """What the page shows. `ticks` are recorded in this take, of which `late_ticks` came more than 8 ms late.

    `speed` is in percent of real time, `label` is the label of the current game. `trouble` is the reason why the take
    cannot be written at the moment; empty while it can. `actions_hz` and `presses_hz` are the recent numbers of actions
    recorded and keys pressed per second. `game_ticks` are those of the current game, without what was rewound;
    `undone_ticks` are all that rewinds took back in this take. `complete` says that the take's limit is reached.
    `companion` is the status of a twin that plays along (recorder.recording.companions).
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
    companion: Any = None


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
    the sound of every tick, as `Game.sound` returns it. Once `limit` is reached, no more ticks are played. With
    `steps_hz` it plays so many ticks a second while something is held, and none otherwise: these have no due time. The
    first game plays on from a `fork`, if there is one. `companion` is who plays along.

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
        steps_hz: float = 0.0,
        companion: Companion | None = None,
        fork: Fork | None = None,
        before_tick: Callable[[], None] = lambda: None,
        hear: Callable[[npt.NDArray[np.uint8]], None] | None = None,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._game = game
        self._hear = hear
        self._now = now
        self._limit = limit
        self._steps_hz = steps_hz
        self._waiting = bool(steps_hz)
        self._tempo = Tempo()
        self._keys = keys
        self._companion = companion
        shared = None if companion is None else companion.shared
        self._before_tick = before_tick
        self._writer = SessionWriter(
            library,
            self._game,
            describe(shared or keys),
            seed=seed,
            key_names=key_names,
            steps_hz=steps_hz,
            real_time=True,
            shared=shared,
            hand_back_ticks=0 if companion is None else companion.hand_back_ticks,
            noted={} if companion is None else companion.attributes(finished=False),
            now=now,
        )
        self._latency = LatencyMeter()
        keys.on_key = self._key
        self._rollout = Rollout(
            self._game, shared or keys, seed=seed, sink=self._writer, unattended=False, rewindable=True, now=now
        )
        self._pacer = Pacer(self._steps_hz or self._game.spec.rate_hz, now)
        try:
            self._begin_game(fork)
        except TwinplayError:
            self._writer.discard()
            raise
        self._games = 1
        self._late = 0
        self._undone = 0
        self._running = False
        self._speed = FULL_SPEED
        self.status = self._look()

    @property
    def wait_ns(self) -> int | None:
        """Nanoseconds until the next tick is due; None while the game is paused, or waits for a key."""
        return self._pacer.wait_ns() if self._running and self._plays and not self._waiting else None

    @property
    def torn(self) -> bool:
        """Whether an error came between the game and what is written of it (see Rollout): the take cannot go on."""
        return self._rollout.torn

    def poll(self) -> bool:
        """Play the due ticks; returns whether there is anything new to show."""
        played = self._writer.trouble != self.status.trouble
        if self._writer.trouble:
            self._running = False
        while self._running and self._plays and (self._stepping() if self._steps_hz else self._pacer.due()):
            if self._steps_hz:
                self._rollout.tick()
            else:
                self._keep_time()
            played = True
        if self._companion is not None and self._companion.poll():
            played = True
        if played:
            self.status = self._look()
        return played

    def _keep_time(self) -> None:
        self._before_tick()
        self._latency.tick(self._play_tick(self._pacer.due_ns, self._speed))
        self._late += self._pacer.lateness_ns > LATE_NS
        if self._hear is not None and self._speed == FULL_SPEED:
            self._hear(self._game.sound())

    def _begin_game(self, fork: Fork | None = None) -> None:
        rollout, companion = self._rollout, self._companion
        if companion is not None and fork is None:
            fork = companion.start(self._game.spec, episode_seed(rollout.seed, rollout.episode + 1))
        rollout.begin(fork=fork)
        if companion is not None:
            companion.began(rollout, fork)

    def _play_tick(self, due_ns: int = 0, speed: int = 0) -> Step:
        step = self._rollout.tick(due_ns, speed)
        if self._companion is not None:
            self._companion.ticked(self._rollout)
        return step

    def _stepping(self) -> bool:
        """Whether a step is due: at once when something is pressed, and then at the rate of steps."""
        self._before_tick()
        waited, self._waiting = self._waiting, not self._keys.pressing
        if self._waiting:
            return False
        if waited:
            self._pacer.restart()
        return waited or self._pacer.due()

    def pause(self) -> None:
        """Stop the clock, and flush everything played to the disk."""
        self._running = False
        if self._companion is not None:
            self._companion.paused()
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
        self._pacer.set_rate((self._steps_hz or self._game.spec.rate_hz) * percent / 100)
        self.status = self._look()

    def advance(self) -> None:
        """Play a single tick, independent of the clock."""
        if self._plays:
            self._before_tick()
            self._play_tick()
            self.status = self._look()

    def rewind(self, seconds: float, keep: bool) -> int:
        """Go back in this game, as `Rollout.rewind` describes; returns the number of ticks undone."""
        companion = self._companion
        if self._rollout.phase is not Phase.PLAYING or (companion is not None and not companion.rewindable):
            return 0
        undone = self._rollout.rewind(round(seconds * self._game.spec.rate_hz), keep=keep)
        self._undone += 0 if keep else undone
        if companion is not None:
            companion.began(self._rollout)
        self._writer.flush()
        self.status = self._look()
        return undone

    def mark(self, label: str) -> None:
        """Label the current game, or the one that just ended."""
        self._writer.mark(label)
        self.status = self._look()

    def next_game(self) -> None:
        """After a game is over, start another in the same take."""
        self._begin_game()
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
            if self._companion is not None:
                self._writer.note(self._companion.attributes(finished=True))
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
            None if self._companion is None else self._companion.status(),
        )
