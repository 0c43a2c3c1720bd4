"""A scripted player of CartPole: pushes the cart under the pole, and slowly back to the middle.

position, speed, angle, turning ──▶ 0.1, 0.2, 1, 1 of each, in sum ──▶ RIGHT if positive, else LEFT
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from recorder.envs.gymnasium import Env

LEFT, RIGHT = range(2)
GAINS = np.array([0.1, 0.2, 1.0, 1.0])


class CartPolePlayer:
    """Keeps the pole up for all 500 ticks of a game: observation float32 (4,) to an action.

    It has no state and no randomness.
    """

    kind = "scripted"
    name = "cartpole-player"

    def reset(self, env: Env | None = None) -> None:
        """Does nothing."""

    def act(self, observation: npt.ArrayLike) -> int:
        """0 LEFT or 1 RIGHT."""
        return RIGHT if float(GAINS @ np.asarray(observation, np.float64)) > 0 else LEFT

    def describe(self) -> dict[str, Any]:
        """The player as sessions store it."""
        return {"kind": self.kind, "name": self.name, "params": {}}
