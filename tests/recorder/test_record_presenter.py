"""What the Record page does with a game, without a window: play, pace, pauses, keys, rewinds."""

from __future__ import annotations

import gc
import time
import weakref
from pathlib import Path

import pytest

from recorder import Library, Session
from recorder.agents.bindings import Bindings, BindingsError, load_bindings, save_bindings
from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.library.verify import verify
from recorder.play.latency import Latency
from recorder.play.rollout import Rollout
from recorder.recording.presenter import RecordPresenter
from recorder.recording.settings import UnsavedSettings
from recorder.recording.take_control import RecordState, Rewind
from recorder.ui.game_keys import usual
from tests.recorder.fake_clock import FIRE_KEY, LEFT_KEY, TICK_NS, FakeClock, play
from tests.recorder.victim import wait_for


def test_a_take_holds_what_was_played_at_its_times(presenter: RecordPresenter, clock: FakeClock) -> None:
    presenter.start()
    play(presenter, clock, 10)
    presenter.controls.press(LEFT_KEY)
    play(presenter, clock, 20)
    presenter.controls.release(LEFT_KEY)
    play(presenter, clock, 10)
    presenter.stop()
    assert presenter.error == ""
    assert presenter.finished.just_kept
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    presenter.choose("hopper")
    assert not presenter.finished.just_kept
    assert presenter.finished.last_take is None  # its summary and its buttons are of another game
    assert session.player == {"kind": "person", "name": "Ada", "params": {}}
    assert session.actions.tolist() == [0] * 10 + [3] * 20 + [0] * 10
    assert session.keys["down"].tolist() == [True, False]
    assert session.key_names[LEFT_KEY] == "Left"


def test_it_is_looked_in_on_four_times_a_second_but_just_before_each_tick_of_a_game(
    presenter: RecordPresenter, clock: FakeClock
) -> None:
    rest, margin = 250_000_000, 1_000_000
    assert presenter.wait_ns(margin) == rest
    presenter.start()
    assert presenter.wait_ns(margin) == TICK_NS - margin
    clock.now += TICK_NS - margin // 2
    assert presenter.wait_ns(margin) == 0
    presenter.take.pause()
    assert presenter.wait_ns(margin) == rest
    presenter.stop(wait=False)
    assert presenter.wait_ns(margin) < rest / 10  # what is being saved is soon over
    presenter.stop()
    assert presenter.wait_ns(margin) == rest


def test_step_by_step_the_game_waits_for_a_key_and_plays_at_its_rate_while_one_is_held(
    presenter: RecordPresenter, clock: FakeClock
) -> None:
    presenter.pace.choose(10.0)
    presenter.start()
    play(presenter, clock, 60)  # a second in which nothing is held
    assert presenter.status is not None
    assert presenter.status.ticks == 0
    assert presenter.take.wait_ns is None
    presenter.controls.press(LEFT_KEY)
    presenter.poll()
    assert presenter.status.ticks == 1  # at once
    play(presenter, clock, 60)
    assert presenter.status.ticks == 11
    presenter.controls.release(LEFT_KEY)
    play(presenter, clock, 60)
    presenter.controls.press(FIRE_KEY)
    presenter.controls.release(FIRE_KEY)
    play(presenter, clock, 60)
    presenter.take.pause()
    presenter.take.advance()  # one frame without a key
    presenter.stop()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert session.actions.tolist() == [3] * 11 + [1, 0]
    assert session.attributes["steps_hz"] == 10.0
    assert set(session.speed.tolist()) == {0}
    waited = session.time_ns[11] - session.time_ns[10]
    assert waited == pytest.approx(1.1e9, rel=0.2)  # the time of each decision is there
    assert session.latency is None
    assert verify(session).ok


