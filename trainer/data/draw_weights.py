"""How often each tick is drawn: rare actions are oversampled, and so are corrections of a clone; with
TrainConfig.every, only every nth tick is used.

Corrections are few beside the play that a clone first learned from. Drawing them as often as the rest is from Mandlekar
et al. (2020, "Human-in-the-loop imitation learning using remote teleoperation").
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.config import TrainConfig
from trainer.data.samples import Samples
from trainer.data.tick_table import Ranges, Rows, TickTable

_RARE = 0.05
_MOST = 10.0  # times as often as other play: of few corrections, others would be learned by heart


class DrawWeights:
    """The weights of the rows of a tick table; all discrete actions have the same weight until `count` is called.

    `counts`, int64 (actions,), is how often each discrete action was taken, and `changes`, int64 (actions, actions),
    how often each action directly followed each other one.
    """

    def __init__(self, tick_table: TickTable, config: TrainConfig) -> None:
        self._tick_table = tick_table
        self._config = config
        self._discrete = tick_table.spec.discrete
        known = len(tick_table.spec.action_names)
        self.counts = np.zeros(known, np.int64)
        self.changes = np.zeros((known, known), np.int64)
        self._weights = np.zeros(0)  # of each discrete action
        self._corrections = 1.0  # the factor of a correction

    @property
    def uneven(self) -> bool:
        """Whether rows differ in their weights."""
        return self._discrete or self._config.every > 1 or self._corrections != 1.0

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """The share of all ticks in which each discrete action was taken, (actions,)."""
        return np.asarray(self.counts / max(1, self.counts.sum()), np.float64)

    def count(self, train: Ranges, samples: Samples) -> None:
        """Compute the weight of each discrete action from the rows `train`; those below the wanted share get more.

        An action that never occurs has weight zero.
        """
        known = len(self.counts)
        for block in Ranges(self._tick_table.to_imitate).blocks():
            actions = self._tick_table.actions(block)
            self.counts += np.bincount(actions, minlength=known)
            np.add.at(self.changes, (samples.held(block)[:, 0], actions), 1)
        counts = np.zeros(known)
        for block in train.blocks():
            counts += np.bincount(self._tick_table.actions(block[self.learned(block)]), minlength=known)
        wanted = np.where(counts > 0, np.maximum(counts / counts.sum(), self._config.rare_action_share), 0.0)
        wanted /= wanted.sum()
        self._weights = np.divide(wanted, counts, out=np.zeros_like(counts), where=counts > 0)

    def weigh_corrections(self, train: Ranges) -> None:
        """Let corrections be the share of the draws from `train` that the configuration says, if there are any.

        The weights of actions must be known.
        """
        if not self._tick_table.corrected:
            return
        totals = np.zeros(2)
        for block in train.blocks():
            totals += np.bincount(self._tick_table.corrections.has(block).astype(int), self.of(block), minlength=2)
        others, corrections = totals.tolist()
        share = self._config.correction_share
        if others and corrections and share:
            self._corrections = min(_MOST, share / (1 - share) * others / corrections)

    def learned(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which of the training rows (n,) are used for learning."""
        return np.asarray(rows % self._config.every == 0)

    def of(self, rows: Rows) -> npt.NDArray[np.float64]:
        """How often each of rows (n,) is drawn, relative to the others."""
        weights = self.learned(rows).astype(np.float64)
        if self._discrete:
            weights *= self._weights[self._tick_table.actions(rows)]
        if self._corrections != 1.0:
            weights[self._tick_table.corrections.has(rows)] *= self._corrections
        return weights


def rare_among(shares: npt.NDArray[np.float64]) -> tuple[int, ...]:
    """The actions with a share above zero but below a twentieth; `shares` (actions,) has the share of each."""
    return tuple(np.flatnonzero((shares > 0) & (shares < _RARE)).tolist())
