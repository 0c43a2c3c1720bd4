"""One short take whose every run makes the same calls in the same order.

The clock of the take is its own: a sixtieth of a second passes with every tick. The writer's thread is real, but the
game waits after each command until the thread has dealt with it, as if the computer were fast.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from recorder import RandomAgent, Session
from recorder.agents.agent import Agent, KeyEvent, describe
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from recorder.library import verify
from recorder.library.verify import Certificate
from recorder.play.rollout import Phase, Rollout
from recorder.store import writer_thread
from recorder.store.session_writer import SessionWriter

SECOND_NS = 1_000_000_000
# Ticks to play; a rewind by so many ticks; the end of a game, after which the next begins.
SCRIPTS: dict[str, tuple[tuple[str, int], ...]] = {
    "breakout": (("play", 45), ("rewind", 20), ("play", 30), ("end", 0), ("play", 45)),
    "hopper": (("play", 20), ("rewind", 7), ("play", 35)),  # its games end by themselves, several times
}


@dataclass
class Played:
    """What the player saw of a take: when each tick was played, in nanoseconds of the take's clock."""

    times_ns: list[int] = field(default_factory=list)
    now_ns: int = SECOND_NS

    def now(self) -> int:
        """The take's clock."""
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ns += round(seconds * SECOND_NS)


class _Queue:
    """A SimpleQueue that its maker fills, waiting each time until its reader has dealt with what is in it."""

    def __init__(self, played: Played) -> None:
        self._played, self._heard_ns = played, played.now_ns
        self._items: deque[Any] = deque()
        self._changed = threading.Condition()
        self._maker = threading.current_thread()
        self._reader: threading.Thread | None = None
        self._waiting = False  # the reader has nothing left to do
        self._timeout, self._timed_out = 0.0, False

    def put(self, item: Any) -> None:
        with self._changed:
            self._items.append(item)
            self._wait()

    def pass_time(self) -> None:
        """Let the reader know if it has waited for long enough."""
        with self._changed:
            waited_ns = self._played.now_ns - self._heard_ns
            if self._reader is not None and self._reader.is_alive() and waited_ns >= self._timeout * SECOND_NS:
                self._timed_out = True
                self._wait()

    def _wait(self) -> None:
        self._heard_ns = self._played.now_ns
        self._waiting = False
        self._changed.notify_all()
        while threading.current_thread() is self._maker and not self._waiting:
            if self._reader is not None and not self._reader.is_alive():
                return
            self._changed.wait(0.001)

    def get(self, timeout: float) -> Any:
        with self._changed:
            self._reader, self._timeout = threading.current_thread(), timeout
            while not self._items:
                if self._timed_out:
                    self._timed_out = False
                    raise queue.Empty
                self._waiting = True
                self._changed.notify_all()
                self._changed.wait()
            return self._items.popleft()

    def get_nowait(self) -> Any:
        if not self._items:
            raise queue.Empty
        return self._items.popleft()

    def qsize(self) -> int:
        return len(self._items)

    def empty(self) -> bool:
        return not self._items


@contextmanager
def in_step(played: Played) -> Iterator[list[_Queue]]:
    """Meanwhile, writers keep in step with their games, and their clock is that of the take; yields their queues."""
    queues: list[_Queue] = []

    def new_queue() -> _Queue:
        queues.append(_Queue(played))
        return queues[-1]

    clock = SimpleNamespace(monotonic=lambda: played.now_ns / SECOND_NS, sleep=played.sleep)
    with (
        patch.object(writer_thread, "queue", SimpleNamespace(SimpleQueue=new_queue, Empty=queue.Empty)),
        patch.object(writer_thread, "time", clock),
    ):
        yield queues


def player(game: Game) -> Agent:
    """Who plays."""
    return scripted("breakout", seed=3) if game.spec.name == "breakout" else RandomAgent(game.spec, 3)


def verified(session: Session, game: Game) -> Certificate:
    """Verify a session with a game that is there already: to start one takes longer than to play the session."""
    with patch.object(verify, "Game", lambda *_, **how: nullcontext(game)):
        return verify.verify(session)


def play(library: Path, game: Game, played: Played, *, real_time: bool) -> None:
    """Record the game's script into `library`. Raises what a recording raises; `played` is right until then.

    In real time the game waits while there is trouble, as the Record page does; the player gives up after a second.
    """
    with in_step(played) as queues:
        agent = player(game)
        writer = SessionWriter(library, game, describe(agent), seed=1, real_time=real_time, now=played.now)
        rollout = Rollout(game, agent, seed=1, sink=writer, unattended=False, rewindable=True, now=played.now)
        try:
            for _ in _acts(rollout, writer, played):
                _pass_time(queues)
                for _ in range(4 if writer.trouble else 0):
                    played.sleep(0.25)
                    _pass_time(queues)
                if writer.trouble:
                    break
        finally:
            rollout.end()
            writer.close()


def _pass_time(queues: list[_Queue]) -> None:
    for each in queues:
        each.pass_time()


def _acts(rollout: Rollout, writer: SessionWriter, played: Played) -> Iterator[None]:
    """The script, tick by tick."""
    for act, ticks in SCRIPTS[rollout.game.spec.name]:
        if act == "end":
            rollout.end()
        elif act == "rewind" and rollout.phase is Phase.PLAYING:
            rollout.rewind(ticks)
            writer.mark("success")
        for _ in range(ticks if act == "play" else 0):
            if rollout.phase is not Phase.PLAYING:
                rollout.begin()
            played.sleep(1 / 60)
            if len(played.times_ns) % 10 == 0:
                writer.key(KeyEvent(played.now_ns, 1, True))
            played.times_ns.append(played.now_ns)
            rollout.tick(played.now_ns, 100)
            yield
        yield
