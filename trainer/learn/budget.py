"""How much of a training's budget is used, in batches or in seconds, pauses not counted."""

from __future__ import annotations

import time

from trainer.config import LOOK_SHARE, TrainConfig


class Budget:
    """The clock of one training. `began` is the time.monotonic() at which this process started or resumed it.

    Only the time spent on learning to play counts, not reading or learning to see.
    """

    def __init__(self, config: TrainConfig, began: float) -> None:
        self._config = config
        self._began = self._train_began = began
        self._before_s = self._train_before_s = 0.0

    def resume(self, seconds: float) -> None:
        """The training was interrupted before; it had then taken `seconds`."""
        self._before_s, self._began = seconds, time.monotonic()

    def start(self, train_s: float) -> None:
        """Learning to play begins, or resumes after `train_s` seconds of it."""
        self._train_before_s, self._train_began = train_s, time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds since the start, without pauses."""
        return self._before_s + time.monotonic() - self._began

    @property
    def train_s(self) -> float:
        """The part of `seconds` that was spent on learning to play."""
        return self._train_before_s + time.monotonic() - self._train_began

    def used(self, batches: int) -> float:
        """The share of the budget that is used after this number of batches."""
        shares = []
        if self._config.max_batches is not None:
            shares.append(batches / self._config.max_batches)
        if self._config.max_seconds is not None:
            rest = 1.0 - (LOOK_SHARE if self._config.perceives else 0.0)
            shares.append(self.train_s / (rest * self._config.max_seconds))
        return max(shares)

    def left_s(self, used: float) -> float | None:
        """The remaining seconds, estimated from the used share; None if unknown."""
        return self.train_s * (1 - used) / used if used > 0.01 else None
