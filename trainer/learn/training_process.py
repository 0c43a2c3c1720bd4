"""The work of each process of a training, one or many: load its ticks, then take one step after another.

    first      load ─▶ start ─▶ take_step(1) ─▶ take_step(2) …     when `trainer.learn.stages` wants a step
    others     follow: the same steps as the first process, until it ends the training

All draw from random generators with the same state, so after a step all have the same weights: a checkpoint needs only
one process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from recorder.store.session import Session
from recorder.system.cores import available_cores
from trainer.config import TrainConfig
from trainer.data.dataset import Dataset
from trainer.distributed import ProcessGroup
from trainer.learn.learner import Learner, one_cycle
from trainer.policy.networks import Net

_MOVEMENTS = 20_000  # samples, to learn how actions move the player's own positions
_WAVES = (16, 32, 64)  # pixels: consoles draw figures in rows and columns, 8 or 16 pixels apart


class TrainingProcess:
    """The data and the learner of one process; see Dataset and Learner for what they raise.

    With a `parent`, learning goes on from its weights.
    """

    def __init__(
        self,
        sessions: Sequence[Session],
        config: TrainConfig,
        episodes: Mapping[str, Collection[int]],
        group: ProcessGroup,
        parent: Net | None = None,
    ) -> None:
        self.config = config
        self.group = group
        self._sessions, self._episodes, self._parent = sessions, episodes, parent
        self._spec = sessions[0].spec
        torch.set_num_threads(config.threads or available_cores(sharing=group.local_size))
        self.begin()
        self.data = Dataset(sessions, config, episodes, group)

    def begin(self) -> None:
        """Start with a newly initialised network, or from the parent. Raises RuntimeError for another network's."""
        torch.manual_seed(self.config.seed)
        self.learner = Learner(self.config, self._spec, self.group.device)
        if self._parent is not None:
            self.learner.begin_from(self._parent)
        self.rng = np.random.default_rng(self.config.seed)

    def load(self) -> Iterator[float]:
        """Read what this process needs; yields the fraction done. A network that sees is the first process's."""
        if self.config.perceives:
            self.see(self.group.copies(self.learner.sight()))
        with self.group.all_or_none():
            yield from self.data.load()
        if self.config.perceives:
            self.learner.set_follows(self.data.follows)
            self.fit_steering()
        elif self._parent is None:
            self.learner.set_statistics(*self.data.statistics())

    def fit_steering(self) -> None:
        """Learn how actions move the player's own positions, from what is loaded, if the network steers."""
        if self.config.aims:
            self.learner.fit_steering(self.data.some(_MOVEMENTS))

    def see(self, sight: Mapping[str, Tensor]) -> None:
        """Use these tensors to see from the next `load` on (Learner.sight). Raises ValueError and RuntimeError for
        those of another network.
        """
        self.learner.see(sight)
        self.data.locate_with(self.learner.locate, self.learner.own_positions)

    def without_perception(self, reason: str) -> TrainingProcess:
        """One in the place of this one, which is closed; it learns from screens alone, for a reason."""
        self.close()
        config = self.config.without_perception(self._spec.name)
        with self.group.all_or_none():
            process = TrainingProcess(self._sessions, config, self._episodes, self.group)
        process.data.warnings.append(f"the policy learns from screens alone: {reason}")
        return process

    def with_positions(self, count: int) -> TrainingProcess:
        """This one, if its network can have so many positions. Else it is closed, and one with a larger network takes
        its place, which also sees the positions' sines and cosines (KeypointNet).
        """
        if count <= self.config.positions:
            return self
        self.close()
        config = self.config.with_changes(positions=count, waves=self.config.waves or _WAVES)
        with self.group.all_or_none():
            return TrainingProcess(self._sessions, config, self._episodes, self.group)

    def start(self, restore: Callable[[], None] | None) -> None:
        """Synchronise before the first step; on the first process, `restore` loads a checkpoint, for all."""
        with self.group.all_or_none():
            if restore:
                restore()
        self.learner.join(self.group)
        if self.group.agree(restore is not None):
            tensors = self.group.copies(self.learner.tensors())
            generator = self.group.agree(self.rng.bit_generator.state)
            if not self.group.first:
                self.learner.restore(tensors)
                self.rng.bit_generator.state = generator

    def take_step(self, number: int, used: float) -> tuple[float, float | None]:
        """Take step `number` (from 1) on all processes, at a share of the budget; returns loss and accuracy, if any."""
        self.group.order(number, used)
        return self._step(number, used)

    def follow(self) -> None:
        """For the other processes: everything from `load` to the last step that the first one orders."""
        for _ in self.load():
            pass
        self.start(None)
        for number, used in self.group.orders():
            self._step(number, used)

    def close(self) -> None:
        """Remove temporary files."""
        self.data.close()

    def _step(self, number: int, used: float) -> tuple[float, float | None]:
        rate = self.config.learning_rate * one_cycle(used, self.config.warm_up)
        batch = self.data.draw(self.rng, self.config.batch_size)
        return self.learner.step(batch, number, rate, self.rng)