def test_a_continuous_action_is_the_sum_of_what_is_held(tmp_path: Path, clock: FakeClock) -> None:
    presenter = RecordPresenter(
        tmp_path, settings=UnsavedSettings("Ada"), usual_keys=usual, controllers=None, countdown_s=0, now=clock
    )
    presenter.choose("pendulum")
    left, right = (presenter.key_choice.bindings.keys_of(action)[0] for action in (1, 2))
    presenter.start()
    clock.now += 50_000_000
    for pressed in ((), (left,), (left, right), (right,)):
        for key in (left, right):
            (presenter.controls.press if key in pressed else presenter.controls.release)(key)
        presenter.poll()
        clock.now += 50_000_000
    presenter.stop()
    assert presenter.error == ""
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert session.actions[:].tolist() == [[0.0], [1.0], [0.0], [-1.0]]
    assert session.player["kind"] == "person"
    assert verify(session).ok
    with Game(session.spec) as game:
        game.reset(session.episodes[0].seed)
        for action in session.actions[:]:
            game.step(action)
        assert game.env.unwrapped.last_u == pytest.approx(-2.0)  # 1 is all that the motor can


def test_the_pace_is_kept_and_in_real_time_nothing_says_otherwise(tmp_path: Path, clock: FakeClock) -> None:
    settings = UnsavedSettings("Ada")
    for chosen, kept in ((30.0, "30"), (0.0, "")):
        opened = RecordPresenter(tmp_path, settings=settings, controllers=None, countdown_s=0, now=clock)
        opened.pace.choose(chosen)
        assert settings.steps == kept
        again = RecordPresenter(tmp_path, settings=settings, controllers=None, countdown_s=0, now=clock)
        assert again.pace.steps_hz == chosen
    with pytest.raises(ValueError, match="7 steps a second; choose one of 5, 10, 15, 30"):
        opened.pace.choose(7.0)
    settings.steps = "much"
    assert RecordPresenter(tmp_path, settings=settings, controllers=None, now=clock).pace.steps_hz == 0.0


def test_a_pause_stops_the_game_and_lifts_every_key(presenter: RecordPresenter, clock: FakeClock) -> None:
    presenter.start()
    presenter.controls.press(LEFT_KEY)
    play(presenter, clock, 5)
    presenter.take.lose_keyboard()
    assert presenter.state is RecordState.PAUSED
    play(presenter, clock, 50)
    presenter.take.resume()
    play(presenter, clock, 5)
    presenter.stop()
    assert presenter.finished.last_take is not None
    assert Session.open(presenter.finished.last_take).actions.tolist() == [3] * 5 + [0] * 5


def test_what_was_tapped_while_the_game_waited_is_no_move_afterwards(
    presenter: RecordPresenter, clock: FakeClock
) -> None:
    def tap() -> None:
        presenter.controls.press(FIRE_KEY)
        presenter.controls.release(FIRE_KEY)

    presenter.start()
    play(presenter, clock, 5)
    presenter.controls.press(LEFT_KEY)
    presenter.take.pause()
    tap()
    presenter.take.advance()  # which holds what is still down
    tap()
    presenter.take.resume()
    play(presenter, clock, 4)
    presenter.controls.release(LEFT_KEY)
    tap()
    presenter.take.rewind()  # to the first tick
    tap()
    presenter.take.resume()
    play(presenter, clock, 5)
    presenter.stop()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert session.actions.tolist() == [0] * 5 + [3] * 5 + [0] * 5
    assert session.keys["down"].tolist().count(True) == session.keys["down"].tolist().count(False)


