"""What can be learned from the games of a session; read in a thread, because only their actions tell it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recorder.envs.registry import other_simulator
from recorder.errors import TwinplayError
from recorder.store.session import Session
from recorder.system.jobs import start_thread


@dataclass(frozen=True)
class GameFacts:
    """What can be learned from one game: `counts` are the ticks of each action; none where actions are continuous."""

    number: int
    ticks: int
    minutes: float
    score: float
    outcome: str
    label: str
    excluded: bool
    counts: tuple[int, ...]


@dataclass(frozen=True)
class SessionFacts:
    """The games of a session; none, and a `problem`, when it cannot be read.

    `simulator` tells of one that is not the installed one.
    """

    games: tuple[GameFacts, ...] = ()
    problem: str = ""
    simulator: str = ""


def read_facts(path: Path) -> SessionFacts:
    """Read a session's games and actions; never raises for a damaged one."""
    try:
        session = Session.open(path)
        actions = len(session.spec.action_names) if session.spec.discrete else 0
        found = []
        for game in session.recorded_games:
            taken = np.zeros(actions, np.int64)
            parts = [part for episode in game.segments for part in session.to_learn(episode)]
            for part in parts if actions else ():
                taken += np.bincount(session.actions[part.start : part.stop], minlength=actions)[:actions]
            found.append(
                GameFacts(
                    game.number,
                    sum(map(len, parts)),
                    sum(map(len, parts)) / session.spec.rate_hz / 60,
                    game.score,
                    game.outcome,
                    game.label,
                    not parts,
                    tuple(taken.tolist()),
                )
            )
        return SessionFacts(tuple(found), simulator=other_simulator([session.spec]))
    except (TwinplayError, ValueError) as error:
        return SessionFacts(problem=str(error))


class FactsReader:
    """Reads facts in a thread of its own; `want` asks for them, `take` gives what has been read since."""

    def __init__(self, read: Callable[[Path], SessionFacts] = read_facts) -> None:
        self._read = read
        self._wanted: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._found: queue.SimpleQueue[tuple[Path, SessionFacts]] = queue.SimpleQueue()
        self._asked: set[Path] = set()
        self._open = 0
        self._thread = start_thread(self._work, "session-facts")

    @property
    def busy(self) -> bool:
        """Whether something that was wanted has not been taken."""
        return self._open > 0

    def want(self, path: Path) -> None:
        """Ask for a session's facts, once."""
        if path not in self._asked:
            self._asked.add(path)
            self._open += 1
            self._wanted.put(path)

    def forget(self) -> None:
        """What is wanted from now on is read anew: exclusions and labels may have changed."""
        self._asked.clear()

    def take(self) -> dict[Path, SessionFacts]:
        """What has been read since the last time."""
        found = {}
        while not self._found.empty():
            path, facts = self._found.get()
            found[path] = facts
            self._open -= 1
        return found

    def close(self) -> None:
        """End the thread, after the session that it reads."""
        while not self._wanted.empty():
            self._wanted.get()
        self._wanted.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (path := self._wanted.get()) is not None:
            self._found.put((path, self._read(path)))
