"""What the Watch page knows and does, without Qt.

              open()            first picture          toggle()
    EMPTY ─────────▶ OPENING ─────────▶ PAUSED ◀──────────────▶ PLAYING
      any error ──▶ FAILED                 ▲      restart()        │ every side is over
                                           └──────── OVER ◀────────┘

The duel runs in a separate process (player.watch.duel_process). Only one request is open at a time, and it asks for as
many ticks as are due by the clock, so that a slow machine shows fewer frames at the same speed instead of falling
behind. Comparing the clone with the recording (player.watch.clone_comparison), exporting and scoring are background
jobs, each in a process of low priority.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from player.watch.background import BackgroundJob
from player.watch.clone_comparison import CloneComparison, moment_of
from player.watch.duel_process import DuelProcess
from player.watch.frames import DuelFrame
from player.watch.pairing import Pairing
from recorder.errors import TwinplayError
from recorder.library.library import Library
from recorder.system.jobs import Service, ServiceLike
from trainer.evaluation.agreement import Disagreement

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_CATCH_UP_TICKS = 30  # thought about in one go: about 20 ms
_MAX_DEBT_S = 0.25  # further behind than this, the game slows down rather than jumps


class WatchState(Enum):
    """Drawn in the module's docstring."""

    EMPTY = "empty"
    OPENING = "opening"
    PAUSED = "paused"
    PLAYING = "playing"
    OVER = "over"
    FAILED = "failed"


_OPEN = (WatchState.PAUSED, WatchState.PLAYING, WatchState.OVER)


