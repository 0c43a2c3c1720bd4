"""Steering to where the demonstrator would be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from recorder import Session
from recorder.envs.registry import get_spec
from trainer import TrainConfig
from trainer.data.dataset import Dataset
from trainer.errors import PolicyError
from trainer.learn.choosing import Choosing, first_selection
from trainer.policy.action_selection import ActionSelection
from trainer.policy.header import POLICY_KEY, read_header
from trainer.policy.keypoints import KeypointNet
from trainer.policy.networks import build
from trainer.policy.policy import Policy, act_together
from trainer.policy.policy_file import save_policy
from trainer.policy.steering import STRAIGHT, Steering

NOOP, FIRE, RIGHT, LEFT = range(4)
HISTORY = (0, 2, 4, 8, 16, 24)


def _glide(actions: list[int], place: float = 0.0) -> list[float]:
    """The way of a paddle that takes a while to start and to stop; one place before each action, and one after."""
    places, speed = [place], 0.0
    for action in actions:
        speed = 0.7 * speed + 0.02 * ((action == RIGHT) - (action == LEFT))
        places.append(min(2.0, max(-2.0, places[-1] + speed)))
    return places


def _ages(places: list[float]) -> torch.Tensor:
    """The newest place and older ones as positions (1, history, 2), of which the second one is the player's own."""
    positions = torch.zeros(1, len(HISTORY), 2)
    positions[0, :, 1] = torch.tensor([places[max(0, len(places) - 1 - age)] for age in HISTORY])
    return positions


def _steering(before: int = 4) -> Steering:
    torch.manual_seed(0)
    return Steering(len(HISTORY), 2, (16,), 4, 0.0, (2, 4, 8, 16), before).eval()


OWN = torch.tensor([False, True])
NO_DETOUR = [STRAIGHT]


def _before(actions: list[int], row: int, count: int) -> list[int]:
    return ([NOOP] * count + actions[:row])[row : row + count]


def _fitted(before: int = 4) -> Steering:
    rng = np.random.default_rng(0)
    actions = np.repeat(rng.integers(0, 4, 2_000), rng.integers(1, 12, 2_000)).tolist()
    places = _glide(actions)
    rows = range(30, len(actions) - 16)
    positions = torch.cat([_ages(places[: row + 1]) for row in rows])
    later = torch.zeros(len(rows), 4, 2)
    later[:, :, 1] = torch.tensor([[places[row + ticks] for ticks in (2, 4, 8, 16)] for row in rows])
    steering = _steering(before)
    earlier = torch.tensor([_before(actions, row, before) for row in rows], dtype=torch.int64)
    steering.fit(positions, later, torch.tensor([actions[row : row + 16] for row in rows]), earlier)
    return steering


def _aiming_at(aim: float, before: int = 4) -> Steering:
    steering = _fitted(before)
    with torch.no_grad():
        steering.body[-1].weight.zero_()
        steering.body[-1].bias.copy_(torch.tensor([0.0, aim]).repeat(4))
    return steering


@pytest.mark.parametrize("aim", [-1.5, 0.3, 1.9])
def test_it_goes_to_the_aim_and_stays_there_though_the_paddle_glides(aim: float) -> None:
    steering = _aiming_at(aim)
    places = [0.0]
    actions: list[int] = []
    for _ in range(120):
        with torch.inference_mode():
            done = [_before(actions, len(actions), 4)]
            off = steering.distances(_ages(places), OWN, [4], done, NO_DETOUR)[0]
        assert off[FIRE] == pytest.approx(off[NOOP], abs=1e-3)  # neither moves it
        actions.append(int(off.argmin()))
        places = _glide(actions)
    assert np.abs(np.array(places[60:]) - aim).max() < 0.05
    assert np.abs(np.array(places[:60]) - aim).max() < 0.05 + abs(aim)  # not first the other way, and not too far


@pytest.mark.parametrize(("before", "knows"), [(4, True), (0, False)])
def test_it_knows_from_its_last_actions_how_far_the_paddle_still_glides(before: int, knows: bool) -> None:
    actions = [NOOP] * 30 + [RIGHT] * 3
    places = _glide(actions)
    rest = _glide([*actions, *[NOOP] * 16])[len(actions) :]
    steering = _aiming_at(rest[16], before)
    with torch.inference_mode():
        done = [_before(actions, len(actions), before)]
        off = steering.distances(_ages(places), OWN, [4], done, NO_DETOUR)[0, NOOP]
    left = np.mean([abs(rest[ticks] - rest[16]) for ticks in (2, 4, 8, 16)])
    assert (abs(float(off) - left) < 0.002) == knows


