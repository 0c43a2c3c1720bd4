"""A network that first learns where things are, and then to play from that."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr

from recorder import Session, record
from recorder.agents.experts import scripted
from tests.trainer.conftest import TINY, pause_in_training
from trainer import Policy, TrainConfig, fit
from trainer.data.dataset import Dataset
from trainer.data.tick_table import Ranges
from trainer.evaluation.agreement import _inputs
from trainer.learn.estimate import estimate
from trainer.learn.learner import one_cycle
from trainer.learn.perception import SEEN_SHARE, Perception
from trainer.learn.sample import Sample, sampling
from trainer.policy.action_selection import ActionSelection
from trainer.policy.keypoints import KeypointNet
from trainer.policy.networks import build
from trainer.policy.perceptron import Dropout

CONFIG = TrainConfig.for_env("breakout", max_batches=12, play_ticks=600, threads=1)


@pytest.fixture(scope="module")
def sample(breakout: Session) -> Sample:
    data = Dataset([breakout], CONFIG)
    *_, found = sampling(data.tick_table, CONFIG)
    data.close()
    assert isinstance(found, Sample)
    return found


def test_a_sample_pairs_screens_with_places_and_some_are_the_players_own(breakout: Session, sample: Sample) -> None:
    assert len(sample.screens) == len(sample.targets) == sum(sample.lengths)
    assert 3 <= sample.used.sum() <= 8
    assert 1 <= sample.own.sum() < sample.used.sum()  # a console may keep a place in two bytes
    assert not sample.targets[:, ~sample.used].any()
    np.testing.assert_allclose(sample.targets[:, sample.used].std(axis=0), 1.0, rtol=1e-3)
    # The own one is where the paddle is: in the rows that the paddle alone moves in, its mean column follows it.
    rows = CONFIG.with_changes(hidden_rows=(189, 196)).hidden_pixels(160)[0]
    bright = sample.screens[:, rows].astype(float)
    bright -= np.median(bright, axis=0)
    bright = np.abs(bright).sum(axis=1)
    column = (bright * np.arange(80)).sum(axis=1) / np.maximum(bright.sum(axis=1), 1e-9)
    seen = bright.sum(axis=1) > 0
    assert abs(np.corrcoef(column[seen], sample.targets[seen][:, sample.own][:, 0])[0, 1]) > 0.9


def test_it_learns_to_see_what_can_be_seen_and_leaves_out_the_rest(breakout: Session, sample: Sample) -> None:
    torch.manual_seed(0)
    net = build(CONFIG, breakout.spec)
    assert isinstance(net, KeypointNet)
    perception = Perception(net, sample, CONFIG, torch.device("cpu"))
    for _ in perception.learn(lambda batch: batch / 150, lambda used: one_cycle(used, 0.1)):
        pass
    explained = perception.validate()
    own = int(np.flatnonzero(sample.own)[0])
    assert explained[own] > 0.5
    sight = perception.sight(SEEN_SHARE)
    count = int(sight["locator.used"].sum())
    assert 1 <= count < sample.used.sum()  # one of them counts frames, which no screen shows
    assert 1 <= sight["own"].sum() <= count
    # What cannot be seen yet is still learned.
    assert int(perception.sight()["locator.used"].sum()) == sample.used.sum()


def test_an_estimate_leaves_nothing_that_a_training_could_depend_on(breakout: Session) -> None:
    net = build(CONFIG, breakout.spec)
    assert isinstance(net, KeypointNet)
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    assert estimate(net.train(), CONFIG, 1_800, 900, (0.25, 3), 100, 1).seconds > 0
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(value, weights[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize(
    ("explained", "kept"),
    [
        ((0.999, 0.998, 0.94, 0.3), (True, True, False, False)),  # the others are clear, so this one is vague
        ((0.97, 0.96, 0.9, 0.3), (True, True, True, False)),  # it has not learned to see yet
        ((0.5, 0.4, 0.55, 0.3), (False, False, True, False)),
    ],
)
def test_what_is_seen_much_worse_than_the_rest_is_left_out_once_that_is_clear(
    breakout: Session,
    sample: Sample,
    monkeypatch: pytest.MonkeyPatch,
    explained: tuple[float, ...],
    kept: tuple[bool, ...],
) -> None:
    net = build(CONFIG, breakout.spec)
    assert isinstance(net, KeypointNet)
    perception = Perception(net, sample, CONFIG, torch.device("cpu"))
    assert sample.used[:4].all()
    monkeypatch.setattr(perception, "validate", lambda: np.array([*explained, *[0.0] * (CONFIG.positions - 4)]))
    assert perception.sight(SEEN_SHARE)["locator.used"][:4].bool().tolist() == list(kept)


def test_the_players_own_figure_stays_where_it_is_when_backgrounds_are_exchanged(
    breakout: Session, sample: Sample
) -> None:
    net = build(CONFIG, breakout.spec)
    assert isinstance(net, KeypointNet)
    perception = Perception(net, sample, CONFIG, torch.device("cpu"))
    picks = torch.arange(0, len(sample.screens), 7)

    def changed() -> torch.Tensor:
        """The pixels in which some of these screens stand before another background."""
        shown, as_they_are = perception._elsewhere(picks), net.locator.scaled(perception._pairs(picks))
        return (shown - as_they_are)[:, 0].abs().amax(dim=0) > 1e-4

    net.locator.load_state_dict(perception._net.locator.state_dict())
    assert (changed() & perception._own_pixels).any()
    perception.leave_own()
    assert not (changed() & perception._own_pixels).any()


def test_what_is_out_of_sight_at_times_counts_as_seen_and_a_counter_never_does(
    breakout: Session, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = build(CONFIG, breakout.spec)
    assert isinstance(net, KeypointNet)
    perception = Perception(net, sample, CONFIG, torch.device("cpu"))
    rng = np.random.default_rng(0)

    def found(picks: torch.Tensor) -> torch.Tensor:
        positions = sample.targets[picks.numpy()].copy()
        lost = rng.random(len(positions)) < 0.2  # the memory still has a place for it
        positions[lost, 1] = rng.choice(sample.targets[:, 1], int(lost.sum()))
        positions[:, 0] = rng.normal(0.0, 0.1, len(positions))
        return torch.from_numpy(positions)

    monkeypatch.setattr(perception, "_positions", found)
    explained = perception.validate()
    assert explained[1] > 0.9
    assert explained[0] < 0.2


def test_a_past_that_is_hidden_shows_the_players_own_place_only_as_it_is_now(breakout: Session) -> None:
    net = build(CONFIG, breakout.spec)
    assert isinstance(net, KeypointNet)
    net.own[3] = True
    positions = torch.randn(2, len(CONFIG.history), 8)
    shown, hidden = net.prepare(positions, torch.tensor([False, True])).split(1)
    assert torch.equal(shown[0, :-1].view(-1, 8), positions[0])
    others = [0, 1, 2, 4, 5, 6, 7]
    seen = hidden[0, :-1].view(-1, 8)
    assert torch.equal(seen[:, others], positions[1][:, others])
    assert torch.equal(seen[:, 3], positions[1, 0, 3].expand(len(CONFIG.history)))
    assert (shown[0, -1], hidden[0, -1]) == (0.0, 1.0)


def test_a_label_is_of_the_next_ticks_and_ends_with_its_episode(breakout: Session) -> None:
    data = Dataset([breakout], CONFIG)
    list(data.load())
    stop = data.tick_table.parts[0].stop
    batch = data._gather(np.array([50, stop - 2]), np.zeros(2, np.int64))
    data.close()
    actions = breakout.actions
    assert batch.ahead.shape == (2, 16)
    assert batch.ahead[0].tolist() == actions[50:66].tolist()
    assert batch.ahead[1].tolist() == [actions[stop - 2], *[actions[stop - 1]] * 15]


def test_the_clone_sees_in_play_what_it_saw_in_training(breakout: Session, breakout_policy: Path) -> None:
    policy = Policy.load(breakout_policy)
    assert isinstance(policy.net, KeypointNet)
    game = breakout.game(1)
    compared = np.concatenate(list(_inputs(breakout, game, policy)))
    data = Dataset([breakout], policy.config)
    data.locate_with(policy.locate, policy.net.own.numpy())
    list(data.load())
    rows = np.arange(game.start, game.start + 40)
    learned = data._gather(rows, np.zeros(len(rows), np.int64)).inputs
    data.close()
    policy.reset()
    played = np.stack([policy.see(breakout.frames[tick]) for tick in rows.tolist()])
    np.testing.assert_allclose(played, learned, atol=1e-4)
    np.testing.assert_allclose(played, compared[:40], atol=1e-4)


def test_what_is_late_is_shown_with_the_players_own_place_of_now(breakout: Session) -> None:
    config = TrainConfig.for_env("breakout", label_shifts=(0, 7))
    torch.manual_seed(0)
    net = build(config, breakout.spec).eval()
    assert isinstance(net, KeypointNet)
    net.own[2] = True
    policy = Policy(net, breakout.spec, config, selection=ActionSelection(output=2))
    assert config.shift_of(2) == 7
    game = breakout.game(1)
    compared = next(_inputs(breakout, game, policy))
    data = Dataset([breakout], config)
    data.locate_with(policy.locate, net.own.numpy())
    list(data.load())
    rows = np.arange(game.start + 40, game.start + 60)
    late, now = (data._gather(rows, np.full(len(rows), shift)).inputs for shift in (1, 0))
    earlier = data._gather(rows - 7, np.zeros(len(rows), np.int64)).inputs
    data.close()
    np.testing.assert_allclose(compared[40:60], late, atol=1e-4)
    np.testing.assert_array_equal(late[..., 2], now[..., 2])
    np.testing.assert_array_equal(late[..., [0, 1, 3]], earlier[..., [0, 1, 3]])


def test_two_players_of_a_network_see_what_each_sees_alone(breakout: Session, breakout_policy: Path) -> None:
    from trainer.policy.policy import act_together

    alone = Policy.load(breakout_policy)
    one, other = alone.fork(1), alone.fork(2)
    for tick in range(30, 40):
        alone.see(breakout.frames[tick])
    for tick in range(10):
        act_together([other, one], [breakout.frames[200 + tick], breakout.frames[30 + tick]])
    np.testing.assert_allclose(one.see(breakout.frames[40]), alone.see(breakout.frames[40]), atol=1e-4)


def test_what_the_emulator_held_is_never_an_input(breakout: Session, breakout_policy: Path) -> None:
    policy = Policy.load(breakout_policy, seed=4)
    policy.reset()
    actions = [policy.act(breakout.frames[tick].copy()) for tick in range(20)]
    again = policy.fork(4)
    assert actions == [again.act(breakout.frames[tick]) for tick in range(20)]
    heat = policy.attention(breakout.frames[20])
    assert heat.shape == (210, 160)
    assert heat.max() > 200


def test_a_recording_that_cannot_be_played_again_teaches_by_screens_alone(breakout: Session, tmp_path: Path) -> None:
    path = tmp_path / breakout.path.name
    shutil.copytree(breakout.path, path)
    actions = zarr.open_group(path, mode="r+")["action"]
    actions[60:] = np.where(actions[60:] == 2, 3, 2)
    out = tmp_path / "p.safetensors"
    tiny = {**TINY, "play_games": 0}
    config = TrainConfig.for_env("breakout", **tiny)
    records = list(fit([Session.open(path)], config, out=out))
    assert any("the policy learns from screens alone: " in record.message for record in records)
    policy = Policy.load(out)
    assert policy.config == TrainConfig.for_env("breakout", network="nature", **tiny)


def test_a_first_clone_can_be_watched_while_a_better_one_is_trained(breakout: Session, tmp_path: Path) -> None:
    out = tmp_path / "p.safetensors"
    training = fit([breakout], TrainConfig.for_env("breakout", **{**TINY, "play_games": 0}), out=out)
    for progress in training:
        if "a better one is being trained" in progress.message:
            break
    first = Policy.load(out)
    policy_before = {name: value.clone() for name, value in first.net.state_dict().items()}
    assert first.act(breakout.frames[0]) in range(4)
    list(training)
    assert any(not torch.equal(value, policy_before[name]) for name, value in Policy.load(out).net.state_dict().items())


def test_rows_in_common() -> None:
    rows = Ranges([range(0, 10), range(20, 30)])
    assert rows.shared_with([range(5, 25), range(28, 40)]) == [range(5, 10), range(20, 25), range(28, 30)]


def test_of_many_sessions_of_which_few_are_tried_out_the_players_own_place_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.learn.sample._TRIALS", 4)
    players = [scripted("breakout", seed=seed) for seed in range(10)]
    data = Dataset([record("breakout", player, library=tmp_path, seconds=4) for player in players], CONFIG)
    *_, found = sampling(data.tick_table, CONFIG)
    data.close()
    assert isinstance(found, Sample)
    assert found.own.any()


def test_a_resumed_training_does_not_play_the_recording_again(breakout: Session, tmp_path: Path) -> None:
    config = TrainConfig.for_env("breakout", **{**TINY, "play_games": 0})
    checkpoint, out = tmp_path / "checkpoint", tmp_path / "p.safetensors"
    pause_in_training(fit([breakout], config, out=out, checkpoint=checkpoint))
    resumed = list(fit([breakout], config, out=out, checkpoint=checkpoint))
    assert not any("playing the recording again" in progress.message for progress in resumed)
    assert {progress.stage for progress in resumed} == {"load", "train", "done"}
    assert resumed[-1].batch == 12


def test_dropout_leaves_out_its_share_while_training_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    dropout, values = Dropout(0.25), torch.ones(301, 333)
    dropped = dropout(values)
    assert sorted(set(dropped.flatten().tolist())) == pytest.approx([0.0, 4 / 3])
    assert float((dropped == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
    # Neighbours are left out independently of each other: eight of them come from one draw.
    pairs = (dropped[:, :-1] == 0) & (dropped[:, 1:] == 0)
    assert float(pairs.float().mean()) == pytest.approx(0.25**2, abs=0.005)
    torch.manual_seed(0)
    assert torch.equal(dropout(values), dropped)
    assert torch.equal(dropout.eval()(values), values)
    assert torch.equal(Dropout(0.0)(values), values)


def test_dropout_lets_gradients_through_where_it_lets_values_through() -> None:
    values = torch.randn(50, 40, requires_grad=True)
    dropped = Dropout(0.5)(values)
    dropped.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, torch.where(dropped == 0, 0.0, 2.0))
