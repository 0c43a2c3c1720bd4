"""Out of endless loops: a clone that sees the same again and again goes a little beside its aim.

A clone that always hits the ball in the same place can send it round and round past the last bricks for ever. People
notice that and try something else. `LoopBreaker` notices it, too: for some seconds, everything but the player itself is
where it was one round before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

NONE = 0  # the plan of whoever goes straight to its aim
_LOOKED = 60  # ticks between two looks, each with another plan
_SHORTEST, _LONGEST = 20, 400  # ticks of a round
_LEAST = 200  # ticks that must be the same
_STEP = 4  # ticks between the moments compared
_SAME = 0.15  # standard deviations, of all positions together


class LoopBreaker:
    """For one player; call `plan` in every tick. The caller provides the random generator.

    `own`, bool (n,), marks the player's own positions.
    """

    def __init__(self, plans: Sequence[int], own: npt.NDArray[np.bool_]) -> None:
        self._plans, self._others = plans, ~own
        self._seen: deque[npt.NDArray[np.float32]] = deque(maxlen=2 * _LONGEST)
        self._ticks = 0
        self._plan = NONE

    def plan(self, positions: npt.NDArray[np.float32], rng: np.random.Generator) -> int:
        """One of `plans`, at random, while the positions of everything else, of float32 (n,), repeat. Else NONE."""
        self._seen.append(positions)
        self._ticks += 1
        if self._ticks % _LOOKED == 0:
            self._plan = int(rng.choice(self._plans)) if self._repeats() else NONE
        return self._plan

    def _repeats(self) -> bool:
        seen = np.stack(self._seen)[::-1, self._others]
        rounds = np.arange(_SHORTEST, min(_LONGEST, len(seen) - _LEAST) + 1)
        rounds = rounds[np.abs(seen[rounds] - seen[0]).sum(axis=1) < 2 * _SAME]
        return any(_difference(seen, each) < _SAME for each in rounds if each + max(each, _LEAST) <= len(seen))


def _difference(seen: npt.NDArray[np.float32], ticks: int) -> float:
    """How much the last round of so many ticks differs from the one before."""
    span = max(ticks, _LEAST)
    return float(np.abs(seen[:span:_STEP] - seen[ticks : ticks + span : _STEP]).sum(axis=1).mean())
