"""How much arithmetic a clone took."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from recorder import get_spec
from trainer import Policy, TrainConfig
from trainer.config import LOOK_SHARE
from trainer.learn.operations import Operations
from trainer.policy.keypoints import KeypointNet
from trainer.policy.networks import ScreenNet, build


@pytest.mark.parametrize("network", ["mlp", "lstm"])
def test_of_vectors_it_is_two_for_each_weight(network: str) -> None:
    config = TrainConfig.for_env("hopper", network=network)
    net = build(config, get_spec("hopper"))
    weights = sum(weight.numel() for weight in net.parameters() if weight.dim() == 2)
    assert Operations.of(net, config) == Operations(0, 2 * weights)


@pytest.mark.parametrize(
    ("env", "network"),
    [("breakout", "keypoints"), ("breakout", "nature"), ("breakout", "article64"), ("hopper", "mlp")],
)
def test_torch_counts_as_many(env: str, network: str) -> None:
    config = TrainConfig.for_env(env, network=network)
    net = build(config, get_spec(env)).eval()
    found = Operations.of(net, config)
    shown = torch.zeros(1, dtype=torch.bool)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        if isinstance(net, KeypointNet):
            net.locate(torch.zeros(1, 2, *net.locator.mean.shape, dtype=torch.uint8))
            seen = torch.zeros(1, len(config.history), config.positions)
            net(net.prepare(seen, shown), torch.ones(1, 2, dtype=torch.long))
            assert net.steering is not None
            net.steering(seen, net.own)
        elif isinstance(net, ScreenNet):
            net(net.prepare(torch.zeros(1, len(config.history), *net.mean.shape, dtype=torch.uint8), shown))
        else:
            net(net.prepare(torch.zeros(1, *net.mean.shape), shown))
    assert found.screen + found.answer == counter.get_total_flops() > 0


def test_a_training_counts_seeing_locating_learning_and_games(breakout_policy: Path, nature_policy: Path) -> None:
    nature = Policy.load(nature_policy)
    answer = Operations.of(nature.net, nature.config).answer
    batches = nature.header["training"]["batches"]
    assert nature.header["training"]["operations"] == 3 * answer * batches * nature.config.batch_size

    policy = Policy.load(breakout_policy)
    assert isinstance(policy.net, KeypointNet)
    one = Operations.of(policy.net, policy.config)
    (session,) = policy.header["sessions"]
    learned = policy.header["training"]["batches"] * policy.config.batch_size
    least = one.whole(64 * int(LOOK_SHARE * 12), session["ticks"], learned, 0)
    assert least < policy.header["training"]["operations"] < 10 * least
