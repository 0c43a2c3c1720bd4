"""What surrounds a take: the count-down before it, the game's sound in it, and the list of the day's takes after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recorder import Library, Session, get_spec, record, verify
from recorder.agents.bindings import Bindings
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from recorder.play.sound import SAMPLES, Speaker
from recorder.recording.presenter import DeskState, RecordDesk
from tests.recorder.test_desk import FIRE_KEY, LEFT_KEY, TICK_NS, FakeClock, play
from tests.recorder.victim import wait_for

BINDINGS = Bindings({LEFT_KEY: 3, FIRE_KEY: 1}, {LEFT_KEY: "Left", FIRE_KEY: "Space"})


class Ear(Speaker):
    """Keeps what a sound card would be given."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[np.ndarray] = []
        self.hushed = 0

    def open(self) -> None:
        pass

    def play(self, samples: np.ndarray) -> None:
        if not self.muted:
            self.heard.append(samples.copy())

    def hush(self) -> None:
        self.hushed += 1


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def make_desk(tmp_path: Path, clock: FakeClock, **options: object) -> RecordDesk:
    return RecordDesk(tmp_path / "library", BINDINGS, controllers=None, now=clock, **options)  # type: ignore[arg-type]


def test_a_take_begins_after_a_count_down_and_keys_tapped_meanwhile_are_no_moves(
    tmp_path: Path, clock: FakeClock
) -> None:
    desk = make_desk(tmp_path, clock)
    desk.start()
    shown = []
    for _ in range(180):
        shown.append(desk.countdown)
        if len(shown) == 100:
            desk.press(FIRE_KEY)
            desk.release(FIRE_KEY)
        assert desk.state is (DeskState.COUNTDOWN if desk.countdown else DeskState.RECORDING)
        clock.now += TICK_NS
        desk.poll()
    assert sorted(set(shown), reverse=True) == [3, 2, 1]
    assert desk.status is not None
    assert desk.status.ticks == 0
    play(desk, clock, 10)
    desk.stop()
    assert desk.last_take is not None
    assert Session.open(desk.last_take).actions.tolist() == [0] * 10


def test_a_count_down_can_be_held_or_given_up(tmp_path: Path, clock: FakeClock) -> None:
    desk = make_desk(tmp_path, clock)
    desk.start()
    desk.lose_keyboard()
    assert (desk.state, desk.lost_keyboard) == (DeskState.PAUSED, True)
    play(desk, clock, 300)
    assert desk.status is not None
    assert desk.status.ticks == 0
    desk.resume()
    assert (desk.state, desk.lost_keyboard) == (DeskState.RECORDING, False)
    desk.stop()
    desk.start()
    desk.stop()
    assert desk.last_take is None
    assert Library(tmp_path / "library").sessions() == []


def test_actions_and_key_presses_are_counted_by_the_second(tmp_path: Path, clock: FakeClock) -> None:
    desk = make_desk(tmp_path, clock, countdown_s=0)
    desk.start()
    for _ in range(20):
        desk.press(LEFT_KEY)
        play(desk, clock, 6)
        desk.release(LEFT_KEY)
        play(desk, clock, 6)
    assert desk.status is not None
    assert desk.status.actions_hz == pytest.approx(60, abs=0.1)
    assert desk.status.presses_hz == pytest.approx(5, abs=0.6)
    desk.stop()


def test_the_game_is_heard_at_full_speed_unless_muted_and_recorded_as_without_sound(
    tmp_path: Path, clock: FakeClock
) -> None:
    ear = Ear()
    desk = make_desk(tmp_path, clock, countdown_s=0, speaker=ear)
    desk.start()
    desk.press(FIRE_KEY)
    play(desk, clock, 240)
    assert [samples.shape for samples in ear.heard] == [(SAMPLES,)] * 240
    assert len({samples.tobytes() for samples in ear.heard}) > 1  # the ball was served, and met something
    desk.mute(True)
    play(desk, clock, 10)
    desk.mute(False)
    desk.change_speed(-1)
    play(desk, clock, 10)
    assert len(ear.heard) == 240
    hushed = ear.hushed
    desk.pause()
    assert ear.hushed == hushed + 1
    desk.stop()
    assert desk.last_take is not None
    assert verify(Session.open(desk.last_take)).ok


def test_sound_changes_no_screen() -> None:
    def screens(sound: bool) -> list[bytes]:
        rng = np.random.default_rng(0)
        with Game(get_spec("breakout"), sound=sound) as game:
            game.reset(0)
            return [game.step(int(rng.integers(4)))[0].tobytes() for _ in range(300)]

    assert screens(True) == screens(False)


def test_a_speaker_plays_in_blocks_and_a_missing_card_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    tick = np.full(SAMPLES, 128, np.uint8)
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    speaker = Speaker()
    speaker.play(tick)  # not open yet
    speaker.open()
    speaker._opening.join()
    for _ in range(6):
        speaker.play(tick)
    assert speaker._channel.get_busy()
    assert speaker._channel.get_queue() is not None
    for _ in range(100):
        speaker.play(tick)  # faster than any card
    assert len(speaker._waiting) <= 12 * SAMPLES
    speaker.hush()
    assert not speaker._channel.get_busy()
    speaker.close()

    monkeypatch.setenv("SDL_AUDIODRIVER", "no-such-driver")
    speaker = Speaker()
    speaker.open()
    speaker._opening.join()
    speaker.play(tick)
    assert speaker.missing
    speaker.close()


def test_todays_takes_are_listed_and_any_of_them_can_be_discarded_and_brought_back(
    tmp_path: Path, clock: FakeClock
) -> None:
    library = tmp_path / "library"
    earlier = record("breakout", scripted("breakout"), library=library, seconds=2).path
    desk = make_desk(tmp_path, clock, countdown_s=0)
    desk.today.look()
    wait_for(desk, lambda: bool(desk.today.takes))
    desk.start()
    desk.mark("success")
    play(desk, clock, 30)
    desk.stop()
    last = desk.last_take
    assert [take.path for take in desk.today.takes] == [last, earlier]
    assert desk.today.takes[0].labels == ("success",)
    assert desk.today.takes[0].picture is not None
    assert desk.today.takes[0].picture.shape == (210, 160, 3)

    desk.discard(earlier)
    assert desk.last_take == last
    assert [take.discarded for take in desk.today.takes] == [False, True]
    desk.discard()
    assert Library(library).sessions() == []
    desk.undo_discard(earlier)
    desk.undo_discard()
    assert [take.discarded for take in desk.today.takes] == [False, False]
    assert {summary.path for summary in Library(library).sessions()} == {last, earlier}

    desk.label(earlier, "failure")
    assert desk.today.takes[1].labels == ("failure",)
    assert {episode.label for episode in Session.open(earlier).episodes} == {"failure"}
    desk.label(earlier, "failure")
    assert desk.today.takes[1].labels == ()
    desk.label(tmp_path / "gone.zarr", "failure")
    assert "gone.zarr" in desk.error
    desk.shutdown()
