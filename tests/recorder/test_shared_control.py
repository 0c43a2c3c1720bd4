"""A clone and its supervisor at the same controls: who plays, what is stored of it, and that it is a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from recorder import RandomAgent, Session, get_spec, record
from recorder.agents.agent import KeyAgent
from recorder.agents.experts import scripted
from recorder.agents.experts.supervisors import supervisor
from recorder.agents.shared_control import (
    HANDOVERS,
    NO_PROPOSAL,
    Control,
    Handover,
    PersonAtKeys,
    PlayingClone,
    SharedControl,
)
from recorder.envs.game import Game
from recorder.errors import AgentError, UsageError
from recorder.library.merging import merging, splitting
from recorder.library.verify import verify
from recorder.play.rollout import Rollout
from recorder.store.session_writer import SessionWriter

NOOP, FIRE, RIGHT, LEFT = range(4)
LEFT_KEY, RIGHT_KEY = 1, 2
HAND_BACK = 5


class Constant:
    """A clone that always moves right, and notes what was played."""

    kind = "policy"

    def __init__(self) -> None:
        self.told: list[int] = []

    def reset(self, env: Any = None) -> None: ...

    def played(self, action: Any) -> None:
        self.told.append(action)

    def act(self, observation: Any) -> int:
        return RIGHT


def held_for(ticks: range) -> dict[int, bool]:
    """The left key goes down and up at these ticks."""
    return {ticks.start: True, ticks.stop: False}


def play(
    folder: Path, changes: dict[int, bool], ticks: int, rewind_at: int | None = None, clone: Constant | None = None
) -> Session:
    """A recorded game of the constant clone and a person, whose left key goes down (True) and up at ticks."""
    keys = KeyAgent({LEFT_KEY: LEFT, RIGHT_KEY: RIGHT}, name="Ada")
    shared = SharedControl(PlayingClone(clone or Constant()), PersonAtKeys(keys, HAND_BACK))
    with Game(get_spec("breakout")) as game:
        writer = SessionWriter(folder, game, shared.describe(), shared=shared, hand_back_ticks=HAND_BACK)
        rollout = Rollout(game, shared, sink=writer, rewindable=True)
        rollout.begin()
        for tick in range(ticks):
            if tick in changes:
                (keys.press if changes[tick] else keys.release)(LEFT_KEY, tick)
            rollout.tick()
            if tick == rewind_at:
                assert rollout.rewind(10) == 10
        rollout.end()
        return writer.close()


def test_a_key_takes_over_in_the_very_tick_and_letting_go_for_a_while_hands_back(tmp_path: Path) -> None:
    clone = Constant()
    session = play(tmp_path, held_for(range(20, 30)), 60, clone=clone)
    assert clone.told == session.actions[:].tolist()  # also of what it did not choose
    together = session.corrections
    assert together is not None
    assert np.flatnonzero(together.correcting).tolist() == list(range(20, 30 + HAND_BACK - 1))
    assert session.actions[:20].tolist() == [RIGHT] * 20
    assert session.actions[20:30].tolist() == [LEFT] * 10
    assert session.actions[30 : 30 + HAND_BACK - 1].tolist() == [NOOP] * (HAND_BACK - 1)
    assert session.actions[30 + HAND_BACK :].tolist() == [RIGHT] * (30 - HAND_BACK)
    assert (together.proposals == RIGHT).all()
    assert (together.ages == 0).all()
    found = {tick: HANDOVERS[code] for tick, code in enumerate(together.handovers) if code}
    assert found == {20: "a key was pressed", 30 + HAND_BACK - 1: "nothing was held"}
    assert np.flatnonzero(together.to_imitate()).tolist() == list(range(20, 30))
    assert together.takeovers == 1
    assert session.player["kind"] == "mixed"
    assert session.player["name"] == "Ada"
    assert verify(session).ok


def test_a_tap_shorter_than_a_tick_takes_over(tmp_path: Path) -> None:
    keys = KeyAgent({LEFT_KEY: LEFT})
    shared = SharedControl(PlayingClone(Constant()), PersonAtKeys(keys, HAND_BACK))
    shared.reset()
    assert shared.act(None) == RIGHT
    keys.press(LEFT_KEY, 0)
    keys.release(LEFT_KEY, 1)
    assert shared.act(None) == LEFT
    assert [shared.act(None) for _ in range(HAND_BACK)] == [NOOP] * (HAND_BACK - 1) + [RIGHT]


def test_a_pause_keeps_whoever_was_in_control() -> None:
    keys = KeyAgent({LEFT_KEY: LEFT})
    shared = SharedControl(PlayingClone(Constant()), PersonAtKeys(keys, HAND_BACK))
    shared.reset()
    for held, before in ((False, Control.AUTONOMOUS), (True, Control.CORRECTING)):
        if held:
            keys.press(LEFT_KEY, 0)
        shared.act(None)
        shared.pause()
        shared.pause()
        assert shared.control is Control.PAUSED
        shared.resume()
        assert shared.control is before


def test_a_lost_clone_leaves_the_game_to_the_person_for_good(tmp_path: Path) -> None:
    class Lost:
        lost = False

        def reset(self, env: Any) -> None: ...

        def played(self, action: Any) -> None: ...

        def propose(self, observation: Any) -> tuple[int, int]:
            return (NOOP, NO_PROPOSAL) if self.lost else (RIGHT, 0)

        def describe(self) -> dict[str, Any]:
            return {"kind": "policy", "name": "lost", "params": {}}

    clone, keys = Lost(), KeyAgent({LEFT_KEY: LEFT})
    shared = SharedControl(clone, PersonAtKeys(keys, HAND_BACK))
    shared.reset()
    assert shared.act(None) == RIGHT
    clone.lost = True
    assert [shared.act(None) for _ in range(3 * HAND_BACK)] == [NOOP] * 3 * HAND_BACK
    assert shared.control is Control.CORRECTING
    keys.press(LEFT_KEY, 0)
    assert shared.act(None) == LEFT
    assert shared.decision is not None
    assert shared.decision.age == NO_PROPOSAL


def test_plain_zarr_reads_what_was_stored_of_the_two(tmp_path: Path) -> None:
    session = play(tmp_path, held_for(range(20, 30)), 60)
    group = zarr.open_group(session.path, mode="r")
    assert group.attrs["shared_control"] == {"hand_back_ticks": HAND_BACK, "handovers": list(HANDOVERS)}
    assert np.asarray(group["correcting"]).sum() == 10 + HAND_BACK - 1
    assert np.asarray(group["handover"])[20] == Handover.KEY
    assert np.asarray(group["proposal"]).dtype == np.uint8


def test_a_rewind_keeps_what_both_did(tmp_path: Path) -> None:
    session = play(tmp_path, held_for(range(20, 30)), 60, rewind_at=40)
    assert len(session) == 60
    together = session.corrections
    assert together is not None
    assert len(together.correcting) == 60
    assert len(session.episodes) == 3
    assert verify(session).ok


def test_merged_and_split_sessions_keep_what_both_did(tmp_path: Path) -> None:
    one, other = (play(tmp_path / "both", held_for(range(10, 10 + 5 * k)), 40) for k in (1, 2))
    *_, last = merging([one.path, other.path], tmp_path)
    merged = Session.open(last.made[0])
    parts = [session.corrections for session in (one, other)]
    assert all(part is not None for part in parts)
    for name, values in merged.corrections.columns.items():  # type: ignore[union-attr]
        np.testing.assert_array_equal(values, np.concatenate([part.columns[name] for part in parts if part]))
    *_, halves = splitting(merged.path, 2, tmp_path)
    assert [Session.open(path).corrections.takeovers for path in halves.made] == [1, 1]  # type: ignore[union-attr]

    plain = record("breakout", RandomAgent(get_spec("breakout")), library=tmp_path, seconds=1)
    with pytest.raises(UsageError, match="a clone and its supervisor did not play them in the same way"):
        list(merging([one.path, plain.path], tmp_path))


def test_the_scripted_supervisor_saves_a_clone_that_would_lose(tmp_path: Path) -> None:
    person = scripted("breakout", 1, style="beginner")
    alone = record("breakout", person, library=tmp_path / "alone", seconds=60, seed=3)
    shared = SharedControl(PlayingClone(scripted("breakout", 1, style="beginner")), supervisor("breakout"))
    helped = record("breakout", shared, library=tmp_path / "helped", seconds=60, seed=3)
    assert sum(helped.rewards) > 1.5 * sum(alone.rewards)
    together = helped.corrections
    assert together is not None
    assert 0.05 < together.correcting.mean() < 0.6
    assert set(together.handovers.tolist()) == {Handover.NONE, Handover.DANGER, Handover.SAFE}
    assert verify(helped).ok


def test_the_supervisor_of_the_hopper_takes_over_where_torques_differ(tmp_path: Path) -> None:
    shared = SharedControl(PlayingClone(RandomAgent(get_spec("hopper"))), supervisor("hopper"))
    session = record("hopper", shared, library=tmp_path, seconds=2)
    together = session.corrections
    assert together is not None
    assert together.correcting.mean() > 0.9
    assert together.proposals.shape == (250, 3)
    assert not np.array_equal(together.proposals, session.actions)
    assert verify(session).ok


def test_a_game_without_a_scripted_supervisor_is_named() -> None:
    with pytest.raises(AgentError, match="pong has no scripted supervisor; there are those of breakout, hopper"):
        supervisor("pong")