def test_a_take_says_how_soon_its_keys_showed(presenter: RecordPresenter, clock: FakeClock) -> None:
    def press(before_tick_ms: int, drawing_ms: int) -> None:
        """Press a key so long before the next tick, whose picture takes so long."""
        clock.now += TICK_NS - before_tick_ms * 1_000_000
        presenter.controls.press(LEFT_KEY)
        clock.now += before_tick_ms * 1_000_000
        presenter.poll()
        clock.now += drawing_ms * 1_000_000
        show()
        presenter.controls.release(LEFT_KEY)
        clock.now -= drawing_ms * 1_000_000

    def show() -> None:
        assert presenter.status is not None
        presenter.take.shown(presenter.status.picture)

    presenter.start()
    play(presenter, clock, 10)
    for before_tick_ms, drawing_ms in ((10, 2), (4, 2), (7, 3)):
        press(before_tick_ms, drawing_ms)
        play(presenter, clock, 3)
        show()
    assert presenter.status is not None
    old = presenter.status.picture
    presenter.controls.press(LEFT_KEY)
    presenter.poll()
    clock.now += TICK_NS
    presenter.poll()
    presenter.take.shown(old)  # painted just before the tick, told after it
    presenter.take.pause()  # before the picture of its tick was there
    show()
    presenter.controls.press(FIRE_KEY)  # in the pause: it waits for the player
    clock.now += 1_000_000_000
    presenter.take.resume()
    play(presenter, clock, 3)
    show()
    presenter.controls.release(FIRE_KEY)
    presenter.take.change_speed(-2)
    presenter.controls.press(FIRE_KEY)  # in slow motion
    play(presenter, clock, 4)
    show()
    presenter.stop()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert session.keys["down"].sum() == 7  # LEFT again as it was still held after the pause
    assert session.latency == Latency(
        presses=3,
        tick_p50_ms=pytest.approx(7.0),
        tick_p99_ms=pytest.approx(9.94),
        picture_p50_ms=pytest.approx(10.0),
        picture_p99_ms=pytest.approx(11.96),
    )
    (summary,) = Library(presenter.library).sessions()
    assert summary.latency == session.latency
    assert str(session.latency) == "10.0 ms median, 99 % within 12.0 ms (3 presses)"
    assert presenter.finished.last_summary.endswith("\n60.00 Hz, 0 late ticks, key to picture 10.0 ms")


def test_without_a_key_of_the_keyboard_nothing_is_said_of_it(presenter: RecordPresenter, clock: FakeClock) -> None:
    presenter.keys.bindings = {LEFT_KEY: 3, -1: 3}
    presenter.start()
    play(presenter, clock, 5)
    presenter.controls.press(-1)  # a controller's input: it is seen only when the controller is asked
    play(presenter, clock, 5)
    assert presenter.status is not None
    presenter.take.shown(presenter.status.picture)
    presenter.stop()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert session.actions.tolist() == [0] * 5 + [3] * 5
    assert session.latency is None
    assert "latency" not in session.attributes
    assert presenter.finished.last_summary.endswith(" Hz, 0 late ticks, longest interval 17 ms")


def test_slow_motion_and_single_ticks_are_told_by_the_session(presenter: RecordPresenter, clock: FakeClock) -> None:
    presenter.start()
    play(presenter, clock, 20)
    presenter.take.change_speed(-2)
    play(presenter, clock, 40)  # at half speed: every other tick
    presenter.take.pause()
    presenter.take.advance()
    presenter.take.advance()
    presenter.take.resume()
    presenter.take.change_speed(9)
    play(presenter, clock, 20)
    presenter.stop()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert session.speed.tolist() == [100] * 20 + [50] * 20 + [0] * 2 + [100] * 20
    assert session.timing is not None
    assert session.timing.rate_hz == pytest.approx(60.0, abs=0.01)
    (summary,) = Library(presenter.library).sessions()
    assert summary.timing == session.timing


def test_a_rewind_holds_the_game_three_seconds_earlier(presenter: RecordPresenter, clock: FakeClock) -> None:
    presenter.start()
    play(presenter, clock, 300)
    presenter.take.rewind()
    assert presenter.state is RecordState.PAUSED
    assert presenter.take.rewound is Rewind.DONE
    assert presenter.status is not None
    assert (presenter.status.ticks, presenter.status.game_ticks, presenter.status.undone_ticks) == (300, 120, 180)
    presenter.take.resume()
    assert presenter.take.rewound is Rewind.NONE
    play(presenter, clock, 50)
    presenter.stop()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert [(e.start, e.stop, e.excluded) for e in session.episodes] == [
        (0, 120, False),
        (120, 300, True),
        (300, 350, False),
    ]
    assert verify(session).ok
    assert presenter.finished.last_summary.startswith("1 game, ")


