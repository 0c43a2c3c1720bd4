"""From sessions to batches to a policy."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr

from recorder import RandomAgent, Session, get_spec, record
from recorder.agents.experts import scripted
from recorder.errors import UsageError
from recorder.library.edits import edit
from tests.trainer.conftest import TINY
from trainer import Policy, PolicyError, Progress, TrainConfig, TrainingError, evaluate, fit
from trainer.data.dataset import Dataset
from trainer.learn.augment import Views, augment
from trainer.policy.networks import ScreenNet, build
from trainer.policy.preprocess import Preprocess

NOOP, FIRE, RIGHT, LEFT = range(4)


def test_training_and_play_see_the_same_bytes(breakout: Session) -> None:
    preprocess = Preprocess.of(TrainConfig.for_env("breakout", network="nature"))
    trained_on = preprocess.from_stored(breakout.screens(0, 400), breakout.palette)
    for tick in range(0, 400, 7):
        np.testing.assert_array_equal(preprocess.from_rgb(breakout.frames[tick]), trained_on[tick])


def test_a_policy_at_play_stacks_what_training_stacked(breakout: Session, nature_policy: Path) -> None:
    policy = Policy.load(nature_policy)
    data = Dataset([breakout], policy.config)
    try:
        list(data.load())
        episode = breakout.episodes[0]
        policy.reset()
        for tick in range(40):
            at_play = policy.see(breakout.frames[episode.start + tick])
            np.testing.assert_array_equal(at_play, data._gather(np.array([tick]), np.zeros(1, int)).inputs[0])
    finally:
        data.close()


def test_the_ball_survives_preprocessing(breakout: Session) -> None:
    preprocess = Preprocess.of(TrainConfig.for_env("breakout", network="nature"))
    flying = [t for t in range(600) if (breakout.frames[t][100:180, 10:150] == [200, 72, 72]).all(axis=2).sum() == 8]
    small = preprocess.from_rgb(breakout.frames[flying[0]])
    assert small[36:75, 6:78].max() > 20


def test_validation_holds_whole_episodes_out(hopper: Session) -> None:
    data = Dataset([hopper], TrainConfig.for_env("hopper", validation_share=0.2))
    list(data.load())
    episodes = [set(range(episode.start, episode.stop)) for episode in hopper.episodes]
    held_out, learned_from = (
        {row for block in rows.blocks() for row in block.tolist()} for rows in (data.validation_rows, data.train_rows)
    )
    assert held_out
    assert all(episode <= held_out or not episode & held_out for episode in episodes)
    assert held_out | learned_from == set(range(len(hopper)))
    assert not held_out & learned_from
    data.close()


def test_excluded_episodes_are_left_out(hopper: Session, tmp_path: Path) -> None:
    path = tmp_path / hopper.path.name
    shutil.copytree(hopper.path, path)
    zarr.open_group(path, mode="r+")["episodes/excluded"][0] = True
    data = Dataset([Session.open(path)], TrainConfig.for_env("hopper"))
    assert data.ticks == len(hopper) - len(hopper.episodes[0])
    data.close()


def test_excluded_spans_are_left_out_and_nothing_reaches_across_them(breakout: Session, tmp_path: Path) -> None:
    path = tmp_path / breakout.path.name
    shutil.copytree(breakout.path, path)
    session = edit(path, spans=[range(100, 160), range(len(breakout) - 10, len(breakout))])
    data = Dataset([session], TrainConfig.for_env("breakout", label_shifts=(0, 6)))
    list(data.load())
    kept = np.r_[0:100, 160 : len(breakout) - 10]
    assert data.ticks == len(kept)
    rows = np.arange(90, 110)
    for shift in (0, 1):
        batch = data._gather(rows, np.full(len(rows), shift))
        np.testing.assert_array_equal(batch.labels, breakout.actions[kept[rows]])
        assert (batch.inputs[10] == batch.inputs[10][:1]).all()  # a past of its own begins here
    data.close()


def test_rare_actions_are_drawn_more_often(breakout: Session) -> None:
    config = TrainConfig.for_env("breakout", rare_action_share=0.05)
    data = Dataset([breakout], config)
    list(data.load())
    natural = float((breakout.actions == FIRE).mean())
    drawn = data.draw(np.random.default_rng(0), 4_000).labels
    data.close()
    assert natural < 0.01
    assert 0.03 < float((drawn == FIRE).mean()) < 0.07
    assert data.rare_actions == (FIRE,)


@pytest.mark.parametrize("env", ["breakout", "hopper"])
def test_every_so_many_ticks_are_learned_from(env: str, request: pytest.FixtureRequest) -> None:
    data = Dataset([request.getfixturevalue(env)], TrainConfig.for_env(env, every=50))
    list(data.load())
    assert data._sampler is not None
    drawn = set(data._sampler.draw(np.random.default_rng(0), 2_000).tolist())
    training = set(data.train_rows[np.arange(len(data.train_rows))].tolist())
    data.close()
    wanted = {row for row in training if row % 50 == 0}
    assert drawn <= wanted
    assert len(drawn) > 0.9 * len(wanted)
    assert data.train_ticks == len(training) // 50


def test_an_action_can_answer_to_the_field_of_before_and_the_paddle_of_now(breakout: Session) -> None:
    config = TrainConfig.for_env("breakout", network="nature", label_shifts=(0, 15))
    data = Dataset([breakout], config)
    list(data.load())
    rows = np.arange(100, 200)
    at_once, later = (data._gather(rows, np.full(len(rows), shift)) for shift in (0, 1))
    drawn = data.draw(np.random.default_rng(0), 1_000)
    in_turn = np.concatenate([batch.shifts for batch in data.validation_batches(64, 200)])
    data.close()
    own, columns = config.hidden_pixels(160)
    assert columns == slice(None)
    screens = Preprocess.of(config).from_stored(breakout.screens(0, 200), breakout.palette)
    ages = rows[:, None] - np.asarray(config.history)
    field = np.setdiff1d(np.arange(config.size), np.arange(config.size)[own])
    np.testing.assert_array_equal(at_once.inputs, screens[ages])
    np.testing.assert_array_equal(later.inputs[:, :, own], screens[ages][:, :, own])
    np.testing.assert_array_equal(later.inputs[:, :, field], screens[ages - 15][:, :, field])
    for batch in (at_once, later):
        np.testing.assert_array_equal(batch.labels, breakout.actions[100:200])
    assert 0.4 < drawn.shifts.mean() < 0.6
    assert in_turn.tolist() == [k % 2 for k in range(len(in_turn))]


def test_a_mirrored_sample_has_the_mirrored_action() -> None:
    config = TrainConfig.for_env("breakout", network="nature", mirror=1.0, shift=0)
    inputs = torch.arange(12, dtype=torch.int8).reshape(4, 1, 1, 3)
    views = Views.draw(np.random.default_rng(0), 4, config, True)
    mirrored, labels, sides = augment(inputs, torch.arange(4), views, get_spec("breakout").mirror_actions)
    assert labels.tolist() == [NOOP, FIRE, LEFT, RIGHT]
    assert torch.equal(mirrored, inputs.flip(3))
    assert sides.tolist() == [1, 1, 1, 1]


def test_a_mirrored_sample_teaches_outputs_of_its_own_and_the_others_play() -> None:
    net = build(TrainConfig.for_env("breakout", network="nature"), get_spec("breakout"))
    screens = torch.randint(0, 127, (3, 5, 84, 84), dtype=torch.uint8)
    shown = torch.zeros(3, dtype=torch.bool)
    net(net.prepare(screens, shown), torch.ones(3, dtype=torch.long)).sum().backward()
    last = list(net.body)[-1]
    assert last.weight.grad is not None
    assert float(last.weight.grad[:4].abs().sum()) == 0.0
    assert float(last.weight.grad[4:].abs().sum()) > 0.0
    net.eval()
    with torch.no_grad():
        prepared = net.prepare(screens, shown)
        assert torch.equal(net(prepared), net(prepared, torch.zeros(3, dtype=torch.long)))


def test_shifting_moves_the_picture_and_fills_with_background() -> None:
    config = TrainConfig.for_env("breakout", network="nature", mirror=0.0, shift=3)
    inputs = torch.zeros(64, 2, 20, 20, dtype=torch.int8)
    inputs[:, :, 10, 10] = 5
    views = Views.draw(np.random.default_rng(0), 64, config, False)
    shifted, *_ = augment(inputs, torch.zeros(64, 1, dtype=torch.long), views, ())
    where = {tuple(torch.nonzero(sample[0])[0].tolist()) for sample in shifted}
    assert len(where) > 10
    assert all(7 <= y <= 13 and 7 <= x <= 13 for y, x in where)
    assert int(shifted.sum()) == int(inputs.sum())


def test_the_network_sees_its_paddle_now_and_where_it_was_only_unless_that_is_hidden() -> None:
    config = TrainConfig.for_env("breakout", network="nature")
    net = build(config, get_spec("breakout"))
    assert isinstance(net, ScreenNet)
    preprocess = Preprocess.of(config)
    screens = np.zeros((2, 210, 160, 3), np.uint8)
    screens[1, 189:193, 60:76] = 200
    without, with_paddle = (torch.from_numpy(preprocess.from_rgb(screen)) for screen in screens)
    histories = torch.stack([torch.stack([with_paddle] * 5)] * 2)
    shown, hidden = net.residuals(histories, torch.tensor([False, True]))
    assert torch.equal(shown[0], hidden[0])
    assert int(shown[0].sum()) > 0
    assert torch.equal(shown[1], shown[0])
    assert torch.equal(hidden[1], net.residuals(torch.stack([without] * 5)[None], torch.tensor([False]))[0, 1])


def test_every_pixel_is_weighed_by_how_much_it_varies() -> None:
    net = build(TrainConfig.for_env("breakout", network="nature"), get_spec("breakout"))
    deviation = torch.full((84, 84), 0.0)
    deviation[:10] = 36.0
    net.set_statistics(torch.full((84, 84), 50.4), deviation)
    seen = net.prepare(torch.full((1, 5, 84, 84), 60, dtype=torch.uint8), torch.tensor([False]))
    assert float(seen[0, 0, 0, 0]) == pytest.approx(10 / 40)
    assert float(seen[0, 0, 20, 0]) == pytest.approx(10 / 4)


@pytest.mark.parametrize("network", ["keypoints", "nature"])
def test_training_reports_its_stages_and_ends_with_a_policy(breakout: Session, tmp_path: Path, network: str) -> None:
    out = tmp_path / "p.safetensors"
    records = list(fit([breakout], TrainConfig.for_env("breakout", network=network, **TINY), out=out))
    stages = list(dict.fromkeys(record.stage for record in records))
    assert stages == ["load", *(["look"] if network == "keypoints" else []), "train", "play", "done"]
    last = records[-1]
    assert isinstance(last, Progress)
    assert (last.batch, last.fraction) == (12, 1.0)
    assert last.val_loss is not None
    assert last.score is not None
    checked = [record for record in records if record.stage == "train" and record.score is not None]
    assert checked[0].batch < 12  # while training goes on, not only at its end
    assert Policy.load(out).config.network == network


def test_the_network_of_the_article_trains_and_plays_as_well(breakout: Session, tmp_path: Path) -> None:
    out = tmp_path / "p.safetensors"
    config = TrainConfig.for_env("breakout", network="article64", **{**TINY, "play_games": 0, "checks": 0})
    last = list(fit([breakout], config, out=out))[-1]
    assert (last.batch, last.stage) == (12, "done")
    assert last.val_loss is not None
    policy = Policy.load(out)
    policy.reset()
    assert policy.config.network == "article64"
    assert policy.act(breakout.frames[0]) in range(4)


def test_the_same_seed_and_batches_give_the_same_policy(
    breakout: Session, breakout_policy: Path, tmp_path: Path
) -> None:
    first, out = Policy.load(breakout_policy), tmp_path / "again.safetensors"
    list(fit([breakout], first.config, out=out))
    weights, again = first.net.state_dict(), Policy.load(out).net.state_dict()
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_closing_the_generator_keeps_the_best_so_far_and_cleans_up(
    breakout: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    out = tmp_path / "p.safetensors"
    training = fit([breakout], TrainConfig.for_env("breakout", network="nature", max_seconds=600.0), out=out)
    for progress in training:
        if progress.stage == "train" and progress.batch >= 3:
            break
    assert list(temporary.glob("twinplay-*"))
    training.close()
    assert Policy.load(out).header["training"]["batches"] >= 3
    assert list(temporary.glob("twinplay-*")) == []  # PyTorch has a folder of its own there
    assert sorted(file.name for file in tmp_path.iterdir()) == ["p.safetensors", "temporary"]


def test_a_hopper_clone_comes_close_to_its_expert(hopper_policy: Path) -> None:
    report = list(evaluate(hopper_policy, episodes=4, seed=3, processes=2))[-1].report
    assert report is not None
    clone, demonstrator, random = report.rows
    assert (clone.player, demonstrator.label, random.player) == ("clone", "scripted hopper-expert", "random")
    assert clone.distinct == 4
    assert clone.mean > 1_000
    assert random.mean < 100 < demonstrator.mean
    assert clone.low <= clone.mean <= clone.high
    alone = list(evaluate(hopper_policy, episodes=1, seed=3, players=("clone", "random"), processes=1))[-1].report
    assert alone is not None
    assert [row.returns for row in alone.rows] == [clone.returns[:1], random.returns[:1]]
    steps = list(evaluate(hopper_policy, episodes=5, seed=3, players=("random",), processes=1))
    assert [len(row.returns) for step in steps for row in step.rows] == [1, 2, 3, 4, 5, 5]  # told once each game ends


def test_without_fire_a_warning_says_that_the_clone_cannot_serve(tmp_path: Path) -> None:
    class Still:
        def reset(self, env: object = None) -> None: ...

        def act(self, observation: object) -> int:
            return NOOP

    session = record("breakout", Still(), library=tmp_path, seconds=3)
    data = Dataset([session], TrainConfig.for_env("breakout"))
    list(data.load())
    data.close()
    assert any("FIRE" in warning for warning in data.warnings)


def test_two_seconds_of_play_with_one_life_and_no_point_can_be_learned_from(tmp_path: Path) -> None:
    session = record("breakout", scripted("breakout"), library=tmp_path, seconds=2)
    out = tmp_path / "p.safetensors"
    records = list(fit([session], TrainConfig.for_env("breakout", **{**TINY, "play_games": 0}), out=out))
    assert any("too few episodes" in record.message for record in records)
    policy = Policy.load(out)
    policy.reset()
    assert policy.act(session.frames[0]) in range(4)


def test_play_decides_which_delay_the_clone_plays(breakout: Session, tmp_path: Path) -> None:
    out = tmp_path / "p.safetensors"
    list(fit([breakout], TrainConfig.for_env("breakout", network="nature", label_shifts=(0, 8), **TINY), out=out))
    policy = Policy.load(out)
    assert policy.selection.output in (0, 1)
    assert policy.net(policy.net.prepare(torch.zeros(1, 5, 84, 84, dtype=torch.uint8), torch.tensor([True]))).shape == (
        1,
        2,
        4,
    )


def test_sessions_of_two_environments_are_refused(breakout: Session, hopper: Session, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be trained on together"):
        list(fit([breakout, hopper], out=tmp_path / "p.safetensors"))
    assert list(tmp_path.iterdir()) == []


def test_a_network_for_screens_is_refused_for_vectors(hopper: Session, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="'nature' does not fit Hopper"):
        list(fit([hopper], TrainConfig(network="nature", max_batches=5), out=tmp_path / "p.safetensors"))


def test_nothing_chosen_and_no_place_to_write_are_refused(hopper: Session, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no session is chosen"):
        list(fit([], out=tmp_path / "p.safetensors"))
    with pytest.raises(PolicyError, match="does not exist; create it first"):
        list(fit([hopper], out=tmp_path / "missing" / "p.safetensors"))


def test_an_empty_session_is_refused(tmp_path: Path) -> None:
    session = record("hopper", RandomAgent(get_spec("hopper")), library=tmp_path, seconds=0.008)
    with pytest.raises(TrainingError, match="too little to train on"):
        list(fit([session], out=tmp_path / "p.safetensors"))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("network", "resnet"),
        ("batch_size", 0),
        ("history", (1, 2)),
        ("max_seconds", -1),
        ("crop", (9, 3)),
        ("nope", 1),
        ("label_shifts", (4, 0)),
        ("label_windows", (0, 8)),
        ("label_windows", (8, 1)),
        ("label_windows", (1, 61)),
        ("dropout", 1.0),
        ("hidden_rows", (5,)),
        ("precision", "int8"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(setting: str, value: object) -> None:
    with pytest.raises(UsageError, match=setting):
        TrainConfig.for_env("breakout", **{setting: value})


def test_a_configuration_without_network_or_budget_is_completed_for_its_environment() -> None:
    assert TrainConfig().completed("breakout") == TrainConfig.for_env("breakout")
    assert TrainConfig(max_batches=5).completed("hopper") == TrainConfig.for_env("hopper", max_batches=5)
    assert TrainConfig(max_batches=5).completed("hopper").max_batches == 5
    assert TrainConfig(network="article64", max_seconds=9.0).completed("breakout").network == "article64"


def test_a_configuration_survives_json() -> None:
    config = TrainConfig.for_env("breakout", preset="quick", history=(0, 3))
    assert TrainConfig.from_json(config.to_json()) == config
