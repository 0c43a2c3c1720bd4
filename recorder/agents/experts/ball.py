"""What scripted players share who meet a ball with a paddle: they read where both are from the emulator's memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recorder.errors import AgentError

if TYPE_CHECKING:
    from recorder.envs.gymnasium import Env

NOOP, FIRE, RIGHT, LEFT = range(4)
# The direction of the ball is computed from a straight stretch of its path of up to this many ticks.
GLIMPSE_TICKS = 30


class BallPlayer(ABC):
    """A player that reads the emulator's memory: one act() per tick at 60 Hz, without frame skip.

    `ball_x`, `ball_y` and `paddle` are addresses in the memory of `game`.
    """

    kind = "scripted"
    name: str
    game: str
    ball_x: int
    ball_y: int
    paddle: int

    def __init__(self, seed: int, delay: tuple[int, int]) -> None:
        """`delay` is a range of ticks: how old the ball's position is that it acts on."""
        self.delay = delay
        self._rng = np.random.default_rng(seed)
        self._seen: deque[tuple[int, int]] = deque(maxlen=delay[1] + GLIMPSE_TICKS)
        self._ram: Callable[[], Any] | None = None
        self._begin()

    def reset(self, env: Env | None = None) -> None:
        """Read this environment's emulator from now on. Raises AgentError without an Atari environment."""
        emulator = getattr(env.unwrapped, "ale", None) if env is not None else None
        if emulator is None:
            raise AgentError(
                f"the scripted {self.game} player reads the emulator's memory; reset it with a {self.game} game"
            )
        self._ram = emulator.getRAM
        self._seen.clear()
        self._begin()

    def act(self, observation: Any = None) -> int:
        """The action for this tick: 0 NOOP, 1 FIRE, 2 RIGHT, 3 LEFT. The observation is not used."""
        if self._ram is None:
            raise AgentError(f"the scripted {self.game} player must be reset with a game first")
        ram = self._ram()
        self._seen.append((int(ram[self.ball_x]), int(ram[self.ball_y])))
        return self._play(int(ram[self.paddle]))

    def describe(self) -> dict[str, Any]:
        """The player as sessions store it; `recorder.agents.experts.from_description` builds it again."""
        return {"kind": self.kind, "name": self.name, "params": self._params()}

    @abstractmethod
    def _begin(self) -> None:
        """Reset for a new game."""

    @abstractmethod
    def _play(self, paddle: int) -> int:
        """The action for this tick, whose ball position has been stored in `_seen`."""

    @abstractmethod
    def _params(self) -> dict[str, Any]:
        """The constructor's arguments, without the seed."""

    def _path(self, lag: int) -> list[tuple[int, int]]:
        """The ball's path, up to `lag` ticks ago."""
        return list(self._seen)[: max(0, len(self._seen) - lag)]

    def _draw(self, ticks: tuple[int, int]) -> int:
        return int(self._rng.integers(ticks[0], ticks[1] + 1))


def ticks_between(name: str, value: int | Sequence[int]) -> tuple[int, int]:
    """A number of ticks, or a range of them, as a range. Raises ValueError outside 0 to 600."""
    low, high = (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))
    if not 0 <= low <= high <= 600:
        raise ValueError(f"{name} is {value}; expected ticks, or (fewest, most), between 0 and 600")
    return low, high


def velocity(path: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """The ball's velocity at the end of its path, in pixels a tick: the mean over its last straight stretch.

    The ball moves by whole pixels, so a single step is inexact. The stretch extends back while each step is within one
    and a half pixels of the mean; at a bounce it is not.
    """
    x, y = path[-1]
    mean = (0.0, 0.0)
    for ticks in range(1, len(path)):
        (older_x, older_y), (newer_x, newer_y) = path[-1 - ticks], path[-ticks]
        step_x, step_y = newer_x - older_x, newer_y - older_y
        if older_y == 0 or (ticks > 1 and max(abs(step_x - mean[0]), abs(step_y - mean[1])) > 1.5):
            break
        mean = ((x - older_x) / ticks, (y - older_y) / ticks)
    return mean