def test_beside_its_aim_is_as_far_as_a_short_plan_leads() -> None:
    steering = _aiming_at(0.3)
    places = [0.0] * 30
    with torch.inference_mode():
        done = [[NOOP] * 4] * len(steering.sidesteps(2))
        seen = _ages(places).expand(len(done), -1, -1)
        off = steering.distances(seen, OWN, [16] * len(done), done, steering.sidesteps(2))
    aims = []
    for row, plan in enumerate(steering.sidesteps(2)):
        moves = steering.plans[plan].view(16, 4).argmax(dim=1).tolist()
        assert 1 <= 16 - moves.count(NOOP) <= 2
        aims.append(0.3 + _glide(moves)[-1])
        reached = [_glide([NOOP] * 16)[ticks] for ticks in (2, 4, 8, 16)]
        assert float(off[row, NOOP]) == pytest.approx(np.mean(np.abs(np.array(reached) - aims[-1])), abs=0.003)
    assert min(aims) < 0.25 < 0.35 < max(aims)


def test_each_player_has_an_aim_of_its_own() -> None:
    steering = _aiming_at(0.3)
    with torch.no_grad():
        steering.body[-1].bias.copy_(torch.tensor([0.0, -0.3] + [0.0, 0.3] * 3))  # two ticks later it is elsewhere
    seen = _ages([0.0] * 30).expand(3, -1, -1)
    done = [[NOOP] * 4] * 3
    together = steering.distances(seen, OWN, [2, 16, 4], done, NO_DETOUR * 3)
    assert together.argmin(axis=1).tolist() == [LEFT, RIGHT, RIGHT]
    for row, aim in enumerate((2, 16, 4)):
        alone = steering.distances(seen[:1], OWN, [aim], done[:1], NO_DETOUR)
        np.testing.assert_allclose(alone[0], together[row], rtol=1e-5)


def test_it_learns_where_the_own_place_will_be_from_everything_else_alone() -> None:
    steering = _steering().train()
    optimizer = torch.optim.Adam(steering.parameters(), 3e-3)
    generator = torch.Generator().manual_seed(1)
    for _ in range(400):
        positions = torch.randn(256, len(HISTORY), 2, generator=generator)
        later = positions[:, :1].flip(-1).expand(-1, 4, -1)  # where the other thing is now
        loss = steering.loss(positions, OWN, later).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    steering.eval()
    with torch.inference_mode():
        aims = steering(positions, OWN)
        moved = positions.clone()
        moved[..., 1] = 3.0
        assert (aims[..., 1] - later[..., 1]).abs().median() < 0.1
        torch.testing.assert_close(steering(moved, OWN), aims)


def test_without_own_positions_there_is_nothing_to_learn_and_no_action_is_nearer() -> None:
    steering, nothing = _steering(), torch.zeros(2, dtype=torch.bool)
    positions, later = torch.randn(5, len(HISTORY), 2), torch.randn(5, 4, 2)
    assert steering.loss(positions, nothing, later).tolist() == [0.0] * 5
    done = [[NOOP] * 4] * 5
    assert steering.distances(positions, nothing, [8] * 5, done, NO_DETOUR * 5).tolist() == [[0.0] * 4] * 5


def test_what_follows_a_tick_ends_with_its_game(breakout: Session) -> None:
    config = TrainConfig.for_env("breakout")
    data = Dataset([breakout], config)
    ticks = 0

    def locate(screens: np.ndarray) -> np.ndarray:
        nonlocal ticks
        ticks += len(screens)
        return np.repeat(np.arange(ticks - len(screens), ticks, dtype=np.float32)[:, None], config.positions, axis=1)

    data.locate_with(locate, np.zeros(config.positions, bool))
    list(data.load())
    first = data._samples._tick_table.parts[0]
    rows = np.array([first.start + 5, first.stop - 6, first.stop - 1])
    batch = data._gather(rows, np.zeros(3, np.int64))
    expected = np.minimum(rows[:, None] + config.aims, first.stop - 1)
    np.testing.assert_array_equal(batch.later[..., 0], expected)
    following = np.minimum(rows[:, None] + np.arange(16), first.stop - 1)
    np.testing.assert_array_equal(batch.ahead, data.tick_table.actions(following))
    begin, later = int(first.start), int(first.start) + 6
    batch = data._gather(np.array([begin, begin + 2, later]), np.zeros(3, np.int64))
    done = data.tick_table.actions(np.arange(begin, later))
    assert batch.before.tolist() == [[NOOP] * 4, [NOOP, NOOP, *done[:2]], [*done[2:]]]
    drawn = data.draw(np.random.default_rng(3), 8).inputs
    assert len(data.some(64).later) == 64
    np.testing.assert_array_equal(data.draw(np.random.default_rng(3), 8).inputs, drawn)
    data.close()


