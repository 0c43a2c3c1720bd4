"""Every game that ale-py ships is recorded, verified, read by plain zarr, learned from and played by its clone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr

from recorder import Game, RandomAgent, get_spec, record, verify
from recorder.envs.atari_games import atari_games
from recorder.library.replay import replay_to
from trainer import Policy, TrainConfig, fit

TICKS = 200
# As little as a network of the usual kind can be trained with; what is asked is whether it can, not how well.
SMALL = {"network": "nature", "size": 36, "batch_size": 4, "max_batches": 4, "checks": 0, "play_games": 0}
SMALL |= {"validations": 2, "optimizer": "sgd"}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """A few batches of four are not worth sharing."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", sorted(atari_games()))
def test_it_records_verifies_trains_and_plays(name: str, tmp_path: Path) -> None:
    spec = get_spec(name)
    session = record(name, RandomAgent(spec, 1), library=tmp_path, seconds=TICKS / spec.rate_hz, seed=1)
    certificate = verify(session)
    assert certificate.ok, certificate.difference
    assert certificate.ticks == TICKS

    stored = zarr.open_group(session.path, mode="r")
    screens, actions = np.asarray(stored["screen"]), np.asarray(stored["action"])
    palette = np.array(stored.attrs["palette"], np.uint8)
    assert screens.shape == (TICKS, *spec.frame_shape)
    assert len(set(actions.tolist())) > 1
    out = tmp_path / "clone.safetensors"
    progress = list(fit([session], TrainConfig.for_env(name, **SMALL), out=out))
    assert max(each.batch for each in progress) == SMALL["max_batches"]
    policy = Policy.load(out)
    with Game(policy.spec) as game:
        assert np.array_equal(palette[screens[0]], replay_to(game, session, session.episodes[0], 0))
        observation = game.reset(2)
        policy.reset(game.env)
        for _ in range(20):
            action = game.check_action(policy.act(observation))
            observation, *_ = game.step(action)
    assert policy.spec.name == name
    shutil.rmtree(tmp_path)
