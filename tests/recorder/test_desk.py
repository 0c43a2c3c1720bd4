"""What the Record page does, without a window; controllers; missing system libraries."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import player.app
from recorder import Library, Session
from recorder.agents.bindings import Bindings, BindingsError, load_bindings, save_bindings
from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.errors import SystemLibraryError
from recorder.library.verify import verify
from recorder.recording.presenter import DeskState, RecordDesk
from recorder.recording.takes import LiveTake
from tests.recorder.victim import TIMEOUT_S, wait_for

TICK_NS = 16_666_667
LEFT_KEY, FIRE_KEY = 1, 2


class FakeClock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def desk(tmp_path: Path, clock: FakeClock) -> RecordDesk:
    bindings = Bindings({LEFT_KEY: 3, FIRE_KEY: 1}, {LEFT_KEY: "Left", FIRE_KEY: "Space"})
    return RecordDesk(tmp_path / "library", bindings, player_name="Ada", controllers=None, countdown_s=0, now=clock)


def play(desk: RecordDesk, clock: FakeClock, ticks: int) -> None:
    for _ in range(ticks):
        clock.now += TICK_NS
        desk.poll()


def test_a_take_holds_what_was_played_at_its_times(desk: RecordDesk, clock: FakeClock) -> None:
    desk.start()
    play(desk, clock, 10)
    desk.press(LEFT_KEY)
    play(desk, clock, 20)
    desk.release(LEFT_KEY)
    play(desk, clock, 10)
    desk.stop()
    assert desk.error == ""
    assert desk.just_kept
    desk.choose("hopper")
    assert not desk.just_kept
    assert desk.last_take is not None
    session = Session.open(desk.last_take)
    assert session.player == {"kind": "person", "name": "Ada", "params": {}}
    assert session.actions.tolist() == [0] * 10 + [3] * 20 + [0] * 10
    assert session.keys["down"].tolist() == [True, False]
    assert session.key_names[LEFT_KEY] == "Left"


def test_a_pause_stops_the_game_and_lifts_every_key(desk: RecordDesk, clock: FakeClock) -> None:
    desk.start()
    desk.press(LEFT_KEY)
    play(desk, clock, 5)
    desk.lose_keyboard()
    assert desk.state is DeskState.PAUSED
    play(desk, clock, 50)
    desk.resume()
    play(desk, clock, 5)
    desk.stop()
    assert desk.last_take is not None
    assert Session.open(desk.last_take).actions.tolist() == [3] * 5 + [0] * 5


def test_what_was_tapped_while_the_game_waited_is_no_move_afterwards(desk: RecordDesk, clock: FakeClock) -> None:
    def tap() -> None:
        desk.press(FIRE_KEY)
        desk.release(FIRE_KEY)

    desk.start()
    play(desk, clock, 5)
    desk.press(LEFT_KEY)
    desk.pause()
    tap()
    desk.advance()  # which holds what is still down
    tap()
    desk.resume()
    play(desk, clock, 4)
    desk.release(LEFT_KEY)
    tap()
    desk.rewind()  # to the first tick
    tap()
    desk.resume()
    play(desk, clock, 5)
    desk.stop()
    assert desk.last_take is not None
    session = Session.open(desk.last_take)
    assert session.actions.tolist() == [0] * 5 + [3] * 5 + [0] * 5
    assert session.keys["down"].tolist().count(True) == session.keys["down"].tolist().count(False)


def test_slow_motion_and_single_ticks_are_told_by_the_session(desk: RecordDesk, clock: FakeClock) -> None:
    desk.start()
    play(desk, clock, 20)
    desk.change_speed(-2)
    play(desk, clock, 40)  # at half speed: every other tick
    desk.pause()
    desk.advance()
    desk.advance()
    desk.resume()
    desk.change_speed(9)
    play(desk, clock, 20)
    desk.stop()
    assert desk.last_take is not None
    session = Session.open(desk.last_take)
    assert session.speed.tolist() == [100] * 20 + [50] * 20 + [0] * 2 + [100] * 20
    assert session.timing is not None
    assert session.timing.rate_hz == pytest.approx(60.0, abs=0.01)
    (summary,) = Library(desk.library).sessions()
    assert summary.timing == session.timing


def test_a_rewind_holds_the_game_three_seconds_earlier(desk: RecordDesk, clock: FakeClock) -> None:
    desk.start()
    play(desk, clock, 300)
    desk.rewind()
    assert desk.state is DeskState.PAUSED
    desk.resume()
    play(desk, clock, 50)
    desk.stop()
    assert desk.last_take is not None
    session = Session.open(desk.last_take)
    assert [(e.start, e.stop, e.excluded) for e in session.episodes] == [
        (0, 120, False),
        (120, 300, True),
        (300, 350, False),
    ]
    assert verify(session).ok
    assert desk.last_summary.startswith("1 game, ")


def test_a_game_is_marked_with_one_key_and_unmarked_with_the_same(desk: RecordDesk, clock: FakeClock) -> None:
    desk.start()
    play(desk, clock, 10)
    for label, shown in (("failure", "failure"), ("failure", ""), ("success", "success")):
        desk.mark(label)
        assert desk.status is not None
        assert desk.status.label == shown
    desk.stop()
    assert desk.last_take is not None
    session = Session.open(desk.last_take)
    assert [episode.label for episode in session.episodes] == ["success"]
    assert verify(session).ok


def test_a_discarded_take_leaves_the_library_and_can_be_brought_back(desk: RecordDesk, clock: FakeClock) -> None:
    desk.start()
    play(desk, clock, 30)
    desk.discard()
    assert desk.last_take is None
    assert Library(desk.library).sessions() == []
    assert desk.can_undo
    desk.undo_discard()
    assert desk.last_take is not None
    assert len(Session.open(desk.last_take)) == 30
    assert not desk.can_undo
    desk.discard()  # a finished one, too
    assert Library(desk.library).sessions() == []


def test_a_restart_discards_the_take_under_way_and_begins_another(desk: RecordDesk, clock: FakeClock) -> None:
    desk.start()
    play(desk, clock, 30)
    desk.restart()
    wait_for(desk, lambda: desk.state is DeskState.RECORDING)
    play(desk, clock, 12)
    desk.stop()
    (summary,) = Library(desk.library).sessions()
    assert summary.ticks == 12


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Takes are not begun before it is set."""
    ready = threading.Event()

    def begin(*args: Any, **kwargs: Any) -> LiveTake:
        assert ready.wait(60)
        return LiveTake(*args, **kwargs)

    monkeypatch.setattr("recorder.recording.presenter.LiveTake", begin)
    yield ready
    ready.set()


