"""What a clone looks at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from recorder import Session, get_spec
from trainer import Policy, PolicyError, TrainConfig
from trainer.policy.networks import ScreenNet
from trainer.policy.saliency import attribute

ROWS, COLUMNS = slice(50, 60), slice(20, 30)  # of the 84 x 84 that the network sees


def one_eyed() -> Policy:
    """A linear policy that looks at one patch of the newest screen, and moves right when something is there."""
    config = TrainConfig.for_env("breakout", network="nature", max_batches=1)
    depth = len(config.history)
    body = nn.Sequential(nn.Flatten(), nn.Linear(depth * 84 * 84, 4))
    weights = torch.zeros(4, depth, 84, 84)
    weights[2, 0, ROWS, COLUMNS] = 1.0
    weights[2, 1] = 1.0  # of an older screen, which is not asked about
    with torch.no_grad():
        body[1].weight.copy_(weights.flatten(1))
        body[1].bias.zero_()
    return Policy(ScreenNet(body, config, (1, 1, 4), 160), get_spec("breakout"), config)


def test_a_policy_that_looks_at_one_place_is_seen_to_look_there() -> None:
    policy = one_eyed()
    screen = np.full((210, 160, 3), 200, np.uint8)
    looks = policy.attention(screen, [])
    assert (looks.shape, looks.dtype, looks.max()) == ((210, 160), np.uint8, 255)
    top, bottom = policy.config.crop
    rows, columns = np.nonzero(looks > 127)
    high, wide = (bottom - top) / 84, 160 / 84
    assert rows.min() == pytest.approx(top + ROWS.start * high, abs=3)
    assert rows.max() == pytest.approx(top + ROWS.stop * high, abs=3)
    assert columns.min() == pytest.approx(COLUMNS.start * wide, abs=3)
    assert columns.max() == pytest.approx(COLUMNS.stop * wide, abs=3)
    assert not looks[:top].any()
    assert not looks[:, 100:].any()


def test_where_nothing_is_nothing_speaks_for_an_action() -> None:
    policy = one_eyed()
    screen = np.full((210, 160, 3), 200, np.uint8)
    screen[:, :80] = 0  # the mean screen of this network is black
    assert not policy.attention(screen, []).any()


def test_all_pixels_together_are_what_the_screen_adds_to_the_logit(minute: Session, nature_policy: Path) -> None:
    policy = Policy.load(nature_policy)
    assert isinstance(policy.net, ScreenNet)
    differences = []
    for tick in (200, 700, 1_300, 2_000):
        policy.reset()
        for each in range(tick - 20, tick):
            seen = policy.see(minute.frames[each])
        prepared = policy.net.prepare(torch.from_numpy(seen[None]), torch.tensor([False]))
        nothing = prepared.clone()
        nothing[:, 0] = 0
        for action in range(4):
            whole = float(attribute(policy.net, prepared, 0, action).sum())
            with torch.inference_mode():
                difference = float((policy.net(prepared) - policy.net(nothing))[0, 0, action])
            differences.append((whole, difference))
    whole, difference = np.array(differences).T
    assert np.abs(difference).max() > 0
    assert np.abs(whole - difference).max() < 0.1 * np.abs(difference).max()


def test_the_same_is_seen_in_play_and_from_the_screens_before(breakout: Session, breakout_policy: Path) -> None:
    policy, other = Policy.load(breakout_policy, seed=1), Policy.load(breakout_policy, seed=1)
    for tick in range(300, 330):
        assert policy.act(breakout.frames[tick]) == other.act(breakout.frames[tick])
        policy.attention(breakout.frames[tick + 1])  # and it does not disturb the game
    before = [breakout.frames[tick] for tick in range(330 - policy.reach, 330)]
    np.testing.assert_array_equal(
        policy.attention(breakout.frames[330]), other.fork(5).attention(breakout.frames[330], before)
    )


def test_a_clone_of_vectors_has_no_screen_to_look_at(hopper: Session, hopper_policy: Path) -> None:
    with pytest.raises(PolicyError, match=r"use drives\(\) instead"):
        Policy.load(hopper_policy).attention(hopper.observations[0])
