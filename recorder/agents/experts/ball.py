"""What scripted players share who meet a ball with a paddle: they read where both are from the console's memory."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Any

from recorder.agents.experts.console import ConsolePlayer, Memory

NOOP, FIRE, RIGHT, LEFT = range(4)
# The direction of the ball is computed from a straight stretch of its path of up to this many ticks.
GLIMPSE_TICKS = 30


class BallPlayer(ConsolePlayer):
    """A player that reads where the ball and its paddle are.

    `ball_x`, `ball_y` and `paddle` are addresses in the memory of `game`.
    """

    ball_x: int
    ball_y: int
    paddle: int

    def __init__(self, seed: int, delay: tuple[int, int]) -> None:
        """`delay` is a range of ticks: how old the ball's position is that it acts on."""
        self.delay = delay
        self._seen: deque[tuple[int, int]] = deque(maxlen=delay[1] + GLIMPSE_TICKS)
        super().__init__(seed)

    def _begin(self) -> None:
        self._seen.clear()

    def _play(self, memory: Memory, screen: Any) -> int:
        self._seen.append((memory[self.ball_x], memory[self.ball_y]))
        return self._follow(memory[self.paddle])

    @abstractmethod
    def _follow(self, paddle: int) -> int:
        """The action for this tick, whose ball position has been stored in `_seen`: one of the four above."""

    def _path(self, lag: int) -> list[tuple[int, int]]:
        """The ball's path, up to `lag` ticks ago."""
        return list(self._seen)[: max(0, len(self._seen) - lag)]


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