@pytest.mark.parametrize("controlled", [True, False])
def test_a_clone_steers_before_and_after_test_games_only_if_it_sees_what_it_controls(
    breakout: Session, controlled: bool
) -> None:
    config = TrainConfig.for_env("breakout")
    data = Dataset([breakout], config)
    own = np.zeros(config.positions, bool)
    own[2] = controlled
    data.locate_with(lambda screens: np.zeros((len(screens), config.positions), np.float32), own)
    list(data.load())
    choosing = Choosing(data, config)
    tried = {candidate.aim for few in (True, False) for candidate in choosing._selections(few=few)}
    assert first_selection(config, data).aim == (4 if controlled else 0)
    assert tried == ({0, 2, 4, 8, 16} if controlled else {0})
    choosing.close()
    data.close()


def test_near_decides_and_among_equally_near_actions_likely() -> None:
    selection = ActionSelection(0.0, (FIRE,), aim=8)
    logits = np.log(np.array([0.5, 0.1, 0.1, 0.3], np.float32))
    far = np.array([1.0, 0.0, 0.1, 1.0], np.float32)
    np.testing.assert_allclose(selection.probabilities(logits, far), [0, 0.1, 0.9, 0], atol=1e-6)
    equal = np.array([1.0, 1.0, 0.5, 0.5], np.float32)
    np.testing.assert_allclose(selection.probabilities(logits, equal), [0, 0.1, 0, 0.9], atol=1e-6)


def _saved(path: Path, aim: int, **settings: Any) -> KeypointNet:
    spec, config = get_spec("breakout"), TrainConfig.for_env("breakout", **settings)
    torch.manual_seed(0)
    net = build(config, spec)
    assert isinstance(net, KeypointNet)
    net.own[2] = True
    header = {"env": spec.to_json(), "config": config.to_json(), "play": ActionSelection(0.0, (1,), aim=aim).to_json()}
    save_policy(path, net, header)
    return net


def test_players_that_steer_and_one_that_does_not_act_together_as_they_would_alone(
    breakout: Session, tmp_path: Path
) -> None:
    _saved(tmp_path / "it.safetensors", 8)
    policy = Policy.load(tmp_path / "it.safetensors")
    assert policy.net.steering is not None
    policy.net.steering.motion.normal_(generator=torch.Generator().manual_seed(2))
    policy.net.steering.most.fill_(9.0)
    selections = [ActionSelection(0.0, (1,), aim=aim) for aim in (8, 2, 0)]
    alone, together = ([policy.fork(7, selection) for selection in selections] for _ in range(2))
    for tick in range(30):
        frame = breakout.frames[tick]
        assert act_together(together, [frame] * 3) == [player.act(frame) for player in alone]
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-4)


def test_an_aim_that_it_does_not_predict_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "it.safetensors"
    _saved(path, 16)
    header = read_header(path)
    assert header["play"]["aim"] == 16
    assert Policy.load(path).selection.aim == 16
    header["play"]["aim"] = 3
    save_file(load_file(path), path, {POLICY_KEY: json.dumps(header)})
    with pytest.raises(PolicyError, match="steers to 3 ticks later, which its network does not predict"):
        Policy.load(path)


def test_a_clone_of_the_version_that_did_not_know_its_last_actions_steers_as_it_did(
    breakout: Session, tmp_path: Path
) -> None:
    path = tmp_path / "it.safetensors"
    _saved(path, 8, action_history=0)
    header = read_header(path)
    assert header["config"].pop("action_history") == 0
    save_file(load_file(path), path, {POLICY_KEY: json.dumps(header)})
    policy = Policy.load(path)
    assert policy.config.action_history == 0
    assert policy.act(breakout.frames[0]) in range(4)
    assert policy.net.steering.motion.shape[-1] == len(HISTORY) + 16 * 4
