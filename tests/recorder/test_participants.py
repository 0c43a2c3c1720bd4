"""Who plays, and when a take ends by itself: the Record page with a row of participants, without a window."""

from __future__ import annotations

from pathlib import Path

import pytest

from player.ui.memory import Memory
from recorder import Library, Session, verify
from recorder.agents.bindings import Bindings
from recorder.recording.player_name import NameQuestion, next_name
from recorder.recording.presenter import RecordPresenter
from recorder.recording.settings import UnsavedSettings
from recorder.recording.take_control import RecordState
from recorder.recording.take_limit import LimitKind, TakeLimit
from tests.recorder.fake_clock import FakeClock, play
from tests.recorder.victim import wait_for


def opened(library: Path, clock: FakeClock, settings: UnsavedSettings | None = None) -> RecordPresenter:
    settings = settings or UnsavedSettings(name_asked=False)
    return RecordPresenter(
        library, Bindings({1: 1}, {1: "Space"}), settings=settings, controllers=None, countdown_s=0, now=clock
    )


def take(presenter: RecordPresenter, clock: FakeClock, ticks: int = 5) -> Session:
    presenter.start()
    play(presenter, clock, ticks)
    presenter.stop()
    assert presenter.finished.last_take is not None
    return Session.open(presenter.finished.last_take)


def test_whoever_plays_at_once_is_nameless_and_never_asked_again(tmp_path: Path, clock: FakeClock) -> None:
    settings = UnsavedSettings(name_asked=False)
    presenter = opened(tmp_path, clock, settings)
    assert presenter.player.question is NameQuestion.FIRST
    assert take(presenter, clock).player["name"] == ""
    assert presenter.player.question is NameQuestion.NONE
    assert opened(tmp_path, clock, settings).player.question is NameQuestion.NONE


def test_a_name_that_was_typed_counts_even_if_nobody_pressed_save(tmp_path: Path, clock: FakeClock) -> None:
    settings = UnsavedSettings(name_asked=False)
    presenter = opened(tmp_path, clock, settings)
    presenter.player.draft = "  Ada "
    assert take(presenter, clock).player["name"] == "Ada"
    assert settings == UnsavedSettings("Ada", name_asked=True, recent_envs="breakout")


def test_an_expert_does_not_answer_the_question(tmp_path: Path, clock: FakeClock) -> None:
    presenter = opened(tmp_path, clock)
    presenter.choose("hopper")
    presenter.next_participant()
    assert presenter.player.question is NameQuestion.FIRST


def test_the_next_participant_finds_nothing_of_the_one_before_but_their_takes(
    tmp_path: Path,
    clock: FakeClock,
) -> None:
    presenter = opened(tmp_path, clock, UnsavedSettings("Participant 1"))
    take(presenter, clock)
    assert presenter.finished.just_kept
    presenter.next_participant()
    assert (presenter.player.question, presenter.player.draft) == (NameQuestion.NEXT, "Participant 2")
    assert not presenter.finished.just_kept
    assert (presenter.finished.last_take, presenter.finished.last_summary) == (None, "")
    presenter.player.cancel()
    assert presenter.player.name == "Participant 1"
    presenter.next_participant()
    assert take(presenter, clock).player["name"] == "Participant 2"
    assert [each.player for each in presenter.finished.today.takes] == ["Participant 2", "Participant 1"]


@pytest.mark.parametrize(
    ("name", "known", "suggested"),
    [
        ("Participant 1", {"Participant 1"}, "Participant 2"),
        ("Participant 1", {"Participant 1", "Participant 2"}, "Participant 3"),
        ("P07", set(), "P08"),
        ("P99", set(), "P100"),
        ("", set(), "Participant 2"),
        ("Ada", {"Ada", "Bo"}, "Participant 3"),
        ("7", set(), "8"),
    ],
)
def test_the_next_name_counts_on(name: str, known: set[str], suggested: str) -> None:
    assert next_name(name, known) == suggested


