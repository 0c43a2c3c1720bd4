"""Labels and loss functions, for discrete and for continuous actions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recorder.envs.spec import EnvSpec
from trainer.config import TrainConfig
from trainer.data.samples import Batch


class Loss(ABC):
    """Labels and loss of one kind of action. Outputs are (B, …, K, m): a row for each window of each label shift."""

    def __init__(self, config: TrainConfig) -> None:
        self._config = config

    @abstractmethod
    def labels(self, batch: Batch) -> Tensor:
        """The demonstrator's actions: (B, …)."""

    @abstractmethod
    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """The mean loss over the batch, for an output that `of_shift` returned."""

    @abstractmethod
    def hits(self, output: Tensor, labels: Tensor) -> Tensor | None:
        """The number of samples whose most likely action is the one taken; None for continuous actions."""

    def of_shift(self, output: Tensor, batch: Batch) -> Tensor:
        """The outputs of each sample's label shift, (B, …, windows, m), out of all outputs (B, …, K, m)."""
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
    """Cross-entropy between the actions' shares in each window and their logits, both (B, windows, actions)."""

    def labels(self, batch: Batch) -> Tensor:
        """The actions of the next ticks, int64 (B, L)."""
        return torch.from_numpy(batch.ahead)

    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """The mean loss of logits (B, windows, actions) for actions (B, L)."""
        shares = shares_ahead(labels, self._config.label_windows, output.shape[-1])
        return nn.functional.cross_entropy(output.flatten(0, 1), shares.flatten(0, 1))

    def hits(self, output: Tensor, labels: Tensor) -> Tensor | None:
        """By the first window: the tick's own action."""
        return (output.detach()[:, 0].argmax(1) == labels[:, 0]).sum()


class ContinuousLoss(Loss):
    """The mean squared error (Pomerleau 1991) of actions (B, …, m); outputs beyond a limit cost nothing.

    An action at its limit says only that the demonstrator wanted at least that much (Tobin 1958, "Estimation of
    relationships for limited dependent variables"). A larger output is no error, since play clips it.
    """

    def labels(self, batch: Batch) -> Tensor:
        """Actions, float32 (B, …, m)."""
        return torch.from_numpy(batch.labels)

    def of_shift(self, output: Tensor, batch: Batch) -> Tensor:
        """Continuous actions have one window."""
        return super().of_shift(output, batch)[..., 0, :]

    def __call__(self, output: Tensor, labels: Tensor) -> Tensor:
        """The mean loss of actions for actions of the same shape."""
        beyond = ((labels >= 1) & (output > labels)) | ((labels <= -1) & (output < labels))
        return torch.where(beyond, 0.0, output - labels).square().mean()

    def hits(self, output: Tensor, labels: Tensor) -> Tensor | None:
        """None."""
        return None


def shares_ahead(labels: Tensor, windows: Sequence[int], actions: int) -> Tensor:
    """The share of each action in each window, (B, windows, actions), from the next ticks' actions int64 (B, L)."""
    each = nn.functional.one_hot(labels, actions).float()
    return torch.stack([each[:, :window].mean(dim=1) for window in windows], dim=1)
