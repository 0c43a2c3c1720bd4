"""The split into training and validation, by whole episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trainer.data.tick_table import Ranges
from trainer.errors import TrainingError

_LEAST = 2  # rows: one to learn from, one to validate


@dataclass(frozen=True)
class Split:
    """The training rows and the validation rows; `whole`: no episode is in both."""

    train: Ranges
    validation: Ranges
    whole: bool

    def within(self, shown: Sequence[range], share: float) -> Split:
        """This split without the rows that are in none of the ranges `shown`, which are in rising order.

        If that leaves nothing to validate on, the last rows do, about `share` of all. Raises TrainingError where too
        little is left to learn from.
        """
        train, validation = (Ranges(rows.shared_with(shown)) for rows in (self.train, self.validation))
        if len(train) + len(validation) < _LEAST or not len(train):
            raise TrainingError(
                "nobody corrected the clone in these sessions, so there is nothing to learn; add recordings of a "
                "player, or take over from the clone"
            )
        if len(validation) or len(train) < _LEAST:
            return Split(train, validation, self.whole)
        held_out = max(1, round(share * len(train)))
        edge = int(train[np.array(len(train) - held_out)])
        before, after = range(edge), range(edge, train.ranges[-1].stop)
        return Split(Ranges(train.shared_with([before])), Ranges(train.shared_with([after])), False)

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