def test_what_is_asked_of_a_take_that_is_being_begun_is_done_once_it_is_there(
    desk: RecordDesk, clock: FakeClock, slow_disk: threading.Event
) -> None:
    desk.start(wait=False)
    desk.lose_keyboard()  # does not wait for the disk
    assert not desk.poll()
    slow_disk.set()
    wait_for(desk, lambda: desk.state is DeskState.PAUSED)
    assert desk.lost_keyboard
    desk.resume()
    play(desk, clock, 12)
    desk.stop()

    slow_disk.clear()
    desk.start(wait=False)
    desk.discard(wait=False)  # nor does this
    assert not desk.poll()
    slow_disk.set()
    wait_for(desk, lambda: not desk.busy)
    assert len(Library(desk.library).sessions()) == 1  # the one before


def test_a_discard_does_not_outlive_the_take_that_could_not_be_begun(
    desk: RecordDesk, clock: FakeClock, slow_disk: threading.Event
) -> None:
    desk.library.write_text("")
    desk.start(wait=False)
    desk.discard(wait=False)
    slow_disk.set()
    wait_for(desk, lambda: not desk.busy)
    assert "choose another library folder" in desk.error
    desk.library.unlink()
    desk.start()
    play(desk, clock, 12)
    desk.stop()
    assert len(Library(desk.library).sessions()) == 1


def test_closing_while_a_take_begins_anew_leaves_neither(desk: RecordDesk, clock: FakeClock) -> None:
    desk.start()
    play(desk, clock, 12)
    desk.restart()
    desk.shutdown()
    assert not desk.busy
    assert Library(desk.library).sessions() == []


def test_the_game_is_shown_as_soon_as_the_take_is_there(
    tmp_path: Path, clock: FakeClock, slow_disk: threading.Event
) -> None:
    desk = RecordDesk(tmp_path / "library", Bindings({}, {}), controllers=None, countdown_s=3, now=clock)
    desk.start(wait=False)
    slow_disk.set()
    deadline = time.monotonic() + TIMEOUT_S
    while not desk.poll():
        assert time.monotonic() < deadline
    assert desk.countdown == 3
    desk.shutdown()


