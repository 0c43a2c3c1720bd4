"""What is to be learned of a batch, and by how much an output misses it: a loss for each kind of action."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recorder.envs.spec import EnvSpec
from trainer.config import TrainConfig
from trainer.data.samples import Batch


class Loss(ABC):
    """See the module's docstring. Networks answer once for each window of each label shift: outputs (B, …, K, m)."""

    def __init__(self, config: TrainConfig) -> None:
        self._config = config

    @abstractmethod
    def labels(self, batch: Batch) -> Tensor:
        """What was done: (B, …)."""

    @abstractmethod
    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """The mean over the batch of what `of_shift` returned."""

    @abstractmethod
    def hits(self, output: Tensor, labels: Tensor) -> Tensor | None:
        """In how many samples the likeliest action is the one that was taken; None where that means nothing."""

    def of_shift(self, output: Tensor, batch: Batch) -> Tensor:
        """Of outputs (B, …, K, m) those of each sample's label shift, (B, …, windows, m)."""
        windows = len(self._config.label_windows)
        shifts = torch.from_numpy(batch.shifts).to(output.device)
        outputs = output.view(*output.shape[:-2], len(self._config.label_shifts), windows, output.shape[-1])
        found: Tensor = outputs[torch.arange(len(shifts), device=output.device), ..., shifts, :, :]
        return found

    @staticmethod
    def of(config: TrainConfig, spec: EnvSpec) -> Loss:
        """The loss for an environment's actions."""
        return DiscreteLoss(config) if spec.discrete else ContinuousLoss(config)


class DiscreteLoss(Loss):
    """Cross-entropy between the shares of the actions in each window, (B, windows, actions), and logits of them."""

    def labels(self, batch: Batch) -> Tensor:
        """The actions of the next ticks, int64 (B, L)."""
        return torch.from_numpy(batch.ahead)

    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """Of logits (B, windows, actions) and actions (B, L)."""
        shares = shares_ahead(labels, self._config.label_windows, output.shape[-1])
        return nn.functional.cross_entropy(output.flatten(0, 1), shares.flatten(0, 1))

    def hits(self, output: Tensor, labels: Tensor) -> Tensor | None:
        """By the first window, which is of the tick itself."""
        return (output.detach()[:, 0].argmax(1) == labels[:, 0]).sum()


class ContinuousLoss(Loss):
    """The mean squared error (Pomerleau 1991), where torques (B, …, m) go on beyond their limit for nothing.

    An action at its limit tells only that the demonstrator wanted that much or more (Tobin 1958, "Estimation of
    relationships for limited dependent variables"): going further is no error, as play clips it.
    """

    def labels(self, batch: Batch) -> Tensor:
        """Torques, float32 (B, …, m)."""
        return torch.from_numpy(batch.labels)

    def of_shift(self, output: Tensor, batch: Batch) -> Tensor:
        """Torques have one window."""
        return super().of_shift(output, batch)[..., 0, :]

    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """Of two of torques."""
        beyond = ((labels >= 1) & (output > labels)) | ((labels <= -1) & (output < labels))
        return torch.where(beyond, 0.0, output - labels).square().mean()

    def hits(self, output: Tensor, labels: Tensor) -> Tensor | None:
        """None."""
        return None


def shares_ahead(labels: Tensor, windows: Sequence[int], actions: int) -> Tensor:
    """Of the actions int64 (B, L) of the next ticks, the share of each action in each window: (B, windows, actions)."""
    each = nn.functional.one_hot(labels, actions).float()
    return torch.stack([each[:, :window].mean(dim=1) for window in windows], dim=1)
