"""A clone that moves its hands as its demonstrator does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recorder import Session, get_spec, record
from recorder.agents.experts import scripted
from recorder.library.edits import edit
from tests.trainer.conftest import TINY
from trainer import Policy, PolicyError, TrainConfig, fit
from trainer.data.dataset import Dataset
from trainer.evaluation.alike import Alike, Demonstration, choose_alike, pulling
from trainer.evaluation.evaluator import play_searches
from trainer.evaluation.games import PlannedGame
from trainer.evaluation.scores import GameResult
from trainer.evaluation.select_by_play import Candidate, CandidateScore
from trainer.learn.optimizer import AdamW
from trainer.policy.action_selection import ActionSelection
from trainer.policy.hand import AGES, Grip, Hand, Pull, near_aim, seen_here
from trainer.policy.policy import act_together
from trainer.runs.policy_library import summarize

NOOP, FIRE, RIGHT, LEFT = range(4)


@pytest.fixture(scope="module")
def policy(breakout: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("alike") / "clone.safetensors"
    config = TrainConfig.for_env("breakout", **{**TINY, "play_ticks": 380, "max_batches": 20, "checks": 0})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.evaluation.likeness._LEAST_CLIPS", 3)  # such a clone's games are soon over
        # Its best is no less like its player so far, and may score no more.
        patch.setattr("trainer.evaluation.alike._is_closer", lambda pulled, winner: True)
        patch.setattr("trainer.evaluation.alike._plays_best", lambda pulled, best: False)
        list(fit([breakout], config, out=out))
    return out


def test_what_is_held_is_the_action_before_and_for_how_long(breakout: Session) -> None:
    data = Dataset([breakout], TrainConfig.for_env("breakout"))
    list(data.load())
    actions, start = breakout.actions, breakout.episodes[0].start
    rows = np.arange(start, start + 400)
    held = data._gather(rows, np.zeros(len(rows), np.int64)).held
    follows = data.follows
    data.close()
    assert held[0].tolist() == [NOOP, 1]
    assert held[1:, 0].tolist() == actions[start : start + 399].tolist()
    age = 0
    for row in range(start, start + 399):
        age = age + 1 if row > start and actions[row] == actions[row - 1] else 1
        assert held[row - start + 1, 1] == min(age, AGES)
    changes = np.flatnonzero(np.diff(actions[start : breakout.episodes[0].stop])) + start
    assert all(follows[actions[row], actions[row + 1]] for row in changes.tolist())
    assert not follows.all()


def test_a_hand_learns_for_how_long_keys_are_held() -> None:
    torch.manual_seed(0)
    hand = Hand(1, (32,), 4, 0.0)
    rng = np.random.default_rng(0)
    ages = rng.integers(1, AGES + 1, 4_096)
    held = torch.from_numpy(np.stack([np.full(len(ages), LEFT), ages], axis=1))
    labels = torch.from_numpy(np.where(ages < 4, LEFT, NOOP))  # four ticks each
    optimizer = AdamW(hand.parameters(), 0.0)
    for _ in range(100):
        loss = torch.nn.functional.cross_entropy(hand(torch.zeros(len(ages), 1), held), labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step(1e-2)
    likely = hand(torch.zeros(AGES, 1), torch.tensor([(LEFT, age) for age in range(1, AGES + 1)])).softmax(dim=1)
    assert (likely[:3, LEFT] > 0.9).all()
    assert (likely[3:, NOOP] > 0.9).all()


def test_a_grip_changes_only_to_what_ever_followed_and_the_steadier_the_less_is_chance() -> None:
    follows = np.zeros((4, 4), bool)
    follows[NOOP, LEFT] = follows[LEFT, NOOP] = True
    habit = np.zeros(4, np.float32)
    reasons = seen_here(np.array([0.0, 0.0, 5.0, 0.0], np.float32), (0.25, 0.25, 0.25, 0.25))

    def played(steady: int) -> list[int]:
        grip, rng = Grip(Pull(0.0, 0.0, 2.0, steady), follows), np.random.default_rng(0)
        return [grip.take(grip.probabilities(habit, reasons), rng) for _ in range(4_000)]

    def deviation(actions: list[int]) -> float:
        edges = np.flatnonzero(np.diff(actions))
        return float(np.diff(edges)[::2].std())

    chance, steady = played(1), played(20)
    assert set(chance) == set(steady) == {NOOP, LEFT}
    assert deviation(steady) < 0.6 * deviation(chance)


def test_what_nothing_ever_followed_does_not_last_for_ever() -> None:
    follows = np.zeros((4, 4), bool)
    follows[NOOP, LEFT] = True  # and there the recording ends
    grip, rng = Grip(Pull(0.0, 0.0, 0.0), follows), np.random.default_rng(0)
    nothing = np.zeros(4, np.float32)
    actions = [grip.take(grip.probabilities(nothing, nothing), rng) for _ in range(100)]
    assert set(actions) == {NOOP, LEFT, RIGHT, FIRE}


def test_a_grip_holds_what_was_played_in_its_place() -> None:
    grip, rng = Grip(Pull(0.0, 0.0, 0.0), ~np.eye(4, dtype=bool)), np.random.default_rng(0)
    surely = np.eye(4)
    for _ in range(3):
        grip.take(surely[RIGHT], rng)
        grip.played(LEFT)
    assert grip.held == (LEFT, 3)
    assert grip.take(surely[LEFT], rng) == LEFT
    grip.played(LEFT)
    assert grip.held == (LEFT, 4)


def test_a_demonstration_is_what_is_learned_from(tmp_path: Path) -> None:
    session = record("breakout", scripted("breakout", style="beginner"), library=tmp_path, seconds=150)
    first, second = session.episodes[:2]
    left = edit(session.path, excluded={first.index: True}, spans=[range(second.start + 300, second.stop)])
    demonstration = Demonstration.of([left], {left.name: [first.index, second.index]})
    assert demonstration is not None
    assert np.concatenate(demonstration.games).tolist() == session.actions[second.start : second.start + 300].tolist()
    assert demonstration.score == second.total_reward


class Scripted:
    """An evaluator in which everybody plays as told: the actions and the score of each selection."""

    ticks = 0

    def __init__(self, told: Callable[[ActionSelection], tuple[list[int], float]]) -> None:
        self.told = told

    def play(self, rows: Sequence[PlannedGame], max_ticks: int) -> Iterator[list[GameResult]]:
        yield [self.result(row.selection or ActionSelection()) for row in rows]

    def result(self, selection: ActionSelection) -> GameResult:
        actions, score = self.told(selection)
        return GameResult(score, len(actions), "game over", "", np.array(actions))


def chosen(
    told: Callable[[ActionSelection], tuple[list[int], float]], aims: tuple[int, ...] = (2, 4, 8, 16)
) -> Alike | None:
    config = TrainConfig.for_env("breakout", aims=aims)
    rng = np.random.default_rng(0)
    demonstration = Demonstration([np.array(calm(rng)) for _ in range(20)], 50.0)
    shares = (0.7, 0.01, 0.15, 0.14)
    candidate = Candidate("p", ActionSelection(0.5, aim=max(aims, default=0), leaves_loops=bool(aims)))
    scripted_games = Scripted(told)
    best = CandidateScore(candidate, [scripted_games.result(candidate.selection) for _ in range(6)])
    evaluator: Any = scripted_games
    spec = get_spec("breakout")
    *_, found = play_searches(evaluator, [pulling(candidate, shares, demonstration, spec, config)], 100)
    assert isinstance(found, list)
    better, alike = choose_alike(found[0], best, demonstration, spec)
    return better or alike


def calm(rng: np.random.Generator) -> list[int]:
    return [action for _ in range(80) for action in [NOOP] * int(rng.integers(4, 9)) + [LEFT] * int(rng.integers(3, 6))]


def test_the_hardest_to_tell_apart_is_chosen_unless_it_scores_too_little_or_its_best_is_that() -> None:
    rng = np.random.default_rng(1)

    def nervous() -> list[int]:
        return rng.integers(0, 4, 800).tolist()

    def pulled(selection: ActionSelection, press: float) -> bool:
        return selection.pull is not None and selection.pull.press == press

    for press, aims in ((15.0, (2, 4, 8, 16)), (2.0, ())):
        alike = chosen(lambda m, press=press: (calm(rng), 45.0) if pulled(m, press) else (nervous(), 46.0), aims)
        assert alike is not None
        assert pulled(alike.selection, press)
        assert alike.selection.aim == (16 if aims else 0)
        assert alike.selection.kept == ((FIRE,) if aims else ())
        assert not alike.selection.leaves_loops
        assert (alike.score, alike.demonstrator) == (45.0, 50.0)
        assert alike.classifier < 0.7
    # One that hardly plays is no twin, however it moves.
    poor = chosen(lambda m: (calm(rng), 0.0) if pulled(m, 15.0) else (nervous(), 45.0 - bool(m.pull)))
    assert poor is None or not pulled(poor.selection, 15.0)
    assert chosen(lambda m: (nervous() if m.pull else calm(rng), 45.0 - bool(m.pull))) is None
    better = chosen(lambda m: (nervous(), 45.0 if m.pull is None else 60.0 if m.pull.press == 15.0 else 20.0))
    assert better is not None
    assert better.plays_best


def test_what_is_seen_pulls() -> None:
    follows = ~np.eye(4, dtype=bool)
    habit = np.log(np.array([0.91, 0.03, 0.03, 0.03], np.float32))
    seen = seen_here(np.log(np.array([0.3, 0.01, 0.68, 0.01], np.float32)), (0.7, 0.01, 0.145, 0.145))
    weak, strong = (Grip(Pull(press, 0.0, 0.0), follows).probabilities(habit, seen)[RIGHT] for press in (0.0, 3.0))
    assert weak == pytest.approx(0.03, abs=1e-3)
    assert strong > 0.8


def test_what_leads_to_the_aim_pulls_but_not_within_the_tolerance() -> None:
    follows = ~np.eye(4, dtype=bool)
    habit = np.log(np.array([0.91, 0.03, 0.03, 0.03], np.float32))
    grip = Grip(Pull(20.0, 0.0, 0.0), follows)
    near, far = (np.array([off, off, off - 0.2, off + 0.2], np.float32) for off in (0.09, 0.6))
    np.testing.assert_allclose(grip.probabilities(habit, near_aim(near, 0.3)), np.exp(habit), rtol=1e-5)
    assert grip.probabilities(habit, near_aim(far, 0.3))[RIGHT] > 0.5
    assert grip.probabilities(habit, near_aim(far, 0.3))[LEFT] < 1e-3


def test_what_is_rare_but_needed_stays_as_likely_as_by_habit_however_far_the_aim() -> None:
    habit = np.log(np.array([0.91, 0.03, 0.03, 0.03], np.float32))
    grip = Grip(Pull(20.0, 20.0, 2.0), ~np.eye(4, dtype=bool))
    pulled = grip.probabilities(habit, near_aim(np.array([2.0, 2.0, 1.0, 3.0], np.float32), 0.3), (FIRE,))
    assert pulled[FIRE] == pytest.approx(0.03)
    assert pulled[RIGHT] == pytest.approx(0.97, abs=1e-3)
    assert pulled.sum() == pytest.approx(1.0)
    follows = np.zeros((4, 4), bool)
    follows[FIRE, LEFT] = True  # of nothing but what is kept, one is as likely as by habit beside the other
    grip = Grip(Pull(20.0, 20.0, 2.0), follows)
    grip.held = (FIRE, 3)
    assert grip.probabilities(habit, np.zeros(4, np.float32), (FIRE, LEFT)).tolist() == pytest.approx([0, 0.5, 0, 0.5])


def test_a_training_finds_how_its_clone_plays_like_its_demonstrator(policy: Path, breakout: Session) -> None:
    best, alike = Policy.load(policy), Policy.load(policy, alike=True)
    assert best.selection.pull is None
    assert alike.selection.pull is not None
    figures = summarize(policy).alike
    assert figures is not None
    demonstration = Demonstration.of([breakout], {})
    assert demonstration is not None
    assert figures.demonstrator == pytest.approx(np.mean(breakout.scores)) == demonstration.score
    assert 0.0 <= figures.classifier <= 1.0
    assert ActionSelection.from_json(json.loads(json.dumps(alike.selection.to_json()))) == alike.selection


def test_players_who_move_alike_act_together_as_they_would_alone(policy: Path, breakout: Session) -> None:
    frames = [breakout.frames[tick] for tick in range(40)]
    alone = [Policy.load(policy, seed, alike=True) for seed in (1, 2)]
    expected = [[player.act(frame) for frame in frames] for player in alone]
    first = Policy.load(policy, 1, alike=True)
    together = [first, first.fork(2), first.fork(3, Policy.load(policy).selection)]
    found = [act_together(together, [frame] * 3) for frame in frames]
    assert [[actions[row] for actions in found] for row in range(2)] == expected
    for player in together:
        player.reset()
    assert first.act(frames[0]) in range(4)


def test_a_clone_that_only_plays_its_best_says_so(nature_policy: Path) -> None:
    with pytest.raises(PolicyError, match="cannot play like its demonstrator; let it play its best"):
        Policy.load(nature_policy, alike=True)
    assert summarize(nature_policy).alike is None


@pytest.mark.parametrize(
    "pull",
    [
        {"press": -1.0},
        {"press": "much"},
        {"press": 10**400},
        {"steady": 0},
        {"steady": float("inf")},
        {"release": float("nan")},
        {"tolerance": -0.1},
        None,
    ],
)
def test_a_damaged_way_to_play_is_refused(policy: Path, tmp_path: Path, pull: object) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    with safe_open(policy, framework="pt") as file:
        header = json.loads(file.metadata()["twinplay"])
    selection = header["alike"]["manner"]
    selection["pull"] = {**selection["pull"], **pull} if isinstance(pull, dict) else [1, 2]
    path = tmp_path / "damaged.safetensors"
    save_file(load_file(policy), path, {"twinplay": json.dumps(header)})
    with pytest.raises(PolicyError, match=r"is damaged \(.*train it again"):
        Policy.load(path, alike=True)
    assert Policy.load(path).selection.pull is None
