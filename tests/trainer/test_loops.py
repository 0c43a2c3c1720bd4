"""Out of endless loops."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from torch import Tensor

from recorder import Session
from recorder.envs.registry import get_spec
from trainer import TrainConfig
from trainer.policy.action_selection import ActionSelection
from trainer.policy.keypoints import KeypointNet
from trainer.policy.loops import LoopBreaker
from trainer.policy.networks import build
from trainer.policy.policy import Policy
from trainer.policy.steering import STRAIGHT

PLANS = (5, 6, 9)


def _plans(places: np.ndarray) -> list[int]:
    """The plan of each tick: `places` (ticks, 2) are seen with some noise, beside own positions that never repeat."""
    rng = np.random.default_rng(3)
    breaker = LoopBreaker(PLANS, np.array([False, False, True]), 60.0)
    seen = np.concatenate([places + rng.normal(0, 0.02, places.shape), rng.normal(0, 1, (len(places), 1))], axis=1)
    return [breaker.plan(row, rng) for row in seen.astype(np.float32)]


def _round(ticks: int, period: int) -> np.ndarray:
    """A ball that goes up and down and to and fro, and is at the same place again after `period` ticks."""
    phase = np.arange(ticks) / period
    return np.stack([np.abs(phase % 1 - 0.5) * 4, np.abs(2 * phase % 1 - 0.5) * 4], axis=1)


@pytest.mark.parametrize("period", [61, 184, 368])
def test_who_sees_the_same_again_tries_one_plan_after_the_other_after_at_most_two_rounds(period: int) -> None:
    plans = _plans(_round(2_000, period))
    begun = next(tick for tick, plan in enumerate(plans) if plan != STRAIGHT)
    assert begun <= max(2 * period, period + 200) + 60
    assert set(plans[begun:]) == set(PLANS)
    assert all(len(set(plans[tick : tick + 60])) == 1 for tick in range(59, 1_900, 60))


def test_who_sees_something_new_goes_straight_to_the_aim() -> None:
    balls = np.cumsum(np.random.default_rng(0).normal(0, 0.1, (3_000, 2)), axis=0)
    assert set(_plans(balls)) == {STRAIGHT}


def test_out_of_the_loop_it_goes_straight_again() -> None:
    there = _round(1_000, 184)
    plans = _plans(np.concatenate([there, there[:500] * [1, -0.6] + [0.3, 1.0]]))
    assert plans[999] != STRAIGHT
    assert set(plans[999 + 120 : 999 + 360]) == {STRAIGHT}


def test_who_sees_nothing_else_at_all_is_in_no_loop() -> None:
    rng = np.random.default_rng(0)
    breaker = LoopBreaker(PLANS, np.array([True, False]), 60.0)
    assert {breaker.plan(np.array([place, 0.0], np.float32), rng) for place in rng.normal(0, 1, 1_000)} == {STRAIGHT}


def test_a_slower_game_repeats_as_many_seconds() -> None:
    rng = np.random.default_rng(3)
    breaker = LoopBreaker(PLANS, np.array([False, False]), 15.0)
    plans = [breaker.plan(row, rng) for row in _round(500, 46).astype(np.float32)]
    begun = next(tick for tick, plan in enumerate(plans) if plan != STRAIGHT)
    assert begun <= 2 * 50 + 15
    assert all(len(set(plans[tick : tick + 15])) == 1 for tick in range(14, 480, 15))


@pytest.mark.parametrize("leaves", [True, False])
def test_a_clone_that_steers_leaves_loops_only_if_it_is_to(
    breakout: Session, leaves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, config = get_spec("breakout"), TrainConfig.for_env("breakout")
    net = build(config, spec)
    assert isinstance(net, KeypointNet)
    assert net.steering is not None
    net.own[2] = True
    policy = Policy(net, spec, config, selection=ActionSelection(0.5, (1,), aim=4, leaves_loops=leaves))
    asked: list[tuple[list[int], int]] = []
    distances = net.steering.distances

    def watched(positions: Tensor, own: Tensor, aims: list[int], before: list[deque[int]], beside: list[int]) -> object:
        asked.append((list(before[0]), beside[0]))
        return distances(positions, own, aims, before, beside)

    monkeypatch.setattr(net.steering, "distances", watched)
    actions = [policy.act(breakout.frames[0]) for _ in range(300)]
    assert len(set(actions)) > 1
    assert [before for before, _ in asked] == [([0] * 4 + actions)[tick : tick + 4] for tick in range(300)]
    sidesteps = {plan for _, plan in asked} - {STRAIGHT}
    assert bool(sidesteps) == leaves
    assert sidesteps <= set(net.steering.sidesteps(2))
    policy.reset()
    policy.act(breakout.frames[0])
    assert asked[-1] == ([0] * 4, STRAIGHT)  # it has seen and done nothing yet
