"""A scout, which is told where things are, shows what a recording does not."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
import torch

from recorder import Session, record
from recorder.agents.experts import scripted
from recorder.library.replayed_memory import Clip, Memory, replaying_memory
from recorder.system.jobs import Jobs
from trainer import TrainConfig
from trainer.data.dataset import Dataset
from trainer.learn.clips import playing, prepared
from trainer.learn.places import Places
from trainer.learn.sample import Sample, sampling
from trainer.learn.scout import scouting, ticks_to_play
from trainer.policy.networks import build
from trainer.policy.policy import Policy

PADDLE, BALL_X, BALL_Y = 72, 99, 101
BYTES = [BALL_Y, BALL_X, PADDLE]
CONTROLLED = np.arange(128) == PADDLE
CONFIG = TrainConfig.for_env("breakout", max_batches=400, play_ticks=400)


@pytest.fixture(scope="module")
def memory(breakout: Session) -> Memory:
    *_, found = replaying_memory(breakout, range(len(breakout)), [])
    assert isinstance(found, Memory)
    return found


@pytest.fixture(scope="module")
def played(breakout: Session, memory: Memory) -> list[Clip]:
    return clips(breakout, memory, CONFIG)


def clips(breakout: Session, memory: Memory, config: TrainConfig) -> list[Clip]:
    places = Places.of(memory.values, BYTES, CONTROLLED)
    parts = [
        (places.positions(memory.values[each.start : each.stop]), breakout.actions[each.start : each.stop].astype(int))
        for each in breakout.episodes
    ]
    return [step for step in scouting(parts, places, breakout.spec, config, 100) if isinstance(step, Clip)]


def test_positions_are_deviations_from_the_mean_of_the_recording(memory: Memory) -> None:
    places = Places.of(memory.values, BYTES, CONTROLLED)
    found = places.positions(memory.values)
    np.testing.assert_allclose(found[:, :3].mean(axis=0), 0.0, atol=1e-3)
    np.testing.assert_allclose(found[:, :3].std(axis=0), 1.0, rtol=1e-3)
    assert not found[:, 3:].any()
    assert places.own.tolist() == [False, False, True, False, False, False, False, False]


def test_a_scout_plays_what_it_was_shown_without_seeing(played: list[Clip]) -> None:
    assert 5 <= len(played) <= 10  # every other hundred of 2,000 ticks
    values = np.concatenate([clip.values for clip in played]).astype(int)
    falling = np.flatnonzero((np.diff(values[:, BALL_Y]) > 0) & (values[1:, BALL_Y] > 130) & (values[1:, BALL_Y] < 175))
    assert len(falling) > 50
    # The paddle is where the ball comes down; that of a player who knows nothing is not.
    assert np.corrcoef(values[falling, PADDLE], values[falling, BALL_X])[0, 1] > 0.6


def test_its_screens_show_what_the_memory_holds(played: list[Clip]) -> None:
    for clip in played:
        rows = clip.screens[:, 189:193, 8:152].astype(int)
        paddle = rows == rows.max()
        columns = (paddle * np.arange(8, 152)).sum(axis=(1, 2)) / paddle.sum(axis=(1, 2))
        still = np.flatnonzero(np.diff(clip.values[:, PADDLE].astype(int)) == 0)
        if len(np.unique(clip.values[still, PADDLE])) > 3:
            assert np.corrcoef(columns[still], clip.values[still, PADDLE])[0, 1] > 0.99
            return
    raise AssertionError("no clip shows the paddle in different places")


def test_the_same_seed_scouts_the_same(breakout: Session, memory: Memory) -> None:
    config = CONFIG.with_changes(max_batches=20, play_ticks=100)
    first, again, other = (clips(breakout, memory, config.with_changes(seed=seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(a.values, b.values) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].values, other[0].values)


def sample_of(data: Dataset, config: TrainConfig) -> Sample:
    *_, sample = sampling(data.tick_table, config)
    assert isinstance(sample, Sample)
    return sample


def test_a_sample_is_of_the_recording_and_its_detours(breakout: Session) -> None:
    data = Dataset([breakout], CONFIG)
    sample = sample_of(data, CONFIG)
    data.close()
    assert len(sample.lengths) == 2 * 15  # half a minute in stretches of two seconds, each left half-way for a detour
    ((positions, actions),) = sample.simulated
    np.testing.assert_array_equal(actions, breakout.actions[:])
    first = sample.stretches[1]
    np.testing.assert_array_equal(sample.targets[120:240], positions[first.start : first.stop])


def test_a_sample_is_the_same_however_many_processes_play_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    players = [scripted("breakout", seed=seed) for seed in range(3)]
    data = Dataset([record("breakout", player, library=tmp_path, seconds=12) for player in players], CONFIG)
    alone = sample_of(data, CONFIG)
    monkeypatch.setattr("trainer.learn.replays._WORTH_PROCESSES", 0)
    together = sample_of(data, CONFIG.with_changes(threads=2))
    data.close()
    assert (together.stretches, together.lengths) == (alone.stretches, alone.lengths)
    np.testing.assert_array_equal(together.screens, alone.screens)
    np.testing.assert_array_equal(together.targets, alone.targets)


def test_a_scout_in_a_process_of_its_own_plays_the_same(breakout: Session, memory: Memory) -> None:
    config, places = CONFIG.with_changes(max_batches=20, play_ticks=200), Places.of(memory.values, BYTES, CONTROLLED)
    call = {
        "parts": [(places.positions(memory.values), breakout.actions[:].astype(int))],
        "places": places,
        "spec": breakout.spec,
        "config": config,
        "length": 100,
        "palette": breakout.palette,
        "threads": 1,
    }
    found = {}
    for apart in (False, True):
        with contextlib.closing(Jobs("trainer.learn.scout:scouted", [call], apart=apart)) as jobs:
            found[apart] = []
            while jobs.running:
                found[apart] += [step for _, step in jobs.poll(1.0) if isinstance(step, Clip)]
    assert len(found[True]) == len(found[False]) >= 2
    for here, there in zip(found[False], found[True], strict=True):
        assert here.screens.shape == (100, 82, 80)
        np.testing.assert_array_equal(here.screens, there.screens)
        np.testing.assert_array_equal(here.values, there.values)


def test_a_policy_shows_where_its_own_play_leads(breakout: Session) -> None:
    config = TrainConfig.for_env("breakout", max_batches=40, play_ticks=400, scout=False)
    torch.manual_seed(0)  # its weights decide how long its games last, and each begins with a clip
    policy = Policy(build(config, breakout.spec), breakout.spec, config)
    data = Dataset([breakout], config)
    sample = sample_of(data, config)
    data.close()
    steps = list(playing(policy, ticks_to_play(config), 120))
    assert all(0 <= share <= 1 for share in steps if isinstance(share, float))
    larger = sample.with_clips([prepared(each, config, breakout.palette) for each in steps if isinstance(each, Clip)])
    assert ticks_to_play(config) == 1_000
    before, added = len(sample.screens), len(larger.lengths) - len(sample.lengths)
    assert 1 <= added <= 4  # every other 120 of 1,000
    assert larger.lengths == [*sample.lengths, *[120] * added]
    np.testing.assert_array_equal(larger.screens[:before], sample.screens)
    np.testing.assert_array_equal(larger.targets[:before], sample.targets)
    # A policy that knows nothing draws its actions: the paddle wanders, and is where the memory says.
    rows = larger.screens[before:, 79:80, 4:76].astype(int)
    paddle = rows == rows.max(axis=(1, 2), keepdims=True)
    columns = (paddle * np.arange(72)).sum(axis=(1, 2)) / paddle.sum(axis=(1, 2))
    own = larger.targets[before:, int(np.flatnonzero(sample.own)[0])]
    assert len(np.unique(own)) > 5
    assert np.corrcoef(columns, own)[0, 1] > 0.9
