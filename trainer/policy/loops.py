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

from trainer.policy.steering import STRAIGHT

_LOOKED_S = 1.0  # between two looks, each with another plan
_SHORTEST_S, _LONGEST_S = 1 / 3, 20 / 3  # of a round
_LEAST_S = 10 / 3  # that must be the same
_STEP_S = 1 / 15  # between the moments compared
_SAME = 0.15  # standard deviations, added over all positions


class LoopBreaker:
    """For one player; call `plan` in every tick. The caller provides the random generator.

    `own`, bool (n,), marks the player's own positions; `rate_hz` is the number of ticks in a second.
    """

    def __init__(self, plans: Sequence[int], own: npt.NDArray[np.bool_], rate_hz: float) -> None:
        self._plans, self._others = plans, ~own
        self._looked, self._shortest, self._longest, self._least, self._step = (
            max(1, round(seconds * rate_hz)) for seconds in (_LOOKED_S, _SHORTEST_S, _LONGEST_S, _LEAST_S, _STEP_S)
        )
        self._seen: deque[npt.NDArray[np.float32]] = deque(maxlen=2 * self._longest)
        self._ticks = 0
        self._plan = STRAIGHT

    def plan(self, positions: npt.NDArray[np.float32], rng: np.random.Generator) -> int:
        """One of `plans`, at random, while the positions of everything else, of float32 (n,), repeat. Else STRAIGHT."""
        self._seen.append(positions)
        self._ticks += 1
        if self._ticks % self._looked == 0:
            self._plan = int(rng.choice(self._plans)) if self._plans and self._repeats() else STRAIGHT
        return self._plan

    def _repeats(self) -> bool:
        seen = np.stack(self._seen)[::-1, self._others]
        if not seen.any():  # nothing else is seen at all
            return False
        rounds = np.arange(self._shortest, min(self._longest, len(seen) - self._least) + 1)
        rounds = rounds[np.abs(seen[rounds] - seen[0]).sum(axis=1) < 2 * _SAME]
        likely = (each for each in rounds.tolist() if each + max(each, self._least) <= len(seen))
        return any(self._difference(seen, each) < _SAME for each in likely)

    def _difference(self, seen: npt.NDArray[np.float32], ticks: int) -> float:
        """How much the last round of so many ticks differs from the one before."""
        span = max(ticks, self._least)
        return float(np.abs(seen[: span : self._step] - seen[ticks : ticks + span : self._step]).sum(axis=1).mean())
