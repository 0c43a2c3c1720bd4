"""A stand-in for a person at Breakout, for machines without hands.

    RAM ──▶ ball seen `delay` ticks ago ──▶ where it is by now ──▶ + aim error ──▶ LEFT, RIGHT or wait

It reads the ball from the emulator's memory instead of the screen, and is imperfect the way people are: it misjudges
where to meet the ball (anew after each contact), it takes its time to serve, and, as parameters, it reacts late or
prefers one side of the paddle. It never hides what it is: its sessions say "scripted".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from recorder.envs import Env
from recorder.errors import AgentError

NOOP, FIRE, RIGHT, LEFT = range(4)

# Breakout's RAM addresses.
_BALL_X, _BALL_Y, _PADDLE_X = 99, 101, 72
# On screen the ball's centre is at RAM 99 - 48.5 (2 pixels wide) and the paddle's at RAM 72 - 39.5 (16 pixels wide).
_CENTRED = -9.0
# RAM 99 at the side walls, and RAM 101 where the paddle meets the ball.
_WALL_LEFT, _WALL_RIGHT = 56.0, 200.0
_PADDLE_Y = 178.0
# A straight stretch of the ball's path is looked at for up to this many ticks to tell its direction.
_GLIMPSE_TICKS = 30
_LOOK_AHEAD = ("none", "now", "landing")

# How they score, and how clones of them do, is measured by `twinplay study breakout` and `reaction`.
STYLES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "prompt": {},
        "slow": {"delay": (12, 15), "look_ahead": "landing"},
        "late": {"delay": 6, "look_ahead": "none"},
        "sloppy": {"aim_error": 10.0},
        "left-handed": {"aim_error": 4.0, "lean": 3.0},
    }
)


class BreakoutPlayer:
    """Follows the ball with human imperfections; one act() per tick at 60 Hz, without frame skip.

    Lengths are in screen pixels, times in ticks; a pair is a range (both ends included) drawn from anew.

    aim_error   the aim misses the ball's centre by up to this much either way, redrawn when the ball turns upwards
    dead_zone   the paddle is left alone while its centre is this close to the aim
    serve_wait  time between losing a ball and pressing FIRE
    delay       how long ago what it acts on happened; it knows where its own paddle is now. Redrawn with the aim error.
    look_ahead  what it makes of the ball's path, walls included: "now" follows where the ball must be by now, "landing"
                goes to where it will come down, "none" follows where it was
    foresight   how far ahead it knows its own paddle, which glides on for some ticks after the stick is let go
    lean        the paddle stands this far to the right of the ball, so that its left half does the work

    Raises ValueError for values out of range.
    """

    kind = "scripted"
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
        self.serve_wait = _ticks("serve_wait", serve_wait)
        self.delay = _ticks("delay", delay)
        self.look_ahead = look_ahead
        self.foresight = float(foresight)
        self.lean = float(lean)
        self._rng = np.random.default_rng(seed)
        self._ram: Any = None
        self._wait: int | None = None  # ticks left until the serve
        self._paddle: int | None = None  # where it was a tick ago
        self._rising = False
        self._forget()

    def reset(self, env: Env | None = None) -> None:
        """Watch this environment's emulator from now on. Raises AgentError without an Atari environment."""
        emulator = getattr(env.unwrapped, "ale", None) if env is not None else None
        if emulator is None:
            raise AgentError("the scripted Breakout player reads the emulator's memory; reset it with a Breakout game")
        self._ram = emulator.getRAM
        self._forget()

    def act(self, observation: Any = None) -> int:
        """The action for this tick: 0 NOOP, 1 FIRE, 2 RIGHT, 3 LEFT. The observation is not looked at."""
        if self._ram is None:
            raise AgentError("the scripted Breakout player has not been reset with a game yet")
        ram = self._ram()
        self._seen.append((int(ram[_BALL_X]), int(ram[_BALL_Y])))
        paddle = int(ram[_PADDLE_X])
        glide = 0 if self._paddle is None else paddle - self._paddle
        self._paddle = paddle
        if len(self._seen) <= self._lag:
            return NOOP
        path = list(self._seen)[: len(self._seen) - self._lag]
        x, y = path[-1]
        if y == 0:
            return self._serve()
        self._wait = None
        velocity_x, velocity_y = _velocity(path)
        rising = velocity_y < 0 if velocity_y else self._rising
        if rising and not self._rising:
            self._misjudge()
        self._rising = rising
        ahead = 0.0 if self.look_ahead == "none" else float(self._lag)
        if self.look_ahead == "landing" and velocity_y > 0:
            ahead = max(ahead, (_PADDLE_Y - y) / velocity_y)
        aim = _reflect(x + velocity_x * ahead) + _CENTRED + self._error
        offset = aim - (paddle + self.foresight * glide)
        if abs(offset) <= self.dead_zone:
            return NOOP
        return RIGHT if offset > 0 else LEFT

    def describe(self) -> dict[str, Any]:
        """The player as sessions store it; `recorder.experts.from_description` builds it again."""
        params = {
            "aim_error": self.aim_error,
            "dead_zone": self.dead_zone,
            "serve_wait": list(self.serve_wait),
            "delay": list(self.delay),
            "look_ahead": self.look_ahead,
            "foresight": self.foresight,
            "lean": self.lean,
        }
        return {"kind": self.kind, "name": self.name, "params": params}

    def _forget(self) -> None:
        """A new game: nothing seen yet, a first guess at the aim."""
        self._seen: deque[tuple[int, int]] = deque(maxlen=self.delay[1] + _GLIMPSE_TICKS)
        self._wait = None
        self._paddle = None
        self._rising = False
        self._misjudge()

    def _misjudge(self) -> None:
        self._error = self.lean + float(self._rng.uniform(-self.aim_error, self.aim_error))
        self._lag = int(self._rng.integers(self.delay[0], self.delay[1] + 1))

    def _serve(self) -> int:
        left = self._wait
        if left is None:
            left = int(self._rng.integers(self.serve_wait[0], self.serve_wait[1] + 1))
        self._wait = left - 1
        return NOOP if left > 0 else FIRE


def _ticks(name: str, value: int | Sequence[int]) -> tuple[int, int]:
    """A number of ticks, or a range of them, as a range."""
    low, high = (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))
    if not 0 <= low <= high <= 600:
        raise ValueError(f"{name} is {value}; expected ticks, or (fewest, most), between 0 and 600")
    return low, high


def _velocity(path: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """How fast the ball moves at the end of its path, in pixels a tick: the mean over its last straight stretch.

    The ball moves by whole pixels, so that one step says little: the stretch goes back for as long as each step is
    within one and a half pixels of the mean, which a bounce is not.
    """
    x, y = path[-1]
    velocity = (0.0, 0.0)
    for ticks in range(1, len(path)):
        (older_x, older_y), (newer_x, newer_y) = path[-1 - ticks], path[-ticks]
        step_x, step_y = newer_x - older_x, newer_y - older_y
        if older_y == 0 or (ticks > 1 and max(abs(step_x - velocity[0]), abs(step_y - velocity[1])) > 1.5):
            break
        velocity = ((x - older_x) / ticks, (y - older_y) / ticks)
    return velocity


def _reflect(x: float) -> float:
    """Where a ball that flew straight to x is, given the walls."""
    width = _WALL_RIGHT - _WALL_LEFT
    unfolded = (x - _WALL_LEFT) % (2 * width)
    return _WALL_LEFT + min(unfolded, 2 * width - unfolded)
