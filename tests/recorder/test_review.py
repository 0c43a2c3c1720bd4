"""What a review finds in sessions: real ones, in which something went wrong on purpose, and some that are all right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recorder import Library, RandomAgent, Session, get_spec, record
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from recorder.library.edits import edit
from recorder.library.findings import Finding, leave_out, still_used
from recorder.library.merging import merging
from recorder.library.review import review
from recorder.library.unusual_games import is_far
from recorder.play.rollout import Rollout
from recorder.store.session_writer import SessionWriter
from tests.careless import IDLE, LATE, STUCK, record_careless


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return record_careless(tmp_path_factory.mktemp("careless"))


def kinds(findings: tuple[Finding, ...]) -> list[tuple[str, int, bool]]:
    return [(each.kind, each.game, each.grave) for each in findings]


def test_a_review_finds_what_went_wrong_and_says_it(careless: Session) -> None:
    findings = review(careless)
    assert kinds(findings) == [
        ("idle", 1, True),
        ("stuck key", 1, True),
        ("late ticks", 1, False),
        ("no play", 2, True),
        ("near-duplicate", 3, True),
    ]
    idle, stuck, late, silent, again = findings
    assert idle.start == IDLE.start + 70  # when a key that does nothing was pressed
    assert IDLE.stop <= idle.stop < STUCK.start
    assert idle.text.startswith("Nothing was pressed for ")
    assert (stuck.start, stuck.stop) == (STUCK.start, STUCK.stop)
    assert stuck.text.startswith("A stayed down for ")
    assert stuck.text.endswith("its release was never seen.")
    assert (late.start, late.stop) == (LATE.start, LATE.stop)
    assert late.text == "30 ticks in 0.5 s came late, the latest by 9 ms."
    assert silent.text == "Nothing was pressed in all of this game (7 s)."
    assert "of its actions are those of game 1" in again.text


def test_a_held_key_is_found_in_its_actions_where_no_keys_were_stored(
    careless: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session.open(careless.path)
    session.__dict__["keys"] = careless.keys[:0]
    found = [each for each in review(session) if each.kind == "stuck key"]
    assert [(each.game, each.start, each.stop, each.grave) for each in found] == [(1, STUCK.start, STUCK.stop, True)]
    assert found[0].text.startswith("LEFT was held for 25 s, usually ")


def test_what_is_left_out_is_no_finding_any_more_and_comes_back(careless: Session) -> None:
    findings = review(careless)
    changed = leave_out(careless.path, [each for each in findings if each.grave])
    try:
        assert [game.excluded for game in changed.recorded_games] == [False, True, True]
        assert changed.excluded_spans == (range(findings[0].start, findings[0].stop), STUCK)
        left = still_used(review(changed), changed.recorded_games, changed.excluded_spans)
        assert kinds(left) == [("late ticks", 1, False)]
    finally:
        edit(careless.path, spans=[], excluded={1: False, 2: False})
    session = Session.open(careless.path)
    assert still_used(findings, session.recorded_games, session.excluded_spans) == findings


class Unsteady:
    """Falls over nine times and hops well the tenth time."""

    def __init__(self) -> None:
        self._bad, self._good, self._games = RandomAgent(get_spec("hopper"), 1), scripted("hopper"), 0

    def reset(self, env: Any = None) -> None:
        self._games += 1
        self._good.reset(env)

    def act(self, observation: Any) -> Any:
        return (self._good if self._games == 10 else self._bad).act(observation)


def test_a_game_far_from_the_others_is_told_with_what_is_usual(tmp_path: Path) -> None:
    session = record("hopper", Unsteady(), library=tmp_path, episodes=10, seed=1)
    (found,) = review(session)
    assert (found.kind, found.game, found.grave) == ("length", 10, False)
    assert (found.start, found.stop) == (session.game(10).start, session.game(10).stop)
    assert found.text.startswith("It lasted 8 s, the usual game 0.")
    assert " and scored 3," in found.text
    few = record("hopper", Unsteady(), library=tmp_path / "few", episodes=3, seed=1)
    assert review(few) == ()


def test_the_same_games_in_two_sessions_are_told_of_the_later_one(tmp_path: Path) -> None:
    first, second = (
        record("breakout", scripted("breakout", 3, style="person"), library=tmp_path, seconds=20, seed=3)
        for _ in range(2)
    )
    assert review(first) == ()
    assert kinds(review(second)) == [("near-duplicate", 1, True)]
    assert review(second)[0].text.startswith("100 % of its actions are those of game 1 of ")
    other = record("breakout", scripted("breakout", 4, style="person"), library=tmp_path, seconds=20, seed=4)
    assert review(other) == ()


def test_a_merged_session_is_told_as_a_copy_and_not_as_a_duplicate(tmp_path: Path) -> None:
    parts = [record("hopper", RandomAgent(get_spec("hopper"), k), library=tmp_path, episodes=2, seed=k) for k in (1, 2)]
    *_, last = merging([each.path for each in parts], tmp_path)
    merged = Session.open(last.made[0])
    found = review(merged)
    assert [(each.kind, each.game, each.start, each.stop) for each in found] == [
        ("copy", 1, 0, len(parts[0])),
        ("copy", 3, len(parts[0]), len(merged)),
    ]
    assert found[0].text.startswith("Games 1 to 2 are also in ")
    *_, last = merging([each.path for each in parts], tmp_path)
    (again,) = review(Session.open(last.made[0]))  # its games lie in all three
    assert (again.kind, again.start, again.stop) == ("copy", 0, len(merged))
    assert re.fullmatch(r"Games 1 to 4 are also in .* \(merged\) and 2 other sessions; .*", again.text)
    assert kinds(review(merged)) == kinds(found)
    assert review(parts[0]) == ()
    for part in parts:
        Library(tmp_path).trash(part.name)
    assert review(merged) == ()


def test_a_session_merged_of_two_players_is_told_as_a_copy_of_both(tmp_path: Path) -> None:
    hopper = get_spec("hopper")
    parts = [
        record("hopper", agent, library=tmp_path, episodes=2, seed=1)
        for agent in (RandomAgent(hopper, 1), scripted("hopper"))
    ]
    *_, last = merging([each.path for each in parts], tmp_path)
    assert [each.kind for each in review(Session.open(last.made[0]))] == ["copy", "copy"]


def test_a_game_that_was_stopped_at_once_is_told_as_cut_short(tmp_path: Path) -> None:
    with Game(get_spec("breakout")) as game:
        agent = scripted("breakout", 3, style="person")
        writer = SessionWriter(tmp_path, game, {"kind": "person", "name": "Ada"})
        rollout = Rollout(game, agent, sink=writer, unattended=False)
        for ticks in (900, 150):
            rollout.begin()
            for _ in range(ticks):
                rollout.tick()
            rollout.end()
        writer.close()
    (found,) = review(Session.open(writer.path))
    assert (found.kind, found.game, found.text) == ("cut short", 2, "It was stopped after 2 s.")


@pytest.mark.parametrize(
    ("value", "far"), [(100.0, False), (250.0, False), (2_000.0, True), (50.0, False), (1.0, True)]
)
def test_a_value_is_far_only_beyond_the_spread_of_the_others(value: float, far: bool) -> None:
    others = np.array([90, 95, 100, 105, 110, 115, 120, 80], np.float64)
    assert is_far(value, np.append(others, value)) is far
    assert is_far(value, others[:3]) is False
