"""The split into training and validation, by whole episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trainer.data.tick_table import Ranges


@dataclass(frozen=True)
class Split:
    """The training rows and the validation rows; `whole`: no episode is in both."""

    train: Ranges
    validation: Ranges
    whole: bool

    @classmethod
    def of(cls, lengths: Sequence[int], share: float, seed: int) -> Split:
        """Hold out random whole episodes for validation, about `share` of all ticks; of a single episode, its end.

        `lengths` are those of the episodes, in ticks.
        """
        ticks = sum(lengths)
        edges = np.concatenate([[0], np.cumsum(lengths)]).tolist()
        wanted = max(1, round(share * ticks))
        chosen, held = set(), 0
        for index in np.random.default_rng(seed).permutation(len(lengths)).tolist():
            # At most twice the share: one long game must not empty the training set.
            if held + lengths[index] <= min(2 * wanted, ticks - 1):
                chosen.add(index)
                held += lengths[index]
            if held >= wanted:
                break
        if not chosen:
            return cls(Ranges([range(ticks - wanted)]), Ranges([range(ticks - wanted, ticks)]), False)
        episodes = [range(first, stop) for first, stop in pairwise(edges)]
        train = Ranges([rows for index, rows in enumerate(episodes) if index not in chosen])
        return cls(train, Ranges([rows for index, rows in enumerate(episodes) if index in chosen]), True)
