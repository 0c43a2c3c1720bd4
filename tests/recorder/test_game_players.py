"""Scripted players of single Atari games: better than chance, with a person's hands, made again from sessions."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from recorder import record
from recorder.agents.agent import RandomAgent, describe
from recorder.agents.experts import GAME_PLAYERS, from_description, scripted
from recorder.envs.registry import get_spec
from recorder.errors import AgentError
from tests.recorder.test_experts import played

# How long to play, and by how much the player's score is above a random player's in a game from the same start.
MARGINS = {
    "pong": (2_500, 5),
    "boxing": (2_500, 5),
    "enduro": (2_000, 8),
    "freeway": (1_500, 3),
    "ms_pacman": (2_000, 300),
    "qbert": (2_000, 500),
    "seaquest": (2_500, 200),
    "skiing": (7_000, 5_000),  # the missed gates count at the end
    "space_invaders": (2_000, 100),
}


@pytest.mark.parametrize("name", GAME_PLAYERS)
def test_a_player_is_better_than_chance(name: str) -> None:
    ticks, margin = MARGINS[name]
    mine, _ = played(name, scripted(name, 3), 3, ticks)
    chance, _ = played(name, RandomAgent(get_spec(name), 3), 3, ticks)
    assert mine.score >= chance.score + margin


@pytest.mark.parametrize("name", GAME_PLAYERS)
def test_a_recording_is_made_again_by_the_player_that_it_describes(name: str, tmp_path: Path) -> None:
    session = record(name, scripted(name, 1), library=tmp_path, seconds=6, seed=0)
    stored = json.loads(json.dumps(session.player))
    assert stored == describe(scripted(name))
    again = record(name, from_description(stored, 1), library=tmp_path, seconds=6, seed=0)
    np.testing.assert_array_equal(again.actions[:], session.actions[:])
    other = record(name, from_description(stored, 2), library=tmp_path, seconds=6, seed=0)
    assert (np.asarray(other.actions[:]) != np.asarray(session.actions[:])).any()


@pytest.mark.parametrize("name", [name for name in GAME_PLAYERS if name != "pong"])
def test_a_player_holds_its_keys_for_at_least_its_pace(name: str) -> None:
    _, actions = played(name, scripted(name, 1, pace=(5, 7), slips=0), 1, 600)
    held = [len(list(same)) for _, same in groupby(actions)]
    assert min(held[:-1]) >= 5


def test_a_player_that_only_slips_presses_everything_for_as_long_as_a_slip_lasts() -> None:
    _, actions = played("qbert", scripted("qbert", 1, slips=1, slip=3), 1, 600)
    assert set(actions) == set(range(6))
    assert all(len(list(same)) % 3 == 0 for _, same in groupby(actions[:600]))


@pytest.mark.parametrize("wrong", [{"pace": (9, 3)}, {"slips": 1.5}, {"slip": -1}, {"pace": []}, {"speed": 1}])
def test_a_parameter_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(AgentError, match="the scripted player cannot be created"):
        scripted("freeway", **wrong)
    with pytest.raises(AgentError, match="the scripted Freeway player must be reset with a game first"):
        scripted("freeway").act(None)
