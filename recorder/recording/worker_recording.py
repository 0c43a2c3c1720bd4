"""A take that a scripted expert plays: game, drawing and recording run in a separate process, because drawing is slow.

WorkerRecording ──advance(ticks)──▶ RecordingWorker ──RecordingStatus──▶ WorkerRecording
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from recorder.agents.agent import describe
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.play.rollout import Phase, Rollout
from recorder.play.timing import FULL_SPEED
from recorder.recording.headless import finished
from recorder.recording.recordings import Picture, RecordingStatus
from recorder.recording.take_limit import NO_LIMIT, TakeLimit
from recorder.store.session import Session
from recorder.store.session_writer import SessionWriter
from recorder.system.jobs import Service

_MOST_TICKS_A_PICTURE = 25  # a fifth of a second of Hopper; a slower renderer slows the demonstration down


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
        self._service = Service("recorder.recording.worker_recording:RecordingWorker", arguments)
        self._rate = spec.rate_hz
        self._speed = FULL_SPEED
        self._now = now
        self._asked = 0  # ticks asked for since the clock started
        self._since: int | None = None
        self._running = True
        self.status = RecordingStatus(np.zeros((1, 1, 3), np.uint8), 0.0, 0, 0, 1, False, 0)  # black until it is drawn
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
