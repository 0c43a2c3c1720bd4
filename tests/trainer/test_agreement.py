"""What a clone would have done in the demonstrator's place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from recorder import Session
from recorder.errors import UsageError
from trainer import Policy, PolicyError, TrainConfig, compare, fit
from trainer.evaluation.agreement import Agreement, choose_game, comparing
from trainer.policy.action_selection import ActionSelection
from trainer.policy.networks import build


def shortest(session: Session) -> int:
    return min(session.recorded_games, key=lambda game: game.ticks).number


@pytest.mark.parametrize(
    "selection", [ActionSelection(), ActionSelection(0.25, (1,)), ActionSelection(0.0, past=False)]
)
def test_a_clone_that_is_shown_the_game_tick_by_tick_decides_the_same(
    breakout: Session, breakout_policy: Path, selection: ActionSelection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.evaluation.agreement._SLICE_TICKS", 150)
    policy = Policy.load(breakout_policy).fork(0, selection)
    game = breakout.game(shortest(breakout))
    found = compare(breakout, policy, game=game.number)
    player, believer = policy.fork(1, selection), policy.fork(2, ActionSelection(past=selection.past))
    assert len(found) == game.ticks > 700
    for tick in range(250):  # more than one slice of the comparison
        screen = breakout.frames[game.start + tick]
        player.act(screen)
        believer.act(screen)
        assert player.probabilities is not None
        assert believer.probabilities is not None
        likeliest = player.probabilities.max()
        assert player.probabilities[found.clone[tick]] == pytest.approx(likeliest, abs=1e-5)
        assert found.sure[tick] == pytest.approx(believer.probabilities[found.clone[tick]], abs=1e-4)
    actions = breakout.actions[game.start : game.stop]
    np.testing.assert_array_equal(found.recorded, actions)
    assert found.share == pytest.approx((found.clone == actions).mean())


def test_a_clone_without_reaction_time_is_shown_the_field_of_before_and_the_paddle_of_now(breakout: Session) -> None:
    config = TrainConfig.for_env("breakout", network="nature", label_shifts=(0, 7))
    torch.manual_seed(0)
    policy = Policy(build(config, breakout.spec), breakout.spec, config, selection=ActionSelection(output=1))
    game = breakout.game(shortest(breakout))
    found = compare(breakout, policy, game=game.number)
    np.testing.assert_array_equal(found.recorded, breakout.actions[game.start : game.stop])
    screens = breakout.frames[game.start : game.start + 400]
    (top, bottom), apart = config.hidden_rows, []
    for tick, screen in enumerate(screens):
        seen = screens[max(0, tick - 7)].copy()
        seen[top:bottom] = screen[top:bottom]
        policy.act(seen)
        assert policy.probabilities is not None
        apart.append(abs(found.sure[tick] - policy.probabilities[found.clone[tick]]))
    assert np.median(apart) < 1e-6
    assert max(apart) < 2e-4  # the pixels' topmost row also shows a little of the screen's above the paddle


@pytest.mark.parametrize("network", ["mlp", "lstm"])
def test_torques_are_those_of_a_clone_that_was_shown_the_game_tick_by_tick(
    hopper: Session, tmp_path: Path, network: str
) -> None:
    config = TrainConfig.for_env("hopper", network=network, batch_size=16, max_batches=40, play_games=1, checks=0)
    list(fit([hopper], config, out=tmp_path / "clone.safetensors"))
    policy = Policy.load(tmp_path / "clone.safetensors")
    game = hopper.game(2)
    found = compare(hopper, tmp_path / "clone.safetensors", game=2)
    expected = np.stack([policy.act(seen) for seen in hopper.observations[game.start : game.stop]])
    np.testing.assert_allclose(found.clone, expected, atol=1e-4)
    apart = np.abs(expected - hopper.actions[game.start : game.stop])
    np.testing.assert_allclose(found.mean_difference, apart.mean(axis=0), atol=1e-4)
    np.testing.assert_array_equal(found.differs, np.abs(found.clone - found.recorded).max(axis=1) > 0.5)


def test_comparing_leaves_the_clone_as_it_was_and_tells_how_far_it_is(breakout: Session, breakout_policy: Path) -> None:
    policy, other = Policy.load(breakout_policy), Policy.load(breakout_policy)
    for player in (policy, other):
        player.act(breakout.frames[0])
    steps = list(comparing(breakout, policy))
    assert steps[0].done == 0
    assert steps[-2].done == steps[-1].total == choose_game(breakout, None).ticks
    assert [step.agreement is None for step in steps] == [True] * (len(steps) - 1) + [False]
    for tick in range(1, 20):
        assert policy.act(breakout.frames[tick]) == other.act(breakout.frames[tick])


def hand_made(recorded: list[int], clone: list[int], sure: list[float]) -> Agreement:
    names = ("NOOP", "FIRE", "RIGHT", "LEFT")
    return Agreement(np.array(recorded), np.array(clone), np.array(sure, np.float32), names, rate_hz=60.0)


def test_disagreements_are_stretches_told_at_their_surest_tick() -> None:
    recorded, clone, sure = [3] * 100, [3] * 100, [0.5] * 100
    clone[10:20] = [2] * 10
    sure[14] = 0.97
    clone[23:25] = [0] * 2  # three ticks later: the same stretch
    clone[60:62] = [1] * 2
    sure[60] = 0.99
    clone[80:90] = [0] * 10
    sure[10:90] = [0.6 if value == 0.5 else value for value in sure[10:90]]
    found = hand_made(recorded, clone, sure)
    assert [(each.start, each.stop) for each in found.disagreements] == [(10, 25), (60, 62), (80, 90)]
    first = found.disagreements[0]
    assert (first.tick, first.recorded, first.clone, first.sure) == (14, "LEFT", "RIGHT", pytest.approx(0.97))
    assert [each.start for each in found.clearest] == [10, 80, 60]  # what lasts a thirtieth of a second comes last
    assert found.share == pytest.approx(1 - 24 / 100)
    assert found.headline == "76 % agree"


def test_an_agreement_in_everything_has_no_disagreements() -> None:
    found = hand_made([0, 1, 2], [0, 1, 2], [0.9] * 3)
    assert (found.share, found.disagreements, found.clearest) == (1.0, (), ())
    with pytest.raises(ValueError, match=r"\(3,\) recorded, \(2,\)"):
        hand_made([0, 1, 2], [0, 1], [0.9] * 2)


def test_what_cannot_be_compared_is_refused_in_a_sentence(
    breakout: Session, hopper: Session, breakout_policy: Path
) -> None:
    with pytest.raises(PolicyError, match=r"plays Breakout, but .* is a session of Hopper"):
        compare(hopper, breakout_policy)
    with pytest.raises(UsageError, match="no game 99; choose"):
        compare(breakout, breakout_policy, game=99)
