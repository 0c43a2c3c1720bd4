"""What a network makes of its input before its last layer: the features by which moments are alike. Imports torch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from trainer.policy.networks import Net, RecurrentNet
from trainer.policy.policy import Policy


class LastFeatures:
    """`value` are the features of the last input, float32 (n,), once there was one."""

    def __init__(self) -> None:
        self.value: npt.NDArray[np.float32] = np.empty(0, np.float32)

    def note(self, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Called with what goes into the last layer, float (B, …, n)."""
        given: torch.Tensor = inputs[0]
        self.value = np.asarray(given.detach().float().reshape(-1, given.shape[-1])[-1].cpu().numpy(), np.float32)


@contextlib.contextmanager
def noting_features(policy: Policy) -> Iterator[LastFeatures]:
    """While a policy acts, note the features of what it sees."""
    features = LastFeatures()
    handle = _last_layer(policy.net).register_forward_pre_hook(features.note)
    try:
        yield features
    finally:
        handle.remove()


def _last_layer(net: Net) -> nn.Module:
    if isinstance(net, RecurrentNet):
        return net.head
    body = net.body
    assert isinstance(body, nn.Sequential)
    return body[-1]
