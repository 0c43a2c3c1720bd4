"""A game with more things on the screen than Breakout gets a larger network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recorder import Session, get_spec, record
from recorder.agents.experts import scripted
from tests.trainer.conftest import TINY, pause_in_training
from trainer import Policy, TrainConfig, fit
from trainer.data.dataset import Dataset
from trainer.errors import PolicyError
from trainer.hyperparameters import LEAST_POSITIONS, MOST_POSITIONS
from trainer.learn.origin import Origin
from trainer.learn.perception import Perception
from trainer.learn.places import Places
from trainer.learn.position_bytes import moving_pixels
from trainer.learn.sample import Sample, sampling
from trainer.policy.header import facts, read_header
from trainer.policy.keypoints import KeypointNet
from trainer.policy.networks import build
from trainer.policy.policy_file import read_policy, save_policy

BLOCK = 26  # the byte that says where the block of invaders is


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    library = tmp_path_factory.mktemp("invaders")
    return record("space_invaders", scripted("space_invaders"), library=library, seconds=20, seed=1)


def test_it_has_as_many_positions_as_the_recording_and_a_resumed_training_keeps_them(
    session: Session, tmp_path: Path
) -> None:
    config = TrainConfig.for_env("space_invaders", **{**TINY, "play_games": 0, "scout": False})
    assert config.positions == LEAST_POSITIONS
    checkpoint, out = tmp_path / "checkpoint", tmp_path / "p.safetensors"
    pause_in_training(fit([session], config, out=out, checkpoint=checkpoint))
    resumed = list(fit([session], config, out=out, checkpoint=checkpoint))
    assert {progress.stage for progress in resumed} == {"load", "train", "done"}
    policy = Policy.load(out)
    assert isinstance(policy.net, KeypointNet)
    assert LEAST_POSITIONS < policy.config.positions <= MOST_POSITIONS
    assert policy.config.waves
    assert read_header(out)["version"] == 2
    assert len(facts(read_header(out)).positions) == policy.config.positions == len(policy.net.own)
    # In pixels: things move over a good part of the screen, and their places differ in how much.
    assert policy.net.unit.min() > 1
    assert policy.net.unit.max() > 20
    assert policy.act(session.frames[0]) in range(len(session.spec.action_names))
    further = tmp_path / "further.safetensors"
    list(fit([session], parent=out, out=further))
    assert Policy.load(further).config.positions == policy.config.positions


def test_what_rests_most_of_the_time_is_not_shown_in_front_of_another_background(session: Session) -> None:
    config = TrainConfig.for_env("space_invaders", threads=1)
    data = Dataset([session], config)
    *_, sample = sampling(data.tick_table, config)
    data.close()
    assert isinstance(sample, Sample)
    net = build(config.with_changes(positions=len(sample.own), waves=(16,)), session.spec)
    assert isinstance(net, KeypointNet)
    perception = Perception(net, sample, config, torch.device("cpu"))
    column = sample.places.bytes_.index(BLOCK)
    block = moving_pixels(sample.targets[:, [column]], sample.screens, sample.lengths)
    assert block.mean() > 0.05
    assert not perception._still[:, torch.from_numpy(block)].any()
    assert perception._still.any()  # all else is


def test_the_present_positions_are_also_seen_as_sines_and_cosines() -> None:
    config = TrainConfig.for_env("space_invaders", waves=(16, 64))
    torch.manual_seed(0)
    net = build(config, get_spec("space_invaders"))
    assert isinstance(net, KeypointNet)
    count, ages = config.positions, len(config.history)
    net.set_positions(torch.ones(count), torch.zeros(count), torch.full((count,), 4.0))
    positions = torch.randn(1, ages, count)
    moved = positions.clone()
    moved[:, 0] += 16 / 4.0  # by 16 pixels
    here, there = (net.prepare(each, torch.tensor([False])) for each in (positions, moved))
    assert torch.equal(here[0, : ages * count], positions.flatten())
    waves, waves_there = (each[0, ages * count : -1].view(2, count, 2) for each in (here, there))  # sines and cosines
    torch.testing.assert_close(waves.square().sum(dim=0), torch.ones(count, 2))
    torch.testing.assert_close(waves[..., 0], waves_there[..., 0], atol=1e-5, rtol=0)
    torch.testing.assert_close(waves[0, :, 1], torch.sin(positions[0, 0] * 4.0 * 2 * torch.pi / 64))
    assert (waves[..., 1] - waves_there[..., 1]).abs().max() > 1
    held = torch.ones(1, 2, dtype=torch.long)
    assert net(here, held).shape == (1, 3, len(get_spec("space_invaders").action_names))


def test_a_policy_of_before_has_eight_positions_and_no_waves() -> None:
    before = TrainConfig.for_env("breakout").to_json()
    del before["positions"], before["waves"]
    config = TrainConfig.from_json(before)
    assert (config.positions, config.waves) == (8, ())
    net = build(config, get_spec("breakout"))
    assert {"own", "locator.used"} < set(net.state_dict())
    assert "unit" not in net.state_dict()


def test_there_may_be_more_room_than_positions(breakout: Session) -> None:
    values = np.random.default_rng(0).integers(0, 200, (50, 128), np.uint8)
    places = Places.of(values, [3, 5], np.arange(128) == 5, positions=12)
    net = build(TrainConfig.for_env("breakout", positions=12, waves=(16,)), breakout.spec)
    assert isinstance(net, KeypointNet)
    net.set_positions(*map(torch.from_numpy, (places.used, places.own, places.unit)))
    assert net.own.tolist() == [False, True] + [False] * 10
    assert places.positions(values).shape == (50, 12)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"positions": [{"byte": 1, "mean": 0.0, "deviation": 1.0}] * 9}, "more positions than its network has"),
        ({"sessions": [{"learned": -5}]}, "is damaged"),
        ({"sessions": [{"learned": 10**400}]}, "is damaged"),
        ({"version": 3}, "install a newer Twinplay"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_in_a_sentence(
    breakout_policy: Path, breakout: Session, tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    stored = read_policy(breakout_policy)
    path = tmp_path / "p.safetensors"
    save_policy(path, stored.net, {**stored.header, **changes})
    with pytest.raises(PolicyError, match=problem):
        Origin.read(path, breakout.spec, tmp_path / "out.safetensors")
