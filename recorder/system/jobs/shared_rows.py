"""Rows in memory that two processes share, for what would be too much to send sixty times a second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.system.jobs.children import SPAWN


class SharedRows:
    """`count` rows of one shape, zero at first. A Service gets them as one of its arguments.

    Nothing locks them: messages between the two processes must say who may write which row, and when.
    """

    def __init__(self, count: int, shape: Sequence[int], dtype: str) -> None:
        self.shape, self.dtype = (count, *shape), dtype
        self._memory = SPAWN.RawArray("B", math.prod(self.shape) * np.dtype(dtype).itemsize)

    @property
    def rows(self) -> npt.NDArray[Any]:
        """All rows, which both processes read and write."""
        return np.frombuffer(self._memory, self.dtype).reshape(self.shape)
