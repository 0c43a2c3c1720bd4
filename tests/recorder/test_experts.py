"""Scripted players against the real emulator and the real MuJoCo."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from recorder.agents.agent import Agent, RandomAgent, describe
from recorder.agents.experts import STYLES, BreakoutPerson, BreakoutPlayer, from_description, scripted
from recorder.agents.experts.hopper_search import Gains, HopperSimulation, main, play
from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.errors import AgentError
from recorder.play.rollout import Phase, Rollout


def played(env_name: str, agent: Agent, seed: int, ticks: int = 36_000) -> tuple[Rollout, list[object]]:
    """A game from a varied start, at most so many ticks of it, and its actions."""
    with Game(get_spec(env_name)) as game:
        rollout = Rollout(game, agent, varied=True)
        rollout.begin(seed)
        actions = []
        while rollout.phase is Phase.PLAYING and rollout.ticks < ticks:
            actions.append(rollout.tick().action)
        return rollout, actions


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_hopper_expert_hops_without_falling(seed: int) -> None:
    rollout, _ = played("hopper", scripted("hopper"), seed)
    assert rollout.outcome == "time limit"
    assert rollout.ticks == 1_000
    assert rollout.score > 3_000


def test_the_breakout_player_scores_far_above_chance() -> None:
    rollout, _ = played("breakout", scripted("breakout", 1), seed=1)
    by_chance, _ = played("breakout", RandomAgent(get_spec("breakout"), 1), seed=1)
    assert rollout.score > 40
    assert rollout.score > 5 * by_chance.score


@pytest.mark.parametrize("seed", [1, 2])
def test_the_pong_player_wins(seed: int) -> None:
    rollout, actions = played("pong", scripted("pong", seed), seed=seed, ticks=6_000)
    assert rollout.score > 0
    assert set(actions) <= {0, 1, 2, 3}


def test_the_cartpole_player_balances_to_the_end() -> None:
    for seed in range(5):
        rollout, _ = played("cartpole", scripted("cartpole"), seed)
        assert (rollout.ticks, rollout.score) == (500, 500.0)


def test_players_of_pong_and_cartpole_are_made_again_from_what_sessions_store() -> None:
    for player in (scripted("pong", 1, aim_error=0.5, delay=(2, 6)), scripted("cartpole")):
        assert describe(from_description(describe(player))) == describe(player)
    with pytest.raises(AgentError, match="aim_error"):
        scripted("pong", aim_error=-1)
    with pytest.raises(AgentError, match="the scripted Pong player must be reset with a game first"):
        scripted("pong").act(None)


@pytest.mark.parametrize("style", list(STYLES))
def test_every_style_serves_and_scores_within_a_minute(style: str) -> None:
    rollout, actions = played("breakout", scripted("breakout", 3, style=style), seed=5, ticks=3_600)
    assert rollout.score >= (3 if style == "beginner" else 10)
    assert 1 in actions


@pytest.mark.parametrize(("style", "least", "most", "shortest"), [("person", 15, 150, 3), ("beginner", 5, 40, 4)])
def test_people_hold_keys_score_as_people_do(style: str, least: int, most: int, shortest: int) -> None:
    scores, held = [], []
    for seed in range(8):
        rollout, actions = played("breakout", scripted("breakout", seed, style=style), seed=seed)
        scores.append(rollout.score)
        runs = [(key, len(list(run))) for key, run in groupby(actions)]
        held += [ticks for key, ticks in runs[:-1] if key != 0]  # the end of the game cuts the last one short
    assert least <= float(np.mean(scores)) <= most
    assert min(held) >= shortest


def test_a_person_is_late_to_see_that_the_ball_is_lost_and_waits_before_the_serve() -> None:
    _, actions = played("breakout", scripted("breakout", 0, style="person", serve_wait=50, lapses=0), seed=1, ticks=120)
    assert 60 <= actions.index(1) <= 66  # at least 10 ticks late


def test_the_same_seed_plays_the_same_game_and_another_seed_another() -> None:
    first, again, other = (played("breakout", scripted("breakout", s), seed=4, ticks=1_500)[1] for s in (7, 7, 8))
    assert first == again
    assert first != other


def test_a_player_reset_in_the_middle_plays_on_from_any_start() -> None:
    player = BreakoutPlayer(0, delay=(12, 15))
    played("breakout", player, seed=1, ticks=500)
    rollout, _ = played("breakout", player, seed=2, ticks=3_600)
    assert rollout.score >= 10


def test_who_looks_ahead_to_the_landing_scores_though_slow_and_who_follows_late_does_not() -> None:
    ahead, behind = (
        played("breakout", BreakoutPlayer(0, delay=12, look_ahead=look_ahead), seed=1, ticks=3_600)[0]
        for look_ahead in ("landing", "none")
    )
    assert ahead.score >= 30
    assert behind.score < ahead.score / 2


def test_the_serve_waits_as_long_as_asked() -> None:
    _, actions = played("breakout", BreakoutPlayer(0, serve_wait=20), seed=1, ticks=30)
    assert actions.index(1) == 20


@pytest.mark.parametrize(
    "player", [scripted("hopper"), *(scripted("breakout", style=style) for style in STYLES)], ids=["hopper", *STYLES]
)
def test_a_description_rebuilds_its_player(player: Agent) -> None:
    stored = json.loads(json.dumps(describe(player)))
    assert stored["kind"] == "scripted"
    assert describe(from_description(stored, seed=5)) == stored


@pytest.mark.parametrize(
    "description",
    [
        {"kind": "person", "name": "breakout-player", "params": {}},
        {"kind": "scripted", "name": "somebody", "params": {}},
        {"kind": "scripted", "name": "breakout-player", "params": {"speed": 1}},
        {"kind": "scripted", "name": "breakout-player", "params": {"delay": [9, 3]}},
        {"kind": "scripted", "name": "breakout-player", "params": {"look_ahead": "far"}},
        {"kind": "scripted", "name": "breakout-person", "params": {"lapses": -1}},
        {"kind": "scripted", "name": "breakout-person", "params": {"hold": []}},
        {"kind": "scripted", "name": "hopper-expert", "params": {"delay": 3}},
        {},
    ],
)
def test_what_is_not_a_player_of_ours_is_refused(description: dict[str, object]) -> None:
    with pytest.raises(AgentError):
        from_description(description)


def test_an_unknown_style_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(AgentError, match="sloppy"):
        scripted("breakout", style="brilliant")


def test_the_breakout_player_needs_a_breakout_game() -> None:
    with pytest.raises(AgentError, match="emulator's memory"):
        BreakoutPlayer().reset(None)
    with pytest.raises(AgentError, match="must be reset with a game first"):
        BreakoutPerson().act()
    with Game(get_spec("hopper")) as game, pytest.raises(AgentError, match="emulator's memory"):
        BreakoutPerson().reset(game.env)


def test_the_direct_simulation_equals_gymnasium_step_for_step() -> None:
    expert, simulation = scripted("hopper"), HopperSimulation()
    with Game(get_spec("hopper")) as game:
        expected = game.reset(11)
        observation = simulation.reset(np.random.default_rng(11))
        for _ in range(200):
            np.testing.assert_array_equal(observation, expected)
            action = expert.act(expected)
            expected, reward, terminated, _ = game.step(action)
            observation, bare, stands = simulation.step(action)
            assert stands
            assert not terminated
            # Gymnasium squares in float32 what is squared here in float32 too, but sums in another order.
            assert bare + 1.0 == pytest.approx(reward, abs=1e-6)


def test_the_search_learns_and_finds_the_same_gains_for_the_same_seed(tmp_path: Path) -> None:
    found = []
    for name in ("a.json", "b.json"):
        command = [
            "--seed",
            "2",
            "--steps",
            "8000",
            "--check-every",
            "2",
            "--games",
            "2",
            "--out",
            str(tmp_path / name),
        ]
        assert main(command, say=lambda line: None) == 0
        found.append(Gains.load(tmp_path / name))
    assert found[0] == found[1]
    untrained = play(HopperSimulation(), np.zeros((3, 11)), np.zeros(3), np.random.default_rng(0))
    assert found[0].mean_return > untrained[0] + untrained[1]
