"""The training rows of one of several processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.data.tick_table import Ranges, Rows
from trainer.distributed import ProcessGroup


@dataclass(frozen=True)
class OwnRows:
    """Those of the training rows that lie in `span` are a process's own."""

    span: range

    @classmethod
    def of(cls, train: Ranges, group: ProcessGroup) -> OwnRows:
        """The span of dataset rows in which those of `train`, which rise, are a process's own: as many for each.

        Decision: ticks that follow each other, not whole episodes: so parts are equal even of a single game, and little
        is read twice (what is seen with the first tick of a part).
        """
        edges = np.array([len(train) * k // group.size for k in (group.rank, group.rank + 1)])
        if edges[0] == edges[1]:
            return cls(range(0))
        first, last = train[edges - [0, 1]].tolist()
        return cls(range(first, last + 1))

    def has(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which of some training rows (n,) are this process's own."""
        return np.asarray((rows >= self.span.start) & (rows < self.span.stop))

    def among(self, ranges: Sequence[range]) -> list[range]:
        """What of each of the ranges is this process's own; it may be empty."""
        return [range(max(each.start, self.span.start), min(each.stop, self.span.stop)) for each in ranges]
