"""The policy file, and the clone at play."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from recorder import Session, record
from recorder.envs.registry import get_spec
from trainer import Policy, PolicyError, TrainConfig, fit
from trainer.evaluation.evaluator import Evaluator, Search, play_searches
from trainer.evaluation.games import PlannedGame, play_together
from trainer.evaluation.scores import GameResult, bootstrap, in_order
from trainer.evaluation.select_by_play import (
    Candidate,
    CandidateScore,
    Rung,
    action_selections,
    finalists,
    halving,
)
from trainer.policy.action_selection import ActionSelection
from trainer.policy.networks import RecurrentNet, VectorNet, build
from trainer.policy.policy import act_together
from trainer.policy.policy_file import save_policy


def test_a_policy_plays_the_same_after_loading_again(breakout: Session, breakout_policy: Path) -> None:
    first, second = (Policy.load(breakout_policy, seed=4) for _ in range(2))
    for tick in range(30):
        screen = breakout.frames[tick]
        assert first.act(screen) == second.act(screen)
        assert first.probabilities is not None
        np.testing.assert_array_equal(first.probabilities, second.probabilities)
        assert float(first.probabilities.sum()) == pytest.approx(1.0, abs=1e-5)


def test_players_of_one_network_act_together_as_they_would_alone(breakout: Session, breakout_policy: Path) -> None:
    policy = Policy.load(breakout_policy)
    together, alone = [policy.fork(k) for k in range(3)], [policy.fork(k) for k in range(3)]
    for tick in range(20):
        screens = [breakout.frames[tick + 200 * k] for k in range(3)]
        act_together(together, screens)
        for one, other, screen in zip(together, alone, screens, strict=True):
            other.act(screen)
            np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)


def test_reset_forgets_what_was_seen(breakout: Session, breakout_policy: Path) -> None:
    policy = Policy.load(breakout_policy)
    fresh = policy.see(breakout.frames[500])
    for tick in range(10):
        policy.act(breakout.frames[tick])
    policy.reset()
    np.testing.assert_array_equal(policy.see(breakout.frames[500]), fresh)


def test_a_policy_can_be_recorded_and_is_labelled_so(hopper_policy: Path, tmp_path: Path) -> None:
    session = record("hopper", Policy.load(hopper_policy), library=tmp_path, episodes=1)
    assert session.player["kind"] == "policy"
    assert session.actions.dtype == np.float32
    assert np.abs(session.actions).max() <= 1.0


def test_the_header_tells_what_the_policy_learned_from(breakout: Session, breakout_policy: Path) -> None:
    header = Policy.load(breakout_policy).header
    assert header["sessions"][0]["digest"] == breakout.digest()
    assert header["sessions"][0]["player"]["kind"] == "scripted"
    assert header["env"]["env_id"] == "ALE/Breakout-v5"


def test_games_end_at_their_caps_and_are_told_apart(breakout_policy: Path) -> None:
    policy = Policy.load(breakout_policy)
    results = in_order(ChainMap(*play_together([policy.fork(seed) for seed in (1, 2, 3)], [1, 2, 3], max_ticks=150)))
    assert [game.ticks for game in results] == [150] * 3
    assert len({game.trace for game in results}) == 3


def test_a_sharp_player_keeps_its_rare_actions_and_leaves_the_likeliest_of_the_others() -> None:
    logits = np.log(np.array([0.4, 0.1, 0.3, 0.2], np.float32))
    np.testing.assert_allclose(ActionSelection().probabilities(logits), [0.4, 0.1, 0.3, 0.2], rtol=1e-5)
    np.testing.assert_allclose(ActionSelection(0.0, (1,)).probabilities(logits), [0.9, 0.1, 0, 0], atol=1e-5)
    np.testing.assert_allclose(ActionSelection(0.0).probabilities(logits), [1, 0, 0, 0], atol=1e-5)
    certain = np.array([0.0, 60.0, 1.0, 2.0], np.float32)
    np.testing.assert_allclose(ActionSelection(0.0, (1,)).probabilities(certain), [0, 1, 0, 0], atol=1e-5)
    half = ActionSelection(0.5, (1,)).probabilities(logits)
    np.testing.assert_allclose(half[[0, 2, 3]] / 0.9, np.array([16, 9, 4]) / 29, rtol=1e-5)


def test_who_knows_how_often_each_action_is_taken_takes_the_one_that_is_likelier_than_usual() -> None:
    logits = np.log(np.array([0.6, 0.02, 0.28, 0.1], np.float32))
    prior = (0.8, 0.005, 0.1, 0.095)
    assert ActionSelection(0.0, (1,)).probabilities(logits).argmax() == 0
    np.testing.assert_allclose(
        ActionSelection(0.0, (1,), prior=prior).probabilities(logits), [0, 0.02, 0.98, 0], atol=1e-5
    )
    # of the 0.98 that are no serve, in proportion to 0.6 / 0.8, 0.28 / 0.1 and 0.1 / 0.095
    soft = ActionSelection(1.0, (1,), prior=prior).probabilities(logits)
    np.testing.assert_allclose(soft[[0, 2, 3]], 0.98 * np.array([0.75, 2.8, 1.0526]) / 4.6026, rtol=1e-4)
    never = ActionSelection(0.0, prior=(1.0, 0.0, 0.0, 0.0)).probabilities(np.log(np.array([0.998, 1e-3, 5e-4, 5e-4])))
    assert never.argmax() == 0


def test_the_selection_survives_the_file_and_that_of_an_earlier_version_has_no_prior(tmp_path: Path) -> None:
    selection = ActionSelection(0.1, (1,), 0, False, (0.7, 0.01, 0.14, 0.15))
    assert ActionSelection.from_json(json.loads(json.dumps(selection.to_json()))) == selection
    assert ActionSelection.from_json({"temperature": 0.5, "kept": [1], "output": 0, "past": True}).prior == ()
    for damaged in ({"prior": [2.0]}, {"prior": ["much"]}, {"prior": 3}):
        with pytest.raises((ValueError, TypeError)):
            ActionSelection.from_json({**selection.to_json(), **damaged})


def test_finalists_are_also_tried_without_the_shares_of_the_actions() -> None:
    prior = (0.7, 0.01, 0.14, 0.15)
    found = action_selections(get_spec("breakout"), TrainConfig.for_env("breakout"), (1,), prior)
    assert {selection.prior for selection in found} == {prior, ()}
    assert {
        selection.prior for selection in action_selections(get_spec("breakout"), TrainConfig(), (1,), prior, few=True)
    } == {prior}
    assert {
        selection.prior for selection in action_selections(get_spec("hopper"), TrainConfig.for_env("hopper"), (), ())
    } == {()}


@pytest.mark.parametrize("processes", [1, 2])
def test_a_contest_finds_the_better_player(
    hopper_policy: Path, tmp_path: Path, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.evaluation.evaluator._WORTH_A_PROCESS", 0)
    trained = Policy.load(hopper_policy)
    net = build(trained.config, trained.spec)
    save_policy(tmp_path / "beginner.safetensors", net, {**trained.header})
    candidates = [
        Candidate(str(path), ActionSelection()) for path in (tmp_path / "beginner.safetensors", hopper_policy)
    ]
    evaluator = Evaluator(processes)
    config = trained.config.with_changes(seed=0, play_ticks=400)
    *ticks, found = play_searches(evaluator, [halving(candidates, [Rung(1, 2), Rung(3, 1)], config)], 400)
    evaluator.close()
    assert isinstance(found, list)
    (standings,) = found
    assert [standing.candidate for standing in standings] == candidates[::-1]
    assert [len(standing.played) for standing in standings] == [3, 3]
    assert standings[0].score > 2 * standings[1].score
    assert 0 <= min(ticks) < max(ticks) <= 6 * 400


class Scored:
    """An evaluator in which each policy has its scores, game by game; it notes the starts."""

    ticks = 0

    def __init__(self, scores: dict[str, list[float]]) -> None:
        self.scores = scores
        self.starts: dict[str, list[int]] = {name: [] for name in scores}

    def play(self, planned: Sequence[PlannedGame], max_ticks: int) -> Iterator[float | list[GameResult]]:
        for each in planned:
            self.starts[each.policy].append(each.seed)
        yield [GameResult(self.scores[each.policy].pop(0), 100, "game over", "") for each in planned]


def test_candidates_are_compared_by_all_their_games_which_have_the_same_starts() -> None:
    first, second, third = (Candidate(name, ActionSelection()) for name in "abc")
    evaluator: Any = Scored({"a": [9, 9, 5, 4], "b": [6, 6, 6, 9], "c": [1, 1], "d": [5, 5, 5, 4]})
    config = TrainConfig(play_ticks=100)
    ((standings,),) = play_searches(evaluator, [halving([first, second, third], [Rung(2, 2), Rung(3, 1)], config)], 100)
    assert [(each.candidate, each.score) for each in standings] == [(first, 23 / 3), (second, 6), (third, 1)]
    late = Candidate("d", ActionSelection())
    ((later,),) = play_searches(
        evaluator, [halving([first, second, late], [Rung(3, 2), Rung(4, 1)], config, standings)], 100
    )
    assert [(each.candidate, each.score) for each in later] == [(first, 27 / 4), (second, 27 / 4), (late, 5)]
    assert evaluator.starts["a"] == evaluator.starts["b"]
    assert evaluator.starts["d"] == evaluator.starts["a"][:3]


def test_searches_play_together_and_each_gets_the_results_of_its_own_games() -> None:
    def searching(name: str, rounds: int) -> Search:
        scores = []
        for number in range(rounds):
            results = yield [PlannedGame(name, number)]
            scores += [result.score for result in results]
        return scores

    evaluator: Any = Scored({"a": [1, 2, 3], "b": [4]})
    *_, found = play_searches(evaluator, [searching("a", 3), searching("b", 1), searching("b", 0)], 100)
    assert found == [[1, 2, 3], [4], []]


def test_the_finalists_are_the_best_weights_of_each_way_to_see_the_past_at_every_temperature() -> None:
    few = [ActionSelection(t, past=past) for past in (True, False) for t in (0.5, 0.1)]
    scores = {"a": (10, 0, 6, 5), "b": (1, 1, 8, 7)}  # past shown, then hidden; at 0.5, then at 0.1
    every = [ActionSelection(t, past=past) for past in (True, False) for t in (0.5, 0.25, 0.0)]
    assert finalists(_standings(scores, few), every) == [
        Candidate(name, ActionSelection(t, past=past))
        for name, past in (("b", False), ("a", True))
        for t in (0.5, 0.25, 0.0)
    ]


def test_the_finalists_are_of_the_two_ways_that_do_best_over_all_weights() -> None:
    ways = [ActionSelection(0.5, output=output, past=past) for output in (0, 1) for past in (True, False)]
    scores = {"a": (9, 1, 5, 6), "b": (0, 1, 6, 7)}
    assert finalists(_standings(scores, ways), ways) == [Candidate("b", ways[3]), Candidate("b", ways[2])]


def test_where_there_is_one_way_to_play_the_finalists_are_two_weights() -> None:
    assert finalists(_standings({"a": (1,), "b": (2,), "c": (3,)}, [ActionSelection()]), [ActionSelection()]) == [
        Candidate("c", ActionSelection()),
        Candidate("b", ActionSelection()),
    ]


def _standings(scores: dict[str, tuple[float, ...]], action_selections: list[ActionSelection]) -> list[CandidateScore]:
    rows = [(name, zip(action_selections, row, strict=True)) for name, row in scores.items()]
    return [
        CandidateScore(Candidate(name, selection), [GameResult(score, 100, "game over", "")])
        for name, row in rows
        for selection, score in row
    ]


def test_an_observation_of_another_environment_is_refused(hopper: Session, breakout_policy: Path) -> None:
    with pytest.raises(PolicyError, match="choose a policy of this environment"):
        Policy.load(breakout_policy).act(hopper.observations[0])


def test_what_drives_a_clone_is_the_slope_of_its_torques(hopper: Session, hopper_policy: Path) -> None:
    policy = Policy.load(hopper_policy)
    assert isinstance(policy.net, VectorNet)
    seen = hopper.observations[300].astype(np.float64)
    drives = policy.drives(seen)
    assert drives.shape == (3, 11)
    for entry, deviation in enumerate(policy.net.deviation.double().numpy()):
        step = np.zeros(11)
        step[entry] = 0.01 * deviation
        with torch.inference_mode():
            pair = torch.from_numpy(np.stack([seen + step, seen - step]).astype(np.float32))
            up, down = policy.net(policy.net.prepare(pair, torch.zeros(2, dtype=torch.bool)))[:, 0]
        np.testing.assert_allclose(drives[:, entry], (up - down).numpy() / 0.02, atol=0.05)


def test_a_clone_of_screens_has_no_such_slopes(breakout: Session, breakout_policy: Path) -> None:
    with pytest.raises(PolicyError, match="sees screens"):
        Policy.load(breakout_policy).drives(breakout.frames[0])


def test_a_clone_with_a_memory_carries_it_through_a_game_and_forgets_it_after(hopper: Session, tmp_path: Path) -> None:
    config = TrainConfig.for_env("hopper", network="lstm", batch_size=16, max_batches=60, play_games=1, checks=0)
    list(fit([hopper], config, out=tmp_path / "lstm.safetensors"))
    one, other = (Policy.load(tmp_path / "lstm.safetensors") for _ in range(2))
    seen = hopper.observations[100:140].astype(np.float32)
    one.reset()
    alone = np.stack([one.act(observation) for observation in seen])
    assert isinstance(one.net, RecurrentNet)
    with torch.inference_mode():  # tick by tick as in one sequence, which is how it learned
        whole = one.net(one.net.prepare(torch.from_numpy(seen)[None], torch.zeros(1, dtype=torch.bool)))[0, :, 0]
    np.testing.assert_allclose(alone, whole.clamp(-1, 1).numpy(), atol=1e-5)
    one.reset()
    other.reset()
    other.act(seen[5])
    both = act_together([one, other], [seen[0], seen[6]])  # each with its own memory
    np.testing.assert_allclose(both[0], alone[0], atol=1e-5)
    other.reset()
    assert np.abs(both[1] - other.act(seen[6])).max() > 1e-4


def test_a_bootstrap_interval_holds_its_mean() -> None:
    mean, low, high = bootstrap([1.0, 2.0, 3.0, 10.0])
    assert low < mean == 4.0 < high
    assert bootstrap([5.0]) == (5.0, 5.0, 5.0)


def damaged(kind: str, good: Path, path: Path) -> None:
    data = bytearray(good.read_bytes())
    if kind == "empty":
        data = bytearray()
    elif kind == "cut":
        data = data[: len(data) // 2]
    elif kind == "cut in the header":
        data = data[:200]
    elif kind == "text":
        data = bytearray(b"not a policy at all, but quite some text in a file\n" * 20)
    elif kind == "huge header":
        data[:8] = (1 << 60).to_bytes(8, "little")
    path.write_bytes(data)


@pytest.mark.parametrize("kind", ["empty", "cut", "cut in the header", "text", "huge header"])
def test_a_damaged_file_is_refused_in_one_sentence(breakout_policy: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "p.safetensors"
    damaged(kind, breakout_policy, path)
    with pytest.raises(PolicyError) as caught:
        Policy.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_policies_are_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, foreign)
    with pytest.raises(PolicyError, match="not a policy of Twinplay"):
        Policy.load(foreign)
    with pytest.raises(PolicyError, match="does not exist; `twinplay train` makes a policy"):
        Policy.load(tmp_path / "missing.safetensors")
    with pytest.raises(PolicyError, match=r"is a folder, not a policy; give a file that ends in \.safetensors"):
        Policy.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": 99}, "format version 99.*install a newer Twinplay"),
        ({"version": 0}, "format version 0.*train it again"),
        ({"config": {"network": "nature", "size": 10_000_000, "max_batches": 1}}, "size"),
        ({"config": {"network": "mlp", "max_batches": 1}}, "does not fit"),
        ({"env": {"name": "breakout"}}, "no usable"),
        ({"play": {"temperature": -1, "kept": [], "output": 0, "past": True}}, "temperature"),
        ({"play": {"temperature": 1, "kept": [9], "output": 0, "past": True}}, r"actions \[9\]"),
        ({"play": {"temperature": 1, "kept": [], "output": 2, "past": True}}, "output 2"),
        ({"play": []}, "damaged"),
    ],
)
def test_a_header_that_was_tampered_with_is_refused(
    breakout_policy: Path, tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    with safe_open(breakout_policy, framework="pt") as file:
        header = json.loads(file.metadata()["twinplay"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    path = tmp_path / "p.safetensors"
    save_file(tensors, path, {"twinplay": json.dumps({**header, **change})})
    with pytest.raises(PolicyError, match=complaint):
        Policy.load(path)
