"""The optimisers take the very steps of torch.optim's."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from trainer.learn.optimizer import SGD, AdamW


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_weights_and_state_are_those_of_torchs_classes_to_the_last_bit(kind: str) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(144, 5)).to(memory_format=torch.channels_last)
    frozen = net[0].bias
    assert isinstance(frozen, nn.Parameter)
    frozen.requires_grad_(False)
    twin = copy.deepcopy(net)
    ours = AdamW(net.parameters(), 0.05) if kind == "adam" else SGD(net.parameters(), 0.05)
    theirs: torch.optim.Optimizer
    if kind == "adam":
        theirs = torch.optim.AdamW(twin.parameters(), 1.0, weight_decay=0.05, fused=True)
    else:
        theirs = torch.optim.SGD(twin.parameters(), 1.0, momentum=0.9, weight_decay=0.05)
    for step in range(1, 6):
        screens = torch.randn(3, 2, 8, 8).to(memory_format=torch.channels_last)
        for optimizer, trained in ((ours, net), (theirs, twin)):
            optimizer.zero_grad()
            torch.autograd.backward(trained(screens).square().sum())
        ours.step(0.1 / step)
        for group in theirs.param_groups:
            group["lr"] = 0.1 / step
        theirs.step()
    for mine, other in zip(net.parameters(), twin.parameters(), strict=True):
        assert torch.equal(mine, other)
        states = ours.state[mine], theirs.state[other]
        assert states[0].keys() == states[1].keys()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
        assert all(states[0][name].stride() == states[1][name].stride() for name in states[0])
    assert not ours.state[frozen]