def test_a_take_in_which_nothing_was_played_is_not_kept(desk: RecordDesk) -> None:
    desk.start()
    desk.stop()
    assert desk.last_summary == "Nothing was played, so nothing was kept."
    assert Library(desk.library).sessions() == []


def test_game_over_waits_for_the_player_and_goes_on_in_the_same_take(desk: RecordDesk, clock: FakeClock) -> None:
    desk.start()
    while desk.state is DeskState.RECORDING:
        desk.press(FIRE_KEY)
        play(desk, clock, 1)
        desk.release(FIRE_KEY)
    assert desk.state is DeskState.GAME_OVER
    desk.next_game()
    play(desk, clock, 20)
    desk.stop()
    assert desk.last_take is not None
    episodes = Session.open(desk.last_take).episodes
    assert [episode.outcome for episode in episodes] == ["game over", "stopped"]
    assert episodes[0].seed != episodes[1].seed


def test_a_library_that_cannot_be_written_is_told_and_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    desk = RecordDesk(tmp_path / "file", Bindings({}, {}), controllers=None)
    desk.start()
    assert desk.state is DeskState.IDLE
    assert "choose another library folder" in desk.error


def test_keys_of_ones_own_play_are_named_and_are_kept(desk: RecordDesk, clock: FakeClock, tmp_path: Path) -> None:
    file = tmp_path / "config" / "keys.json"
    own = desk.bindings.unbound(LEFT_KEY).bound(74, "J", 3)
    assert own.keys_of(3) == [74]
    desk.rebind(own)
    save_bindings(file, own, desk.spec)
    assert load_bindings(file, desk.spec) == own
    desk.start()
    desk.rebind(Bindings({}, {}))  # not in the middle of a take
    assert not desk.press(LEFT_KEY)
    assert desk.press(74)
    play(desk, clock, 5)
    desk.stop()
    assert desk.last_take is not None
    session = Session.open(desk.last_take)
    assert session.actions.tolist() == [3] * 5
    assert session.key_names[74] == "J"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"version": 2, "keys": []}',
        '{"version": 1, "keys": [{"code": "x", "name": "J", "action": "LEFT"}]}',
        '{"version": 1, "keys": [{"code": 4294967296, "name": "", "action": "LEFT"}]}',
        '{"version": 1, "keys": [], "controller": "PS4"}',
    ],
)
def test_a_damaged_file_of_keys_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(BindingsError, match=r"keys\.json holds no usable keys .* the usual ones apply"):
        load_bindings(tmp_path / "keys.json", get_spec("breakout"))


def test_an_expert_demonstrates_as_fast_as_it_is_asked_to(desk: RecordDesk, clock: FakeClock) -> None:
    desk.choose("hopper")
    desk.start()

    def ticks_after(seconds: float) -> int:
        assert desk.status is not None
        before = desk.status.ticks
        desk.poll()
        clock.now += round(seconds * 1e9)
        desk.poll()
        wait_for(desk, lambda: desk.status is not None and desk.status.ticks > before)
        return desk.status.ticks - before

    wait_for(desk, lambda: desk.status is not None and desk.status.ticks == 1)
    assert ticks_after(0.1) == 12  # of 125 a second
    desk.change_speed(9)
    assert desk.status is not None
    assert desk.status.speed == 800
    assert ticks_after(0.1) == 100
    desk.change_speed(-1)
    assert desk.status.speed == 400
    desk.stop()
    assert desk.last_take is not None
    assert len(Session.open(desk.last_take)) == 113


def test_missing_system_libraries_are_named_by_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setattr(player.app, "_SYSTEM_LIBRARIES", {"libnothere.so.9": "libnothere9"})
    with pytest.raises(SystemLibraryError, match="apt-get install libnothere9"):
        player.app.check_system()


def test_a_renderer_that_is_missing_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    game = Game(get_spec("hopper"), render=True)
    game.reset(0)

    def riddle() -> None:
        raise AttributeError("'NoneType' object has no attribute 'eglQueryString' (OpenGL)")

    monkeypatch.setattr(game.env, "render", riddle)
    with pytest.raises(SystemLibraryError, match="apt-get install libegl1"):
        game.picture()
    game.close()
