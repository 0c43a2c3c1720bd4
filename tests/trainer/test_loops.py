"""Out of endless loops."""

from __future__ import annotations

import numpy as np
import pytest

from recorder import Session
from recorder.envs.registry import get_spec
from trainer import TrainConfig
from trainer.policy.action_selection import ActionSelection
from trainer.policy.keypoints import KeypointNet
from trainer.policy.loops import NONE, LoopBreaker
from trainer.policy.networks import build
from trainer.policy.policy import Policy

PLANS = (5, 6, 9)


def _plans(places: np.ndarray) -> list[int]:
    """The plan of each tick for these positions (ticks, 2), with the noise of positions found on screens, and for own
    ones that never repeat.
    """
    rng = np.random.default_rng(3)
    breaker = LoopBreaker(PLANS, np.array([False, False, True]))
    seen = np.concatenate([places + rng.normal(0, 0.02, places.shape), rng.normal(0, 1, (len(places), 1))], axis=1)
    return [breaker.plan(row, rng) for row in seen.astype(np.float32)]


def _round(ticks: int, period: int) -> np.ndarray:
    """A ball that goes up and down and to and fro, and is at the same place again after `period` ticks."""
    phase = np.arange(ticks) / period
    return np.stack([np.abs(phase % 1 - 0.5) * 4, np.abs(2 * phase % 1 - 0.5) * 4], axis=1)


@pytest.mark.parametrize("period", [61, 184, 368])
def test_who_sees_the_same_again_tries_one_plan_after_the_other_after_at_most_two_rounds(period: int) -> None:
    plans = _plans(_round(2_000, period))
    begun = next(tick for tick, plan in enumerate(plans) if plan != NONE)
    assert begun <= max(2 * period, period + 200) + 60
    assert set(plans[begun:]) == set(PLANS)
    assert all(len(set(plans[tick : tick + 60])) == 1 for tick in range(59, 1_900, 60))


def test_who_sees_something_new_goes_straight_to_the_aim() -> None:
    balls = np.cumsum(np.random.default_rng(0).normal(0, 0.1, (3_000, 2)), axis=0)
    assert set(_plans(balls)) == {NONE}


def test_out_of_the_loop_it_goes_straight_again() -> None:
    there = _round(1_000, 184)
    plans = _plans(np.concatenate([there, there[:500] * [1, -0.6] + [0.3, 1.0]]))
    assert plans[999] != NONE
    assert set(plans[999 + 120 : 999 + 360]) == {NONE}


@pytest.mark.parametrize("leaves", [True, False])
def test_a_clone_that_steers_leaves_loops_only_if_it_is_to(breakout: Session, leaves: bool) -> None:
    spec, config = get_spec("breakout"), TrainConfig.for_env("breakout")
    net = build(config, spec)
    assert isinstance(net, KeypointNet)
    net.own[2] = True
    policy = Policy(net, spec, config, selection=ActionSelection(0.0, (1,), aim=4, leaves_loops=leaves))

    def plan() -> int:
        policy.act(breakout.frames[0])
        return policy.beside()

    assert ({plan() for _ in range(300)} != {NONE}) == leaves
    policy.reset()
    assert plan() == NONE  # it has seen nothing yet