class WatchPresenter:
    """See the module's docstring. `now` is a monotonic clock in seconds.

    `pair` is what is chosen, `comparison` compares clone and recording; `filming` and `scoring` are background jobs.
    """

    def __init__(
        self,
        library: Library,
        *,
        start_service: Callable[[], ServiceLike] = lambda: Service("player.watch.duel:DuelWorker", {}),
        start_background: Callable[..., BackgroundJob] = BackgroundJob,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pair = Pairing(library)
        self.state = WatchState.EMPTY
        self.frame: DuelFrame | None = None
        self.error = ""
        self.speed, self.looking = 1.0, False
        self.comparison = CloneComparison(start_background)
        self.filming = start_background("player.film.film:filming", cleans_up=True)
        self.scoring = start_background("player.watch.background:scoring")
        self._process = DuelProcess(start_service)
        self._now = now
        self._debt = self._last = 0.0
        self._begin_at: int | None = 0  # once it is open: the tick to go to, or None to play
        self._wanted: int | None = None  # the tick to go to, once the answer under way has come
        self._going: int | None = None  # the tick that the answer under way goes to

    def refresh(self) -> None:
        """Read the library again; choices are kept if they still exist."""
        before = self._chosen
        self.pair.refresh()
        if self.pair.error:
            self._retire()
            self.open()  # which tells it
        elif before != self._chosen and self.state is not WatchState.EMPTY:
            self.open(at=0 if self.frame is None else self._here)  # renamed, or back again

    @property
    def _chosen(self) -> tuple[Path | None, ...]:
        return self.pair.session, self.pair.policy, self.pair.against

    def open(self, *, play: bool = False, at: int = 0) -> None:
        """Show the chosen pair from its start, or `at` a tick; with `play`, play at once."""
        pair = self.pair
        self.error, self.frame = "", None
        self.comparison.reset()
        if not self.scoring.running:
            self.scoring.cancel()  # what it found was of those shown before
        if pair.error:
            self._fail(pair.error)
            return
        if not pair.chosen:
            self.state = WatchState.EMPTY
            return
        self.state = WatchState.OPENING
        self._begin_at = None if play else at
        session, policy, against = (
            None if path is None else str(path) for path in (pair.session, pair.policy, pair.against)
        )
        self._ask("open", session, policy, pair.game, 0, against, self.looking, pair.alike)

    def toggle(self) -> None:
        """Play or pause; after the end, start again."""
        if self.state is WatchState.PLAYING:
            self.state = WatchState.PAUSED
            if self.looking:
                self._ask("look", True)  # at this very moment, not at one a little ago
        elif self.state is WatchState.PAUSED:
            self._play()
        elif self.state is WatchState.OVER:
            self.restart()
        elif self.state is WatchState.FAILED:
            self.open(play=True)

    def restart(self) -> None:
        """Back to the first tick, and play."""
        if self.state in _OPEN:
            self._ask("restart")
            self._play()

    def play_on(self, tick: int) -> None:
        """Let the clone on the right play on from a tick of the recorded game; 0: from the start."""
        if self.state in _OPEN:
            self.state = WatchState.PAUSED
            self._ask("play_on", tick)

    def look(self, wanted: bool) -> None:
        """Show or hide what the clone looks at."""
        self.looking = wanted
        if self.state in _OPEN:
            self._ask("look", wanted)

    def seek(self, tick: int) -> None:
        """Go to a tick and pause there; of several calls in a row only the last one counts."""
        if self.state in _OPEN:
            self.state = WatchState.PAUSED
            self._wanted = tick
            self._fulfil()

    def step(self, ticks: int) -> None:
        """Move by some ticks, forward or back."""
        if self.frame is not None:
            self.seek(max(0, self._here + ticks))

    def seek_disagreement(self, steps: int) -> Disagreement | None:
        """Go to the next disagreement between clone and recording, or to the previous one."""
        if self.frame is None:
            return None
        found = self.comparison.neighbour(self._here, steps)
        if found is not None:
            self.seek(moment_of(found))
        return found

    def faster(self, steps: int = 1) -> None:
        """Choose the next higher speed, or a lower one for negative `steps`."""
        index = min(max(SPEEDS.index(self.speed) + steps, 0), len(SPEEDS) - 1)
        self.set_speed(SPEEDS[index])

    def set_speed(self, speed: float) -> None:
        """Play at one of SPEEDS times the environment's own rate."""
        if speed not in SPEEDS:
            raise ValueError(f"speed {speed} is not one of {SPEEDS}")
        self._accrue()
        self.speed = speed

    def export(self, path: Path, *, start: float = 0.0, seconds: float | None = None) -> None:
        """Export the duel as MP4 or GIF, from `start` for `seconds` of play (None: to the end)."""
        pair = self.pair
        session, policy, against = (
            None if each is None else str(each) for each in (pair.session, pair.policy, pair.against)
        )
        self.filming.start(
            path=str(path),
            session=session,
            policy=policy,
            against=against,
            game=pair.game,
            alike=pair.alike,
            start=start,
            seconds=seconds,
        )

    @property
    def can_score(self) -> bool:
        """Whether there is a clone to score."""
        return self.pair.policy is not None or self.pair.against is not None

    def score(self, episodes: int, seed: int = 0) -> None:
        """Let the clones, the recorded player and a random player play `episodes` games each."""
        policies = [str(path) for path in (self.pair.policy, self.pair.against) if path is not None]
        session = None if self.pair.session is None else str(self.pair.session)
        self.scoring.start(policies=policies, session=session, episodes=episodes, seed=seed, alike=self.pair.alike)

    @property
    def busy(self) -> bool:
        """Whether `poll` is about to bring something."""
        behind = self.frame is not None and self.frame.behind > 0
        duel = self._process.awaiting or self._wanted is not None or behind or self.state is WatchState.PLAYING
        return duel or self.comparison.job.running

    def poll(self) -> bool:
        """Read new answers and send the next request; call it often. Returns whether there is anything new."""
        fresh = self.comparison.poll(self.pair)
        if not self._process.running:
            return fresh
        before = self.state
        try:
            fresh |= self._collect()
            self._fulfil()
            if self.frame is not None and self.frame.behind and not self._process.awaiting:
                self._ask("catch_up", _CATCH_UP_TICKS)
            elif self.state is WatchState.PLAYING:
                self._advance()
        except TwinplayError as error:
            self._fail(str(error))
            self._retire()
            return True
        return fresh or self.state is not before

    def close(self) -> None:
        """Stop everything, and wait for the workers to end."""
        self._retire()
        for job in (self.comparison, self.filming, self.scoring):
            job.close()
        self._process.close()
        self.state, self.frame = WatchState.EMPTY, None

    @property
    def _here(self) -> int:
        """The tick that is shown or requested."""
        assert self.frame is not None
        return next((tick for tick in (self._wanted, self._going) if tick is not None), self.frame.tick)

    def _collect(self) -> bool:
        fresh = False
        for frame in self._process.answers():
            self._going = None
            self.frame, fresh = frame, True
            if self.state is WatchState.OPENING:
                self.state = WatchState.PAUSED
                self.comparison.begin(self.pair)
                if self._begin_at is None:
                    self._play()
                elif self._begin_at:
                    self.seek(self._begin_at)
            if frame.done and self.state is WatchState.PLAYING:
                self.state = WatchState.OVER
        return fresh

    def _fulfil(self) -> None:
        if self._wanted is not None and not self._process.awaiting:
            tick, self._wanted = self._wanted, None
            self._ask("seek", tick)
            self._going = tick

    def _play(self) -> None:
        self.state = WatchState.PLAYING
        self._debt, self._last = 0.0, self._now()

    def _accrue(self) -> None:
        now = self._now()
        if self.frame is not None and self.state is WatchState.PLAYING:
            rate = self.frame.rate_hz * self.speed
            self._debt = min(self._debt + (now - self._last) * rate, rate * _MAX_DEBT_S)
        self._last = now

    def _advance(self) -> None:
        self._accrue()
        due = int(self._debt)
        if due and not self._process.awaiting:
            self._debt -= due
            self._ask("tick", due)

    def _ask(self, method: str, *args: Any) -> None:
        self._process.start()
        self._going = None
        try:
            self._process.ask(method, *args)
        except TwinplayError as error:
            self._fail(str(error))
            self._retire()

    def _fail(self, sentence: str) -> None:
        self.state, self.error = WatchState.FAILED, sentence

    def _retire(self) -> None:
        self._process.retire()
        self._wanted = self._going = None