def test_a_take_of_some_minutes_ends_at_the_tick_and_is_saved(tmp_path: Path, clock: FakeClock) -> None:
    settings = UnsavedSettings("Ada", take_limit="0.1 minutes")
    presenter = opened(tmp_path, clock, settings)
    presenter.start()
    play(presenter, clock, 300)
    presenter.take.pause()
    play(presenter, clock, 500)  # which do not count
    presenter.take.rewind()  # three seconds, which do not count either
    presenter.take.resume()
    clock.now += 10_000_000  # half a tick late
    play(presenter, clock, 239)
    assert presenter.state is RecordState.RECORDING
    play(presenter, clock, 3)
    assert presenter.state is not RecordState.RECORDING  # it is being saved, or was already
    wait_for(presenter, lambda: not presenter.busy)
    assert presenter.finished.just_kept
    assert presenter.finished.ended_by == "6 seconds are over"
    (summary,) = Library(tmp_path).sessions()
    session = Session.open(summary.path)
    assert len(session) == 300 + 360 - 120
    assert session.recorded_games[0].ticks == 360
    assert verify(session).ok
    presenter.start()
    assert presenter.finished.ended_by == ""
    presenter.stop()


def test_a_take_of_some_games_ends_with_the_last_of_them(tmp_path: Path, clock: FakeClock) -> None:
    presenter = opened(tmp_path, clock, UnsavedSettings("Ada", take_limit="2 games"))
    presenter.start()
    for number in range(2):
        for _ in range(4_000):
            if presenter.state is not RecordState.RECORDING:
                break
            if presenter.status is not None and presenter.status.ticks % 20 == 0:
                presenter.controls.press(1)
            play(presenter, clock, 1)
            presenter.controls.release(1)
        assert (presenter.state is RecordState.GAME_OVER) is (number == 0)
        presenter.take.next_game()
    wait_for(presenter, lambda: not presenter.busy)
    assert presenter.finished.ended_by == "2 games are over"
    (summary,) = Library(tmp_path).sessions()
    assert [game.outcome for game in Session.open(summary.path).recorded_games] == ["game over"] * 2


def test_an_experts_take_ends_by_itself_too(tmp_path: Path, clock: FakeClock) -> None:
    presenter = opened(tmp_path, clock, UnsavedSettings(take_limit="0.01 minutes"))
    presenter.choose("hopper")
    presenter.start()

    def over() -> bool:
        clock.now += 50_000_000
        return not presenter.busy

    wait_for(presenter, over)
    (summary,) = Library(tmp_path).sessions()
    assert summary.ticks == 75
    presenter.shutdown()


def test_limits_are_chosen_kept_and_read_again(tmp_path: Path, clock: FakeClock) -> None:
    settings = UnsavedSettings()
    limit = opened(tmp_path, clock, settings).limit
    limit.set_number("5")  # of nothing
    assert settings.take_limit == ""
    limit.count(LimitKind.MINUTES)
    limit.set_number("2,5")
    limit.set_number("0")
    limit.set_number("9999")
    assert settings.take_limit == "2.5 minutes"
    limit.count(LimitKind.GAMES)
    assert settings.take_limit == "3 games"
    limit.count(LimitKind.MINUTES)
    assert opened(tmp_path, clock, settings).limit.limit == TakeLimit(minutes=2.5)


@pytest.mark.parametrize("text", ["", "5", "minutes", "5 minuets", "99999 games", "1e9 minutes", "0 games"])
def test_what_is_no_limit_is_none(text: str) -> None:
    assert TakeLimit.read(text) == TakeLimit()
    assert not TakeLimit.read(text).reached(10**9, 10**9, 60.0)


def test_a_limit_says_that_it_is_over() -> None:
    assert TakeLimit(minutes=1).over == "1 minute is over"
    assert TakeLimit(games=3).over == "3 games are over"


def test_a_name_for_this_start_is_not_kept_but_one_that_is_chosen_is(tmp_path: Path, clock: FakeClock) -> None:
    memory = Memory(tmp_path / "settings.ini")
    assert (memory.player_name, memory.name_asked) == ("", False)
    memory.name_for_now = "Guest"
    presenter = RecordPresenter(tmp_path, settings=memory, controllers=None, now=clock)
    assert presenter.player.question is NameQuestion.NONE
    presenter.player.cancel()
    assert Memory(tmp_path / "settings.ini").player_name == ""
    assert not Memory(tmp_path / "settings.ini").name_asked
    presenter.player.use("Ada")
    kept = Memory(tmp_path / "settings.ini")
    assert (kept.player_name, kept.name_asked) == ("Ada", True)
