"""The perceptrons of a network that plays from positions, and their dropout."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

_BYTES = 8  # of a draw
_VALUES = 256  # of a byte


def perceptron(inputs: int, widths: Sequence[int], outputs: int, dropout: float) -> nn.Sequential:
    """Float32 (B, inputs) to (B, outputs), through layers of these widths with ReLU and dropout."""
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise((inputs, *widths)):
        layers += [nn.Linear(width_in, width_out), nn.ReLU(), Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


class Dropout(nn.Module):
    """Leaves out a share of the values at random while training, and enlarges the others (Srivastava et al. 2014).

    On a CPU, torch.nn.Dropout draws a number for each value, one after the other: that took more than a quarter of a
    perceptron's training. Here one draw decides on eight values, so the share is rounded to 1/256.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = share
        self._least = round(share * _VALUES)

    def forward(self, values: Tensor) -> Tensor:
        if not self.training or not self._least:
            return values
        if values.device.type != "cpu":
            return nn.functional.dropout(values, self._share)
        draws = torch.empty(-(-values.numel() // _BYTES), dtype=torch.int64).random_(-(2**63), None)
        kept = draws.view(torch.uint8)[: values.numel()].view(values.shape) >= self._least
        return values * kept.float().mul_(_VALUES / (_VALUES - self._least))
