"""A scripted expert for Hopper: linear state feedback, readable in one table.

    observation (11,) ──▶ (o - mean) / std ──▶ gains (3, 11) ──▶ clip to [-1, 1] ──▶ torques: thigh, leg, foot

The numbers were tuned by augmented random search (Mania, Guy and Recht 2018, "Simple random search provides a
competitive approach to reinforcement learning", ARS V2-t), in two steps:

    python -m recorder.agents.experts.hopper_search --seed 2 --steps 40836205 --out fast.json
    python -m recorder.agents.experts.hopper_search --start fast.json --seed 5 --directions 16 --best 16 --noise 0.04 \\
        --step 0.003 --average 0.97 --games 40 --steps 1086856 --out gains.json

The first result hops fast (iteration 3,300 of that search, the best of its checks, rounded to six decimals), but fell
in 5 of 100 games. The second search uses noise larger than its steps and averages its results, which finds gains for
which a small error does not matter; the result is iteration 40, the best of its checks, rounded again. Over 100 other
seeds of Hopper-v5: mean return 3,577, standard deviation 13, no fall.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from recorder.envs.gymnasium import Env


#  observation (rad, m, rad/s, m/s), mean, standard deviation, gains on thigh, leg and foot
TABLE: tuple[tuple[str, float, float, tuple[float, float, float]], ...] = (
    ("height", 1.197179, 0.130147, (-0.585049, 0.476684, 1.685074)),
    ("torso angle", -0.131725, 0.038837, (-0.882265, -1.275366, 0.209369)),
    ("thigh angle", -0.113126, 0.121914, (-1.357819, -0.392414, 0.009064)),
    ("leg angle", -0.930311, 0.338289, (-0.19951, -0.640797, 0.423544)),
    ("foot angle", 0.291998, 0.631082, (-0.620067, -1.357171, 0.212597)),
    ("forward velocity", 2.471525, 0.696319, (0.655675, -1.240639, 0.107765)),
    ("vertical velocity", -0.034338, 1.38434, (-0.975966, 0.395168, -0.525034)),
    ("torso rate", -0.015056, 0.632027, (-0.297152, -1.222767, -0.304697)),
    ("thigh rate", -0.018199, 1.167565, (-0.591653, 0.945176, 0.835083)),
    ("leg rate", -0.218151, 3.218083, (-1.173206, -0.411972, 1.534873)),
    ("foot rate", -0.401736, 6.104706, (-0.237408, 0.015405, 1.717466)),
)

MEAN = np.array([row[1] for row in TABLE])
STD = np.array([row[2] for row in TABLE])
GAINS = np.array([row[3] for row in TABLE]).T


class HopperExpert:
    """Hops forward, nearly always to the end of the 1,000 ticks: observation float64 (11,) to torques float32 (3,).

    It has no state and no randomness.
    """

    kind = "scripted"
    name = "hopper-expert"

    def reset(self, env: Env | None = None) -> None:
        """Does nothing."""

    def act(self, observation: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The torques for this tick, float32 (3,)."""
        normalised = (np.asarray(observation, np.float64) - MEAN) / STD
        action: npt.NDArray[np.float32] = np.clip(GAINS @ normalised, -1.0, 1.0).astype(np.float32)
        return action

    def describe(self) -> dict[str, Any]:
        """The player as sessions store it."""
        return {"kind": self.kind, "name": self.name, "params": {}}