def test_a_rewind_goes_back_to_the_first_tick_and_then_says_that_there_is_no_more(
    presenter: RecordPresenter, clock: FakeClock
) -> None:
    presenter.start()
    for _ in range(3):
        play(presenter, clock, 100)
        presenter.take.rewind()  # three seconds
        presenter.take.resume()
    play(presenter, clock, 20)
    presenter.take.rewind()
    assert presenter.status is not None
    assert presenter.status.game_ticks == 1
    assert presenter.take.rewound is Rewind.DONE
    presenter.take.rewind()
    assert presenter.take.rewound is Rewind.AT_START
    presenter.stop()
    assert presenter.finished.last_take is not None
    assert verify(Session.open(presenter.finished.last_take)).ok


def test_a_game_is_marked_with_one_key_and_unmarked_with_the_same(presenter: RecordPresenter, clock: FakeClock) -> None:
    presenter.start()
    play(presenter, clock, 10)
    for label, shown in (("failure", "failure"), ("failure", ""), ("success", "success")):
        presenter.take.mark(label)
        assert presenter.status is not None
        assert presenter.status.label == shown
    presenter.stop()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert [episode.label for episode in session.episodes] == ["success"]
    assert verify(session).ok


def test_keys_of_ones_own_play_are_named_and_are_kept(
    presenter: RecordPresenter, clock: FakeClock, tmp_path: Path
) -> None:
    file = tmp_path / "config" / "keys.json"
    own = presenter.key_choice.bindings.unbound(LEFT_KEY).bound(74, "J", 3)
    assert own.keys_of(3) == [74]
    presenter.rebind(own)
    save_bindings(file, own, presenter.spec)
    assert load_bindings(file, presenter.spec) == own
    presenter.start()
    presenter.rebind(Bindings({}, {}))  # not in the middle of a take
    assert not presenter.controls.press(LEFT_KEY)
    assert presenter.controls.press(74)
    play(presenter, clock, 5)
    presenter.stop()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert session.actions.tolist() == [3] * 5
    assert session.key_names[74] == "J"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"version": "2", "keys": []}',
        '{"version": 0, "keys": []}',
        '{"version": 1, "keys": [{"code": "x", "name": "J", "action": "LEFT"}]}',
        '{"version": 1, "keys": [{"code": 4294967296, "name": "", "action": "LEFT"}]}',
        '{"version": 1, "keys": [], "controller": "PS4"}',
    ],
)
def test_a_damaged_file_of_keys_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(BindingsError, match=r"keys\.json has no usable keys .* the default keys are used"):
        load_bindings(tmp_path / "keys.json", get_spec("breakout"))


def test_an_expert_demonstrates_as_fast_as_it_is_asked_to(presenter: RecordPresenter, clock: FakeClock) -> None:
    presenter.choose("hopper")
    presenter.start()

    def ticks_after(seconds: float) -> int:
        assert presenter.status is not None
        before = presenter.status.ticks
        presenter.poll()
        clock.now += round(seconds * 1e9)
        presenter.poll()
        wait_for(presenter, lambda: presenter.status is not None and presenter.status.ticks > before)
        return presenter.status.ticks - before

    wait_for(presenter, lambda: presenter.status is not None and presenter.status.ticks == 1)
    assert ticks_after(0.1) == 12  # of 125 a second
    presenter.take.change_speed(9)
    assert presenter.status is not None
    assert presenter.status.speed == 800
    assert ticks_after(0.1) == 100
    presenter.take.change_speed(-1)
    assert presenter.status.speed == 400
    presenter.stop()
    assert presenter.finished.last_take is not None
    assert len(Session.open(presenter.finished.last_take)) == 113


def test_a_take_that_is_lost_lets_go_of_its_game_at_once(
    presenter: RecordPresenter, clock: FakeClock, tmp_path: Path
) -> None:
    before = {id(each) for each in gc.get_objects() if type(each) is Rollout}
    presenter.start()
    play(presenter, clock, 60)
    (game,) = (weakref.ref(each) for each in gc.get_objects() if type(each) is Rollout and id(each) not in before)
    (tmp_path / "library").rename(tmp_path / "elsewhere")
    while presenter.state is not RecordState.PAUSED:  # held, until one may go on
        play(presenter, clock, 1)
        time.sleep(0.01)
    gc.disable()  # it runs too late at the end of the program: the emulator then says that its states are leaked
    try:
        presenter.stop()
        assert "what was recorded went with it" in presenter.error
        assert game() is None
    finally:
        gc.enable()
