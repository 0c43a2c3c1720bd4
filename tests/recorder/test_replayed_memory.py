"""What the emulator's memory held, found by playing a recording again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from recorder import Session, record
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.errors import SessionError
from recorder.library.replayed_memory import Clip, Memory, replaying_memory

PADDLE, BALL = 72, 101


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Some games, of which the last is cut off."""
    return record(
        "breakout", scripted("breakout", seed=2), library=tmp_path_factory.mktemp("library"), seconds=25, seed=2
    )


def memory_of(session: Session, ticks: list[int], trials: list[int]) -> Memory:
    *_, memory = replaying_memory(session, ticks, trials)
    assert isinstance(memory, Memory)
    return memory


def test_it_is_what_the_emulator_held_at_these_ticks_of_the_recording(session: Session) -> None:
    ticks = [0, 1, 7, 300, 301, len(session) - 1]
    found = memory_of(session, ticks, [300])
    expected = []
    with Game(get_spec("breakout")) as game:
        for episode in session.episodes:
            game.reset(episode.seed)
            for tick in range(episode.start, episode.stop):
                if tick in ticks:
                    expected.append(game.memory())
                game.step(int(session.actions[tick]))
    np.testing.assert_array_equal(found.values, np.stack(expected))


def test_to_try_out_every_action_shows_what_the_player_controls_and_disturbs_nothing(session: Session) -> None:
    ticks = list(range(0, 900, 3))
    tried = memory_of(session, ticks, ticks[20::25])
    assert tried.moved[PADDLE] == tried.trials == 12
    assert tried.moved[BALL] < 6
    np.testing.assert_array_equal(tried.values, memory_of(session, ticks, []).values)


def test_a_detour_is_what_other_actions_would_have_led_to_and_the_game_goes_on_as_recorded(session: Session) -> None:
    ticks = list(range(300, 420))
    *steps, memory = replaying_memory(session, ticks, [], [330, 400], 90, seed=3)
    assert isinstance(memory, Memory)
    np.testing.assert_array_equal(memory.values, memory_of(session, ticks, []).values)
    detours = [step for step in steps if isinstance(step, Clip)]
    assert [detour.screens.shape for detour in detours] == [(90, 210, 160)] * 2
    assert len({int(place) for place in detours[0].values[:, PADDLE]}) > 10
    # On the screen the paddle is where the memory says.
    rows = detours[0].screens[:, 190, 8:152]
    columns = np.array([np.flatnonzero(row == np.bincount(rows[rows != rows[0, 0]]).argmax()).mean() for row in rows])
    assert abs(np.corrcoef(columns, detours[0].values[:, PADDLE])[0, 1]) > 0.99


def test_a_recording_that_plays_otherwise_is_refused(session: Session, tmp_path: Path) -> None:
    path = tmp_path / session.path.name
    shutil.copytree(session.path, path)
    actions = zarr.open_group(path, mode="r+")["action"]
    actions[200:] = np.where(actions[200:] == 2, 3, 2)
    with pytest.raises(SessionError, match=r"does not replay as it was recorded \(different at tick 400 or before"):
        memory_of(Session.open(path), [10, 400], [])
    actions[5] = 9
    with pytest.raises(SessionError, match="contains actions that Breakout does not have"):
        memory_of(Session.open(path), [10], [])


def test_without_an_emulator_there_is_none(tmp_path: Path) -> None:
    session = record("hopper", scripted("hopper"), library=tmp_path, seconds=0.1)
    with pytest.raises(SessionError, match="not recorded from an emulator"):
        memory_of(session, [0], [])
