"""The split of episodes: whole ones validate, the others are learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trainer.data.tick_table import Ranges


@dataclass(frozen=True)
class Split:
    """The rows that are learned from, and those that validate; `whole`: no episode is in both."""

    train: Ranges
    validation: Ranges
    whole: bool

    @classmethod
    def of(cls, lengths: Sequence[int], share: float, seed: int) -> Split:
        """Whole episodes of these lengths validate, at random, up to the share of all ticks; of a lone one, its end."""
        ticks = sum(lengths)
        edges = np.concatenate([[0], np.cumsum(lengths)]).tolist()
        wanted = max(1, round(share * ticks))
        chosen, held = set(), 0
        for index in np.random.default_rng(seed).permutation(len(lengths)).tolist():
            # Taking at most twice the share keeps one long game from emptying the training set; so may a short one.
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
