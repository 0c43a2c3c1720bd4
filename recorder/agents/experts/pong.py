"""A scripted player of Pong, who follows the ball with its paddle as a person does, a little late and not exactly.

It wins: over 18,000 ticks (five minutes) it scores more than the computer's paddle in nearly every game.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recorder.agents.experts.ball import FIRE, LEFT, NOOP, RIGHT, BallPlayer
from recorder.agents.experts.console import ticks_between


class PongPlayer(BallPlayer):
    """Follows the ball while it comes, and waits while it goes. RIGHT moves the paddle up, LEFT down.

    Lengths are in screen pixels, times in ticks.

    aim_error   it meets the ball up to this far from the paddle's upper edge, which returns it steeply; drawn when the
                ball turns towards it
    delay       how old the ball's position is that it acts on, from where it is extrapolated; drawn with the aim error
    dead_zone   the paddle does not move while it is this close to the aim

    Raises ValueError for values out of range. Addresses: Anand et al. 2019, "Unsupervised state representation learning
    in Atari".
    """

    name = "pong-player"
    game = "Pong"
    ball_x, ball_y, paddle = 49, 54, 51

    def __init__(
        self, seed: int = 0, *, aim_error: float = 2.0, delay: int | Sequence[int] = 4, dead_zone: float = 2.0
    ) -> None:
        if not (0 <= aim_error <= 20 and 0 <= dead_zone <= 20):
            raise ValueError(f"out of range: {aim_error=} or {dead_zone=}")
        self.aim_error, self.dead_zone = float(aim_error), float(dead_zone)
        super().__init__(seed, ticks_between("delay", delay))

    def _begin(self) -> None:
        super()._begin()
        self._coming = False
        self._aim()

    def _follow(self, paddle: int) -> int:
        path = self._path(self._lag)
        if len(path) < 2:
            return NOOP
        (old_x, old_y), (x, y) = path[-2:]
        if x == 0:
            return FIRE
        coming = x > old_x if x != old_x else self._coming
        if coming and not self._coming:
            self._aim()
        self._coming = coming
        if not coming:
            return NOOP
        offset = y + (y - old_y) * self._lag - paddle - self._error
        if abs(offset) <= self.dead_zone:
            return NOOP
        return LEFT if offset > 0 else RIGHT

    def _params(self) -> dict[str, Any]:
        return {"aim_error": self.aim_error, "delay": list(self.delay), "dead_zone": self.dead_zone}

    def _aim(self) -> None:
        self._error = float(self._rng.uniform(-self.aim_error, self.aim_error))
        self._lag = self._draw(self.delay)
