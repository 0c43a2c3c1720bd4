"""A recording in which something goes wrong on purpose, for the tests of reviews."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recorder import Session, get_spec
from recorder.agents.agent import KeyEvent
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from recorder.play.rollout import Phase, Rollout
from recorder.store.session_writer import SessionWriter

NOOP, LEFT = 0, 3
TICK_NS = 1_000_000_000 // 60
A_KEY = 65
IDLE, STUCK, LATE = range(900, 3_000), range(3_300, 4_800), range(5_000, 5_030)
PRESSED, RELEASED = (IDLE.start + 60, STUCK.start, STUCK.stop), (IDLE.start + 70, STUCK.stop + 10)
TICKS = (5_400, 400, 960)  # of the three games


class Careless:
    """Plays like a person, but goes away, leans on a key, does nothing in the second game, and repeats the first."""

    def __init__(self) -> None:
        self._player = scripted("breakout", 3, style="person")
        self._game, self._tick = -1, 0
        self._first: list[Any] = []

    def reset(self, env: Any = None) -> None:
        self._game, self._tick = self._game + 1, 0
        self._player.reset(env)

    def act(self, observation: Any) -> Any:
        tick, self._tick = self._tick, self._tick + 1
        if self._game == 1:
            return NOOP
        if self._game == 2:
            return self._first[tick - 60] if tick >= 60 else NOOP
        action = self._player.act(observation)
        action = NOOP if tick in IDLE else LEFT if tick in STUCK else action
        self._first.append(action)
        return action


def record_careless(library: Path) -> Session:
    """A session of three games with a bit of everything, on a clock that is late once."""
    now = 0
    with Game(get_spec("breakout")) as game:
        player = {"kind": "person", "name": "Ada"}
        writer = SessionWriter(library, game, player, key_names={A_KEY: "A"}, now=lambda: now)
        rollout = Rollout(game, Careless(), sink=writer, unattended=False, now=lambda: now)
        for number, ticks in enumerate(TICKS):
            rollout.begin()
            for tick in range(ticks):
                if rollout.phase is not Phase.PLAYING:
                    break
                now += TICK_NS
                due_ns = now
                if number == 0 and tick in LATE:
                    now += 9_000_000
                if number == 0 and tick in PRESSED:
                    writer.key(KeyEvent(now, A_KEY, True))
                if number == 0 and tick in RELEASED:
                    writer.key(KeyEvent(now, A_KEY, False))
                rollout.tick(due_ns, 100)
                now = due_ns
            rollout.end()
        writer.close()
    return Session.open(writer.path)
