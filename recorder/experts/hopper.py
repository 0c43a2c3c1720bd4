"""A scripted expert for Hopper: linear state feedback, readable in one table.

    observation (11,) ──▶ (o - mean) / std ──▶ gains (3, 11) ──▶ clip to [-1, 1] ──▶ torques: thigh, leg, foot

Nobody chose these numbers by hand. They were tuned by augmented random search (Mania, Guy and Recht 2018,
"Simple random search provides a competitive approach to reinforcement learning", ARS V2-t), by

    python -m recorder.experts.hopper_search --seed 2 --steps 40836205 --out gains.json

which is iteration 3,300 of that search, the best of its checks of 8 games each, rounded to six decimals here.
Over 100 other seeds of Hopper-v5: mean return 3,561, standard deviation 160; 5 games ended in a fall.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.envs import Env

#  observation (rad, m, rad/s, m/s), mean, standard deviation, gains on thigh, leg and foot
TABLE: tuple[tuple[str, float, float, tuple[float, float, float]], ...] = (
    ("height", 1.197179, 0.130147, (-0.589208, 0.483214, 1.681278)),
    ("torso angle", -0.131725, 0.038837, (-0.874714, -1.280553, 0.211709)),
    ("thigh angle", -0.113126, 0.121914, (-1.357995, -0.395077, 0.012537)),
    ("leg angle", -0.930311, 0.338289, (-0.214374, -0.63547, 0.432181)),
    ("foot angle", 0.291998, 0.631082, (-0.620763, -1.353369, 0.220817)),
    ("forward velocity", 2.471525, 0.696319, (0.657633, -1.238949, 0.10821)),
    ("vertical velocity", -0.034338, 1.38434, (-0.979655, 0.390064, -0.535746)),
    ("torso rate", -0.015056, 0.632027, (-0.288318, -1.228546, -0.303979)),
    ("thigh rate", -0.018199, 1.167565, (-0.576837, 0.946382, 0.843199)),
    ("leg rate", -0.218151, 3.218083, (-1.188221, -0.412648, 1.531641)),
    ("foot rate", -0.401736, 6.104706, (-0.237088, 0.018417, 1.718587)),
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
        """Nothing to forget."""

    def act(self, observation: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The torques for this tick, float32 (3,)."""
        normalised = (np.asarray(observation, np.float64) - MEAN) / STD
        action: npt.NDArray[np.float32] = np.clip(GAINS @ normalised, -1.0, 1.0).astype(np.float32)
        return action

    def describe(self) -> dict[str, Any]:
        """The player as sessions store it."""
        return {"kind": self.kind, "name": self.name, "params": {}}
