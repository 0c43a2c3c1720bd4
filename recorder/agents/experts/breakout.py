"""A scripted player of Breakout.

    RAM ──▶ ball seen `delay` ticks ago ──▶ where it is by now ──▶ + aim error ──▶ LEFT, RIGHT or wait

It reads the ball's position from the emulator's memory instead of the screen, and is imperfect as people are: it
misjudges where to meet the ball (with a new error after each contact), takes its time to serve and, depending on its
parameters, reacts late or prefers one side of the paddle. Its sessions are labelled "scripted".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recorder.agents.experts.ball import FIRE, LEFT, NOOP, RIGHT, velocity
from recorder.agents.experts.breakout_ball import CENTRED, PADDLE_Y, BreakoutBallPlayer, reflected
from recorder.agents.experts.console import ticks_between

_LOOK_AHEAD = ("none", "now", "landing")


class BreakoutPlayer(BreakoutBallPlayer):
    """Follows the ball with human imperfections.

    Lengths are in screen pixels, times in ticks; a pair is a range (both ends included) from which values are drawn.

    aim_error   the aim misses the ball's centre by up to this much either way; drawn when the ball turns upwards
    dead_zone   the paddle does not move while its centre is this close to the aim
    serve_wait  time between losing a ball and pressing FIRE
    delay       how old the ball's position is that it acts on (its own paddle's is current); drawn with the aim error
    look_ahead  how it extrapolates the ball's path, walls included: "now" follows where the ball must be now, "landing"
                goes to where it will come down, "none" follows where it was
    foresight   how far ahead it predicts its own paddle, which glides for some ticks after the stick is released
    lean        the paddle is this far to the right of the ball, so that its left half hits the ball

    Raises ValueError for values out of range.
    """

    name = "breakout-player"

    def __init__(
        self,
        seed: int = 0,
        *,
        aim_error: float = 6.0,
        dead_zone: float = 2.0,
        serve_wait: int | Sequence[int] = (5, 30),
        delay: int | Sequence[int] = 0,
        look_ahead: str = "now",
        foresight: float = 0.5,
        lean: float = 0.0,
    ) -> None:
        if not (aim_error >= 0 and dead_zone >= 0 and 0 <= foresight <= 60 and abs(lean) <= 80):
            raise ValueError(f"out of range: {aim_error=}, {dead_zone=}, {foresight=} or {lean=}")
        if look_ahead not in _LOOK_AHEAD:
            raise ValueError(f"look_ahead is {look_ahead!r}; expected one of {', '.join(_LOOK_AHEAD)}")
        self.aim_error = float(aim_error)
        self.dead_zone = float(dead_zone)
        self.serve_wait = ticks_between("serve_wait", serve_wait)
        self.look_ahead = look_ahead
        self.foresight = float(foresight)
        self.lean = float(lean)
        super().__init__(seed, ticks_between("delay", delay))

    def _begin(self) -> None:
        super()._begin()
        self._wait: int | None = None  # ticks until the serve
        self._paddle: int | None = None  # where it was a tick ago
        self._rising = False
        self._misjudge()

    def _follow(self, paddle: int) -> int:
        glide = 0 if self._paddle is None else paddle - self._paddle
        self._paddle = paddle
        path = self._path(self._lag)
        if not path:
            return NOOP
        x, y = path[-1]
        if y == 0:
            return self._serve()
        self._wait = None
        velocity_x, velocity_y = velocity(path)
        rising = velocity_y < 0 if velocity_y else self._rising
        if rising and not self._rising:
            self._misjudge()
        self._rising = rising
        ahead = 0.0 if self.look_ahead == "none" else float(self._lag)
        if self.look_ahead == "landing" and velocity_y > 0:
            ahead = max(ahead, (PADDLE_Y - y) / velocity_y)
        aim = reflected(x + velocity_x * ahead) + CENTRED + self._error
        offset = aim - (paddle + self.foresight * glide)
        if abs(offset) <= self.dead_zone:
            return NOOP
        return RIGHT if offset > 0 else LEFT

    def _params(self) -> dict[str, Any]:
        return {
            "aim_error": self.aim_error,
            "dead_zone": self.dead_zone,
            "serve_wait": list(self.serve_wait),
            "delay": list(self.delay),
            "look_ahead": self.look_ahead,
            "foresight": self.foresight,
            "lean": self.lean,
        }

    def _misjudge(self) -> None:
        self._error = self.lean + float(self._rng.uniform(-self.aim_error, self.aim_error))
        self._lag = self._draw(self.delay)

    def _serve(self) -> int:
        left = self._wait
        if left is None:
            left = self._draw(self.serve_wait)
        self._wait = left - 1
        return NOOP if left > 0 else FIRE
