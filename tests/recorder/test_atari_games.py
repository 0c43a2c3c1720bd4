"""All games of the Atari: the table says what the emulator says, and a person can press every action."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import zarr
from msgspec.structs import replace

from recorder import Game, RandomAgent, Session, get_spec, verify
from recorder.agents.agent import KeyAgent
from recorder.envs.atari_games import ALL_ACTIONS, atari_games
from recorder.envs.registry import described_names, env_names, varied_starts
from recorder.play.rollout import Rollout
from recorder.store.session_writer import SessionWriter
from tests.atari_games import env_ids, facts, starts

NAMES = tuple(name for name in env_names() if name not in described_names())


def pressed(name: str, *controls: str) -> str:
    """The action that holding these controls makes, the last of them pressed last."""
    spec = get_spec(name)
    keys = {index: index for index in range(len(spec.control_names))}
    agent = KeyAgent(keys, chords=spec.chord_indices, modifiers=spec.modifier_indices)
    for control in controls:
        agent.press(spec.control_names.index(control), 0)
    return spec.action_names[agent.act()]


def test_every_game_that_ale_py_ships_is_there() -> None:
    assert sorted(env_ids()) == sorted(atari_games())
    assert len(NAMES) == len(atari_games()) - 1  # Breakout has a file of its own


@pytest.mark.parametrize("name", ["pong", "air_raid", "backgammon", "journey_escape", "montezuma_revenge"])
def test_the_table_says_what_the_emulator_says(name: str) -> None:
    game = atari_games()[name]
    told = facts(game.env_id)
    assert (game.env_id, game.action_names) == (told["env_id"], tuple(told["actions"].split()))
    assert (game.lines, game.lives, game.all_actions) == (told["lines"], told["lives"], told["all_actions"])


def test_varied_starts_are_counted() -> None:
    assert starts("qbert") == varied_starts("qbert") == 53
    assert varied_starts("breakout") == 99
    assert varied_starts("hopper") is None


@pytest.mark.parametrize("name", NAMES)
def test_a_person_can_press_every_action_and_no_key_does_two_things(name: str) -> None:
    spec = get_spec(name)
    assert spec.playable
    held = [each for count in range(4) for each in combinations(spec.controls, count)]
    assert {pressed(name, *each) for each in held} == set(spec.action_names)
    assert {pressed(name, *reversed(each)) for each in held} == set(spec.action_names)
    keys = [key for each in spec.controls.values() for key in each]
    assert len(keys) == len(set(keys))
    assert spec.action_names[0] == "NOOP"


def test_what_is_no_action_alone_does_nothing_but_in_a_chord() -> None:
    assert get_spec("tutankham").modifiers == ("FIRE",)
    assert pressed("tutankham", "FIRE") == "NOOP"
    assert pressed("tutankham", "FIRE", "LEFT") == "LEFTFIRE"
    assert pressed("tutankham", "DOWN", "FIRE") == "DOWN"  # there is no DOWNFIRE
    assert pressed("tutankham", "UP", "LEFT") == "LEFT"


def test_a_game_whose_own_actions_lack_doing_nothing_has_all_of_them() -> None:
    assert get_spec("video_checkers").action_names == ALL_ACTIONS


def test_a_recording_from_before_games_began_alike_is_verified_as_it_was_played(tmp_path: Path) -> None:
    before = replace(get_spec("solaris"), same_memory=False)
    with Game(before, fresh=True) as game:
        writer = SessionWriter(tmp_path, game, {"kind": "random", "name": "random", "params": {}})
        rollout = Rollout(game, RandomAgent(before, 1), seed=1, sink=writer)
        for _ in range(2):
            rollout.begin()
            for _ in range(120):
                rollout.tick()
        rollout.end()
        session = writer.close()
    assert not session.spec.same_memory
    assert verify(session).ok
    group = zarr.open_group(session.path, mode="r+")
    stored = {name: value for name, value in group.attrs["env"].items() if name != "same_memory"}
    group.attrs.update(env=stored)  # which its digest covers, too
    assert not Session.open(session.path).spec.same_memory
    assert "the simulation agrees with the recording" in verify(Session.open(session.path)).difference
    group.attrs.update(env=stored | {"same_memory": True})
    assert "(game 2, second 0.00)" in verify(Session.open(session.path)).difference  # other numbers in the memory


@pytest.mark.parametrize("name", ["air_raid", "pacman", "space_war"])
def test_pal_games_have_pal_colours(name: str) -> None:
    spec = get_spec(name)
    assert spec.palette == "pal"
    agent = RandomAgent(spec, 1)
    with Game(spec) as game:
        observation = game.reset(0)
        rows = {"screen": np.zeros((1, *spec.frame_shape), np.uint8)}
        for _ in range(200):
            game.capture(observation, rows, 0)
            np.testing.assert_array_equal(game.palette[rows["screen"][0]], observation)
            observation, *_ = game.step(agent.act(observation))
