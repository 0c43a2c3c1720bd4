"""What is chosen on the Train page to learn from, without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recorder.library.players import player_label
from recorder.library.session_summary import SessionSummary
from tests.trainer.train_stage import Stage
from trainer.runs.session_facts import FactsReader, SessionFacts, read_facts
from trainer.runs.suggestion import suggest


def test_the_list_says_plainly_who_played(stage: Stage) -> None:
    assert {row.player for row in stage.presenter.choice.rows} == {"Random"}
    assert not any(row.is_person for row in stage.presenter.choice.rows)
    assert player_label({"kind": "person", "name": "Ada"}) == "Ada (person)"
    assert player_label({"kind": "scripted", "name": "BreakoutPlayer"}) == "Scripted"


def test_what_is_best_to_learn_from_is_ticked_until_somebody_chooses(stage: Stage) -> None:
    choice = stage.presenter.choice
    assert choice.why.startswith("Selected for you: the Hopper session by Random")
    assert [row.env for row in choice.rows] == ["hopper", "breakout"]
    assert choice.chosen == {choice.rows[0].path}
    assert stage.presenter.can_train
    older = stage.choose("breakout")
    assert choice.chosen == {older}  # of another environment, so the one ticked by itself makes way
    assert choice.why == ""
    choice.choose(older, False)
    stage.presenter.refresh()
    assert (choice.chosen, choice.why) == (set(), "")


def _played(env: str, day: int, **facts: Any) -> SessionSummary:
    """A session of a hundred ticks, all of which are learned from."""
    name = f"2026-11-{day:02d}T10-00-00-{env}"
    known = {
        "path": Path("/library") / f"{name}.zarr",
        "player": {"kind": "person", "name": "Ada"},
        "learn_ticks": 100,
        "origins": ((name, 0, 100),),
    } | facts
    known["place"] = known.pop("path")
    created = f"2026-11-{day:02d}T10:00:00+00:00"
    return SessionSummary(
        name=name,
        env=env,
        env_title=env.capitalize(),
        created=created,
        state="complete",
        ticks=100,
        episodes=1,
        seconds=1.7,
        total_rewards=(3.0,),
        size_bytes=1,
        **known,
    )


def test_all_play_of_the_last_person_is_suggested_without_copies_and_without_what_is_excluded() -> None:
    scripted = {"kind": "scripted", "name": "BreakoutPlayer"}
    old, new = _played("breakout", 1), _played("breakout", 5)
    copy = _played("breakout", 6, origins=(*old.origins, *new.origins))
    others = [
        _played("breakout", 9, player=scripted),
        _played("hopper", 8, player=scripted),
        _played("breakout", 3, player={"kind": "person", "name": "Bo"}),
        _played("breakout", 4, learn_ticks=0),
    ]
    found = suggest(sorted([old, new, copy, *others], key=lambda each: each.created, reverse=True))
    assert found.paths == {old.path, new.path}
    assert found.why == (
        "Selected for you: both Breakout sessions by Ada, the last person who played. "
        "More play by one player makes a better twin. Copies of the same play are left out."
    )


def test_where_no_person_has_played_the_last_player_is_suggested_and_the_reason_says_so() -> None:
    sample = _played("breakout", 9, player={"kind": "scripted", "name": "BreakoutPlayer"})
    found = suggest([sample, _played("hopper", 8, player={"kind": "scripted", "name": "hopper"})])
    assert found.paths == {sample.path}
    assert found.why == "Selected for you: the Breakout session by Scripted, because no person has played yet."
    assert suggest([]).why == ""


def test_nothing_chosen_cannot_be_trained_on(stage: Stage) -> None:
    stage.presenter.choice.choose(stage.presenter.choice.rows[0].path, False)
    assert not stage.presenter.can_train
    assert stage.presenter.choice.selection.problem == "Select the sessions to learn from."


def test_mixed_environments_are_refused_by_name(stage: Stage) -> None:
    for row in stage.presenter.choice.rows:
        stage.presenter.choice.choose(row.path)
    assert "Breakout and Hopper are mixed" in stage.presenter.choice.selection.problem
    assert not stage.presenter.can_train


def test_a_selection_tells_minutes_and_the_share_of_each_action_and_is_warned_about(stage: Stage) -> None:
    path = stage.choose()
    selection, choice = stage.presenter.choice.selection, stage.presenter.choice
    assert selection.text.startswith("1 session · 2 games · ")
    assert [name for name, _ in selection.shares] == ["NOOP", "FIRE", "RIGHT", "LEFT"]
    assert sum(share for _, share in selection.shares) == pytest.approx(1.0)
    assert "is very little" in selection.warnings[0]
    facts = choice.facts[path]
    silent = tuple(replace(each, counts=(each.ticks, 0, 0, 0)) for each in facts.games)
    choice.know(path, SessionFacts(silent))
    warnings = " ".join(choice.selection.warnings)
    assert "no FIRE" in warnings
    assert "RIGHT and LEFT are never pressed here, so the twin will not learn them" in warnings
    assert "same action" in warnings


def test_single_games_can_be_left_out_and_excluded_ones_never_count(stage: Stage) -> None:
    choice = stage.presenter.choice
    path = stage.choose()
    first, second = choice.facts[path].games
    choice.choose_game(path, first.number, False)
    assert choice.selection.ticks == second.ticks
    assert not choice.is_chosen(path, first.number)
    choice.choose_game(path, second.number, False)
    assert choice.chosen == set()
    choice.choose_game(path, first.number)
    assert choice.selection.ticks == first.ticks
    assert [choice.is_chosen(path, each.number) for each in (first, second)] == [True, False]
    choice.know(path, SessionFacts((replace(first, excluded=True), second)))
    choice.choose(path)
    assert choice.selection.ticks == second.ticks
    choice.choose_game(path, first.number, False)
    assert choice.selection.ticks == second.ticks


def test_facts_are_read_by_a_thread_that_ends(random_play: Path) -> None:
    reader = FactsReader()
    path = next(random_play.glob("*-breakout.zarr"))
    reader.want(path)
    reader.want(path)
    assert reader.busy
    found: dict[Path, SessionFacts] = {}
    while reader.busy:
        found |= reader.take()
    assert [len(each.counts) for each in found[path].games] == [4, 4]
    reader.close()


def test_a_session_that_cannot_be_read_is_no_reason_to_fail(tmp_path: Path) -> None:
    assert "not a readable session" in read_facts(tmp_path / "none.zarr").problem
