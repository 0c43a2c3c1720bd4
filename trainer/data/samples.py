"""Training samples: their inputs, their labels, and the action held before.

rows (B,), label shifts (B,) ─▶ the rows seen (B, history) ─▶ inputs
                             └▶ labels, the actions ahead, the action held
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.config import TrainConfig
from trainer.data.tick_table import Array, Rows, TickTable
from trainer.policy.hand import AGES, IDLE

Take = Callable[[Rows], Array]


@dataclass(frozen=True)
class Batch:
    """`inputs` uint8 (B, history, size, size), float32 positions (B, history, positions) or vectors (B, n); `labels`
    int64 (B,) or float32 (B, m). `ahead`, int64 (B, L), are the discrete actions of each tick and of the following
    ones, for the longest of TrainConfig.label_windows and `aims`; at the end of a game its last action is repeated.
    `held`, int64 (B, 2), is the discrete action of the previous tick and the number of ticks, up to AGES, for which it
    has been taken (IDLE at the start of a game). `before`, int64 (B, TrainConfig.action_history), are the discrete
    actions of the ticks before, the last one at the end (IDLE before the start of a game). `later`, float32
    (B, aims, positions), are the positions so many ticks later (0 aims if the network does not steer). `shifts`,
    int64 (B,), is the index of each sample's label shift in TrainConfig.label_shifts.

    For a recurrent network, vectors and their labels are sequences: (B, T, …). If several processes share a batch of
    `size` samples, this one has the samples at `places`, int64 (B,).
    """

    inputs: npt.NDArray[Any]
    labels: npt.NDArray[Any]
    ahead: npt.NDArray[np.int64]
    held: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    later: npt.NDArray[np.float32]
    shifts: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    size: int


class Samples:
    """Makes batches from rows of a tick table.

    If inputs are positions, `own_positions`, bool (m,), marks the player's own; these are never delayed (see
    TrainConfig.label_shifts).
    """

    def __init__(self, tick_table: TickTable, config: TrainConfig) -> None:
        self._tick_table = tick_table
        self._spec = tick_table.spec
        self._config = config
        self.own_positions = np.zeros(0, bool)

    @property
    def margins(self) -> tuple[int, int]:
        """How many ticks before and after its own a sample looks at."""
        latest = self._config.label_shifts[-1]
        if self._config.recurrent:
            return self._config.sequence - 1 + latest, self._config.sequence - 1
        following = max(self._config.aims, default=0) if self._tick_table.locate is not None else 0
        return (max(self._config.history) + latest if self._spec.sees_screen else latest), following

    def shifts_in_turn(self, count: int) -> npt.NDArray[np.int64]:
        """Label shifts (count,), assigned in turn."""
        return np.arange(count) % len(self._config.label_shifts)

    def seen(self, rows: Rows, delays: Rows | int = 0) -> Rows:
        """The rows (B, n) that samples of `rows` look at, delayed by `delays` ticks; they stay within the episode."""
        starts = self._tick_table.starts(rows)[:, None]
        if self._config.recurrent:
            # Sequences end within their episode; a shorter episode's first tick is repeated.
            ticks = np.arange(self._config.sequence)
            first = np.minimum(rows, self._tick_table.stops(rows) - len(ticks))
            seen = first[:, None] + ticks
        else:
            seen = rows[:, None] - np.asarray(self._config.history if self._spec.sees_screen else (0,))
        return np.asarray(np.maximum(seen - np.reshape(delays, (-1, 1)), starts), np.int64)

    def held(self, rows: Rows) -> npt.NDArray[np.int64]:
        """The action held at rows (n,), and for how long: int64 (n, 2); see Batch."""
        earlier = rows[:, None] - 1 - np.arange(AGES)
        starts = self._tick_table.starts(rows)[:, None]
        actions = np.where(earlier >= starts, self._tick_table.actions(np.maximum(earlier, starts)), -1)
        same = np.logical_and.accumulate(actions == actions[:, :1], axis=1).sum(axis=1)
        begun = actions[:, 0] < 0
        return np.stack([np.where(begun, IDLE, actions[:, 0]), np.where(begun, 1, same)], axis=1)

    def before(self, rows: Rows) -> npt.NDArray[np.int64]:
        """The actions before rows (n,), the last one at the end: int64 (n, TrainConfig.action_history); see Batch."""
        earlier = rows[:, None] + np.arange(-self._config.action_history, 0)
        starts = self._tick_table.starts(rows)[:, None]
        actions = self._tick_table.actions(np.maximum(earlier, starts))
        return np.asarray(np.where(earlier >= starts, actions, IDLE), np.int64)

    def gather(self, rows: Rows, shifts: npt.NDArray[np.int64], take: Take) -> Batch:
        """The samples of rows (B,) with label shifts (B,); `take` returns the inputs of rows (…)."""
        inputs = self._inputs(rows, np.asarray(self._config.label_shifts)[shifts], take)
        labels = self._tick_table.actions(self.seen(rows) if self._config.recurrent else rows)
        ahead = held = before = np.empty((len(rows), 0), np.int64)
        if self._spec.discrete:
            held, before = self.held(rows), self.before(rows)
            longest = max(self._config.label_windows[-1], *self._config.aims, 1)
            ahead = self._tick_table.actions(self._following(rows, np.arange(longest)))
        later = np.empty((len(rows), 0, 0), np.float32)
        if self._tick_table.locate is not None and self._config.aims:
            later = take(self._following(rows, np.array(self._config.aims)))
        return Batch(inputs, labels, ahead, held, before, later, shifts, np.arange(len(rows)), len(rows))

    def _following(self, rows: Rows, ticks: Rows) -> Rows:
        """The rows (B, n) so many ticks after rows (B,); they stay within the episode."""
        return np.asarray(np.minimum(rows[:, None] + ticks, self._tick_table.stops(rows)[:, None] - 1), np.int64)

    def _inputs(self, rows: Rows, delays: npt.NDArray[np.int64], take: Take) -> Array:
        """The inputs of rows, delayed by `delays` (B,) ticks; the player's own positions or rows are not delayed."""
        seen = self.seen(rows, delays)
        inputs = take(seen if self._spec.sees_screen or self._config.recurrent else seen[:, 0])
        late = np.flatnonzero(delays)
        if self._spec.sees_screen and len(late):
            now = take(self.seen(rows[late]))
            if self._tick_table.locate is not None:
                inputs[late] = np.where(self.own_positions, now, inputs[late])
            else:
                down, across = self._config.hidden_pixels(self._spec.frame_shape[1])
                inputs[late, :, down, across] = now[:, :, down, across]
        return inputs
