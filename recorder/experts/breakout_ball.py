"""What Breakout's scripted players know: where the emulator's memory keeps things, and how the ball flies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from recorder.envs import Env
from recorder.errors import AgentError

NOOP, FIRE, RIGHT, LEFT = range(4)

# Breakout's RAM addresses.
BALL_X, BALL_Y, PADDLE_X = 99, 101, 72
# On screen the ball's centre is at RAM 99 - 48.5 (2 pixels wide) and the paddle's at RAM 72 - 39.5 (16 pixels wide).
CENTRED = -9.0
# RAM 99 at the side walls, and RAM 101 where the paddle meets the ball.
WALL_LEFT, WALL_RIGHT = 56.0, 200.0
PADDLE_Y = 178.0
# A straight stretch of the ball's path is looked at for up to this many ticks to tell its direction.
GLIMPSE_TICKS = 30


def reads_memory(env: Env | None) -> Callable[[], Any]:
    """What returns the emulator's memory, uint8 (128,). Raises AgentError without an Atari environment."""
    emulator = getattr(env.unwrapped, "ale", None) if env is not None else None
    if emulator is None:
        raise AgentError("the scripted Breakout player reads the emulator's memory; reset it with a Breakout game")
    read: Callable[[], Any] = emulator.getRAM
    return read


def ticks_between(name: str, value: int | Sequence[int]) -> tuple[int, int]:
    """A number of ticks, or a range of them, as a range. Raises ValueError outside 0 to 600."""
    low, high = (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))
    if not 0 <= low <= high <= 600:
        raise ValueError(f"{name} is {value}; expected ticks, or (fewest, most), between 0 and 600")
    return low, high


def velocity(path: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """How fast the ball moves at the end of its path, in pixels a tick: the mean over its last straight stretch.

    The ball moves by whole pixels, so that one step says little: the stretch goes back for as long as each step is
    within one and a half pixels of the mean, which a bounce is not.
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


def reflected(x: float) -> float:
    """Where a ball that flew straight to x is, given the walls."""
    width = WALL_RIGHT - WALL_LEFT
    unfolded = (x - WALL_LEFT) % (2 * width)
    return WALL_LEFT + min(unfolded, 2 * width - unfolded)
