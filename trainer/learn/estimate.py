"""Estimates how long a training will take on this machine, by timing each of its parts for a moment."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from trainer.config import LOOK_SHARE, TrainConfig
from trainer.policy.keypoints import KeypointNet

_TRIED_S = 0.1  # for each part
_SCREENS, _BATCH = 64, 64
_READ_S = 1.5e-4  # to read, preprocess and store a tick
_EMULATED_S = 8e-4  # to play a tick, without locating: the emulator, the screen, the choice of action
_GATHERED = 1.6  # a step including its samples, relative to one without


@dataclass(frozen=True)
class Estimate:
    """`seconds` until the end, and `first_s` until the first clone can be watched."""

    seconds: float
    first_s: float

    def __str__(self) -> str:
        whole, first = _minutes(self.seconds), _minutes(self.first_s)
        return f"about {whole} on this computer; a first version can be watched after {first}"


def estimate(
    net: KeypointNet, config: TrainConfig, ticks: int, sampled: int, first: tuple[float, int], played: int, cores: int
) -> Estimate:
    """The estimate for a training on `ticks` ticks, with `sampled` screens for learning to see.

    `first` is the share of learning to see after which the first clone is trained, and its number of batches; `played`
    are the ticks of the test games, played by `cores` processes. Takes less than half a second.
    """
    net = copy.deepcopy(net).requires_grad_(True)
    device = net.locator.mean.device
    screens = torch.zeros(_SCREENS, 2, *net.locator.mean.shape, dtype=torch.uint8, device=device)
    targets = torch.zeros(_BATCH, config.positions, device=device)
    positions = torch.zeros(config.batch_size, len(config.history), config.positions, device=device)
    hidden = torch.zeros(config.batch_size, dtype=torch.bool, device=device)
    held = torch.ones(config.batch_size, 2, dtype=torch.long, device=device)

    def look() -> None:
        found = net.locator(net.locator.scaled(screens[:_BATCH]))
        torch.autograd.backward(nn.functional.smooth_l1_loss(found, targets))

    def locate() -> None:
        with torch.inference_mode():
            net.locate(screens)

    def step() -> None:
        loss = net(net.prepare(positions, hidden), held).square().mean()
        if net.steering is not None:
            loss = loss + net.steering(positions, net.own).square().mean()
        torch.autograd.backward(loss)

    # Dropout is drawn as often as the time allows; the training must not depend on that.
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        looking, locating, learning = _seconds_of(look), _seconds_of(locate) / _SCREENS, _GATHERED * _seconds_of(step)
    if config.perception_batches is None or config.max_batches is None:
        assert config.max_seconds is not None
        seen, learned = LOOK_SHARE * config.max_seconds, (1 - LOOK_SHARE) * config.max_seconds
    else:
        seen, learned = looking * config.perception_batches, learning * config.max_batches
        if config.max_seconds is not None:
            seen = min(seen, LOOK_SHARE * config.max_seconds)
            learned = min(learned, (1 - LOOK_SHARE) * config.max_seconds)
    share, batches = first
    first_s = share * seen + sampled * (locating + _READ_S) + batches * learning
    whole = seen + first_s - share * seen + ticks * (locating + _READ_S) + learned
    # All cores locate together here; at play each of them locates for its own games.
    return Estimate(whole + played * (locating + _EMULATED_S / cores), first_s)


def _seconds_of(part: Callable[[], None]) -> float:
    """The minimum of several timings."""
    part()
    began, least = time.perf_counter(), math.inf
    while time.perf_counter() - began < _TRIED_S:
        start = time.perf_counter()
        part()
        least = min(least, time.perf_counter() - start)
    return least


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} seconds"
    return f"{seconds / 60:.0f} minutes"
