"""The weights of a training that may become its policy, and the policy files made from them.

loss    lowest loss on held-out ticks      check   best score in test games during training      last   the last ones
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer.data.temporary import TemporaryFolder
from trainer.learn.learner import Learner, below
from trainer.policy.policy_file import save_policy

REASONS = ("loss", "check", "last")

Weights = dict[str, Tensor]


class KeptWeights:
    """Averaged weights of the learner, by the reason to keep them; `header` makes the header of a policy with those of
    a reason.
    """

    def __init__(self, learner: Callable[[], Learner], header: Callable[[str], dict[str, Any]]) -> None:
        self._learner, self._header = learner, header
        self._by_reason: dict[str, Weights] = {}
        self._temporary = TemporaryFolder()
        self._files = 0

    def __contains__(self, reason: str) -> bool:
        return reason in self._by_reason

    @property
    def reasons(self) -> list[str]:
        """The reasons for which weights are kept, in the order of REASONS."""
        return [reason for reason in REASONS if reason in self._by_reason]

    def present(self) -> Weights:
        """A copy of the current averaged weights."""
        return copy.deepcopy(self._learner().average.state_dict())

    def keep(self, reason: str, weights: Weights | None = None) -> None:
        """Keep weights (default: the current ones); they replace those kept for the same reason."""
        self._by_reason[reason] = weights or self.present()

    def drop(self, reason: str) -> None:
        """Stop keeping the weights of this reason."""
        del self._by_reason[reason]

    def same(self, one: str, other: str) -> bool:
        """Whether the weights kept for two reasons are the same."""
        weights, others = self._by_reason[one], self._by_reason[other]
        return all(torch.equal(weight, others[name]) for name, weight in weights.items())

    def save(self, reason: str, out: Path) -> None:
        """Write the weights of this reason as a policy. Raises PolicyError."""
        self._write(self._by_reason[reason], out, reason)

    def file(self, weights: str | Weights) -> Path:
        """A temporary policy file, for test games, of the weights kept for a reason or of given weights."""
        self._files += 1
        path = self._temporary.path / f"{self._files}.safetensors"
        if isinstance(weights, str):
            self._write(self._by_reason[weights], path, weights)
        else:
            self._write(weights, path)
        return path

    def tensors(self) -> dict[str, Tensor]:
        """All kept weights, for a checkpoint."""
        kept = self._by_reason.items()
        return {f"kept/{reason}/{name}": value for reason, weights in kept for name, value in weights.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """The inverse of `tensors`. Raises ValueError for weights of another network."""
        expected = {name: value.shape for name, value in self._learner().average.state_dict().items()}
        device = self._learner().device
        for reason in REASONS:
            weights = {name: value.to(device) for name, value in below(tensors, f"kept/{reason}").items()}
            if weights and {name: value.shape for name, value in weights.items()} != expected:
                raise ValueError(f"the weights kept for {reason} belong to another network")
            if weights:
                self._by_reason[reason] = weights

    def close(self) -> None:
        """Remove the temporary files."""
        self._temporary.close()

    def _write(self, weights: Weights, path: Path, reason: str = "") -> None:
        net = copy.deepcopy(self._learner().average)
        net.load_state_dict(weights)
        save_policy(path, net, self._header(reason))
