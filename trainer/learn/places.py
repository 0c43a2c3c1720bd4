"""Positions out of the console's memory: which bytes hold them, and in which unit a network sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.hyperparameters import LEAST_POSITIONS
from trainer.policy.header import SeenPosition


@dataclass(frozen=True)
class Places:
    """The memory bytes that are taken as positions, with their `mean` and standard `deviation` in the recording,
    float32 (bytes,). `own`, bool (positions,): which of them the player controls. There are at least as many positions
    as bytes; those without a byte are not used.
    """

    bytes_: list[int]
    mean: npt.NDArray[np.float32]
    deviation: npt.NDArray[np.float32]
    own: npt.NDArray[np.bool_]

    @classmethod
    def known(cls, positions: Sequence[SeenPosition], own: npt.NDArray[np.bool_]) -> Places:
        """Those that a policy's header names; `own`, bool (positions,), is its network's."""
        mean, deviation = (
            np.array([getattr(each, name) for each in positions], np.float32) for name in ("mean", "deviation")
        )
        return cls([each.byte for each in positions], mean, deviation, own)

    @property
    def told(self) -> tuple[SeenPosition, ...]:
        """As a policy's header names them."""
        each = zip(self.bytes_, self.mean.tolist(), self.deviation.tolist(), strict=True)
        return tuple(SeenPosition(byte, mean, deviation) for byte, mean, deviation in each)

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """Which positions there are, bool (positions,)."""
        return np.arange(len(self.own)) < len(self.bytes_)

    @property
    def unit(self) -> npt.NDArray[np.float32]:
        """One standard deviation of each position in pixels (the byte's values), float32 (positions,)."""
        return np.concatenate([self.deviation, np.ones(len(self.own) - len(self.bytes_), np.float32)])

    @classmethod
    def of(
        cls,
        values: npt.NDArray[np.uint8],
        bytes_: list[int],
        controlled: npt.NDArray[np.bool_],
        positions: int = LEAST_POSITIONS,
    ) -> Places:
        """From the memory, uint8 (n, bytes), and which of its bytes the player controls, bool (bytes,), for a network
        that has so many positions, or more.
        """
        chosen = values[:, bytes_].astype(np.float32)
        own = np.zeros(max(positions, len(bytes_)), bool)
        own[: len(bytes_)] = controlled[bytes_]
        return cls(bytes_, chosen.mean(axis=0), chosen.std(axis=0), own)

    def positions(self, values: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Positions float32 (n, positions), in standard deviations from their mean, from memory uint8 (n, bytes)."""
        found = np.zeros((len(values), len(self.own)), np.float32)
        found[:, : len(self.bytes_)] = (values[:, self.bytes_] - self.mean) / self.deviation
        return found
