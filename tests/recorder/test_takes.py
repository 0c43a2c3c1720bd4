"""What becomes of takes on the Record page, without a window: kept, discarded, begun anew, or not begun at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recorder import Library, Session
from recorder.agents.bindings import Bindings
from recorder.recording.presenter import RecordPresenter
from recorder.recording.recordings import LiveRecording
from recorder.recording.take_control import RecordState
from tests.recorder.fake_clock import FIRE_KEY, FakeClock, play
from tests.recorder.victim import TIMEOUT_S, wait_for
from tests.waiting import PATIENCE_S


def test_a_discarded_take_leaves_the_library_and_can_be_brought_back(
    presenter: RecordPresenter, clock: FakeClock
) -> None:
    presenter.start()
    play(presenter, clock, 30)
    presenter.discard()
    assert presenter.finished.last_take is None
    assert Library(presenter.library).sessions() == []
    assert presenter.can_undo
    presenter.undo_discard()
    assert presenter.finished.last_take is not None
    assert len(Session.open(presenter.finished.last_take)) == 30
    assert not presenter.can_undo
    presenter.discard()  # a finished one, too
    assert Library(presenter.library).sessions() == []


def test_takes_that_are_deleted_and_restored_elsewhere_leave_the_list_and_come_back(
    presenter: RecordPresenter, clock: FakeClock
) -> None:
    presenter.start()
    play(presenter, clock, 30)
    presenter.stop()
    take, library = presenter.finished.last_take, Library(presenter.library)
    assert take is not None
    presenter.discard()
    library.restore(library.trashed()[0].path)
    presenter.finished.check()
    assert [each.discarded for each in presenter.finished.today.takes] == [False]
    assert not presenter.can_undo
    library.trash(take.name)
    presenter.finished.check()
    assert presenter.finished.today.takes == []
    assert presenter.finished.last_take is None


def test_a_restart_discards_the_take_under_way_and_begins_another(presenter: RecordPresenter, clock: FakeClock) -> None:
    presenter.start()
    play(presenter, clock, 30)
    presenter.restart()
    wait_for(presenter, lambda: presenter.state is RecordState.RECORDING)
    play(presenter, clock, 12)
    presenter.stop()
    (summary,) = Library(presenter.library).sessions()
    assert summary.ticks == 12


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Takes are not begun before it is set."""
    ready = threading.Event()

    def begin(*args: Any, **kwargs: Any) -> LiveRecording:
        assert ready.wait(PATIENCE_S)
        return LiveRecording(*args, **kwargs)

    monkeypatch.setattr("recorder.recording.hand_play.LiveRecording", begin)
    yield ready
    ready.set()


def test_what_is_asked_of_a_take_that_is_being_begun_is_done_once_it_is_there(
    presenter: RecordPresenter, clock: FakeClock, slow_disk: threading.Event
) -> None:
    presenter.start(wait=False)
    presenter.take.lose_keyboard()  # does not wait for the disk
    assert not presenter.poll()
    slow_disk.set()
    wait_for(presenter, lambda: presenter.state is RecordState.PAUSED)
    assert presenter.take.lost_keyboard
    presenter.take.resume()
    play(presenter, clock, 12)
    presenter.stop()

    slow_disk.clear()
    presenter.start(wait=False)
    presenter.discard(wait=False)  # nor does this
    assert not presenter.poll()
    slow_disk.set()
    wait_for(presenter, lambda: not presenter.busy)
    assert len(Library(presenter.library).sessions()) == 1  # the one before


def test_a_discard_does_not_outlive_the_take_that_could_not_be_begun(
    presenter: RecordPresenter, clock: FakeClock, slow_disk: threading.Event
) -> None:
    presenter.library.write_text("")
    presenter.start(wait=False)
    presenter.discard(wait=False)
    slow_disk.set()
    wait_for(presenter, lambda: not presenter.busy)
    assert "choose another library folder" in presenter.error
    presenter.library.unlink()
    presenter.start()
    play(presenter, clock, 12)
    presenter.stop()
    assert len(Library(presenter.library).sessions()) == 1


def test_closing_while_a_take_begins_anew_leaves_neither(presenter: RecordPresenter, clock: FakeClock) -> None:
    presenter.start()
    play(presenter, clock, 12)
    presenter.restart()
    presenter.shutdown()
    assert not presenter.busy
    assert Library(presenter.library).sessions() == []


def test_the_game_is_shown_as_soon_as_the_take_is_there(
    tmp_path: Path, clock: FakeClock, slow_disk: threading.Event
) -> None:
    presenter = RecordPresenter(tmp_path / "library", Bindings({}, {}), controllers=None, countdown_s=3, now=clock)
    presenter.start(wait=False)
    slow_disk.set()
    deadline = time.monotonic() + TIMEOUT_S
    while not presenter.poll():
        assert time.monotonic() < deadline
    assert presenter.take.countdown == 3
    presenter.shutdown()


def test_a_take_in_which_nothing_was_played_is_not_kept(presenter: RecordPresenter) -> None:
    presenter.start()
    presenter.stop()
    assert presenter.finished.last_summary == "Nothing was played, so nothing was saved."
    assert Library(presenter.library).sessions() == []


def test_game_over_waits_for_the_player_and_goes_on_in_the_same_take(
    presenter: RecordPresenter, clock: FakeClock
) -> None:
    presenter.start()
    while presenter.state is RecordState.RECORDING:
        presenter.controls.press(FIRE_KEY)
        play(presenter, clock, 1)
        presenter.controls.release(FIRE_KEY)
    assert presenter.state is RecordState.GAME_OVER
    presenter.take.next_game()
    play(presenter, clock, 20)
    presenter.stop()
    assert presenter.finished.last_take is not None
    episodes = Session.open(presenter.finished.last_take).episodes
    assert [episode.outcome for episode in episodes] == ["game over", "stopped"]
    assert episodes[0].seed != episodes[1].seed


def test_a_library_that_cannot_be_written_is_told_and_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    presenter = RecordPresenter(tmp_path / "file", Bindings({}, {}), controllers=None)
    presenter.start()
    assert presenter.state is RecordState.IDLE
    assert "choose another library folder" in presenter.error


def test_while_its_page_is_hidden_a_take_is_finished_but_none_begins(
    presenter: RecordPresenter, clock: FakeClock
) -> None:
    presenter.start()
    play(presenter, clock, 30)
    presenter.restart()
    presenter.page.hide()
    assert not presenter.page.rests
    wait_for(presenter, lambda: presenter.page.rests)
    assert presenter.state is RecordState.IDLE
    assert presenter.finished.today.deleted
    presenter.page.show()
    assert presenter.busy
    presenter.take.join_opening()
    presenter.stop()
    presenter.page.hide()
    assert presenter.page.rests
    presenter.page.show()
    assert not presenter.busy


def test_a_page_that_is_hidden_while_its_take_begins_holds_the_game(presenter: RecordPresenter) -> None:
    presenter.start(wait=False)
    presenter.page.hide()
    assert not presenter.page.rests
    wait_for(presenter, lambda: presenter.page.rests)
    assert presenter.state is RecordState.PAUSED
