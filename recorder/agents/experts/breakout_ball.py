"""Where things are in Breakout: addresses in the console's memory, and the walls."""

from __future__ import annotations

from recorder.agents.experts.ball import BallPlayer

# On screen the ball's centre is at RAM 99 - 48.5 (2 pixels wide) and the paddle's at RAM 72 - 39.5 (16 pixels wide).
CENTRED = -9.0
# RAM 99 at the side walls, and RAM 101 where the paddle meets the ball.
WALL_LEFT, WALL_RIGHT = 56.0, 200.0
PADDLE_Y = 178.0


class BreakoutBallPlayer(BallPlayer):
    """A BallPlayer of Breakout."""

    game = "Breakout"
    ball_x, ball_y, paddle = 99, 101, 72


def reflected(x: float) -> float:
    """The position of a ball that would have flown straight to x, after reflections at the walls."""
    width = WALL_RIGHT - WALL_LEFT
    unfolded = (x - WALL_LEFT) % (2 * width)
    return WALL_LEFT + min(unfolded, 2 * width - unfolded)
