"""The training rows that belong to one of several processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.data.tick_table import Ranges, Rows
from trainer.distributed import ProcessGroup


@dataclass(frozen=True)
class OwnRows:
    """The training rows in `span` belong to this process."""

    span: range

    @classmethod
    def of(cls, train: Ranges, group: ProcessGroup) -> OwnRows:
        """This process's span, so that each process has equally many of the rows `train`, which are in rising order.

        Decision: consecutive ticks, not whole episodes. So the parts are equal even for a single game, and little is
        read twice (only the history of a part's first tick).
        """
        edges = np.array([len(train) * k // group.size for k in (group.rank, group.rank + 1)])
        if edges[0] == edges[1]:
            return cls(range(0))
        first, last = train[edges - [0, 1]].tolist()
        return cls(range(first, last + 1))

    def has(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which of some training rows (n,) belong to this process."""
        return np.asarray((rows >= self.span.start) & (rows < self.span.stop))

    def among(self, ranges: Sequence[range]) -> list[range]:
        """The part of each range that belongs to this process; it may be empty."""
        return [range(max(each.start, self.span.start), min(each.stop, self.span.stop)) for each in ranges]
