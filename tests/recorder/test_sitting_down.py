"""What surrounds a take: the count-down before it, the game's sound in it, and the list of the day's takes after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pygame
import pytest

from recorder import Library, Session, get_spec, record, verify
from recorder.agents.bindings import Bindings
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from recorder.play.sound import SAMPLES, Speaker, falling_tone
from recorder.recording.game_sound import GameSound
from recorder.recording.presenter import RecordPresenter
from recorder.recording.take_control import RecordState
from tests.recorder.fake_clock import FIRE_KEY, LEFT_KEY, TICK_NS, FakeClock, play
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

    def silence(self) -> None:
        self.hushed += 1


def make_presenter(tmp_path: Path, clock: FakeClock, **options: object) -> RecordPresenter:
    return RecordPresenter(tmp_path / "library", BINDINGS, controllers=None, now=clock, **options)  # type: ignore[arg-type]


def test_a_take_begins_after_a_count_down_and_keys_tapped_meanwhile_are_no_moves(
    tmp_path: Path, clock: FakeClock
) -> None:
    presenter = make_presenter(tmp_path, clock)
    presenter.start()
    shown = []
    for _ in range(180):
        shown.append(presenter.take.countdown)
        if len(shown) == 100:
            presenter.controls.press(FIRE_KEY)
            presenter.controls.release(FIRE_KEY)
        assert presenter.state is (RecordState.COUNTDOWN if presenter.take.countdown else RecordState.RECORDING)
        clock.now += TICK_NS
        presenter.poll()
    assert sorted(set(shown), reverse=True) == [3, 2, 1]
    assert presenter.status is not None
    assert presenter.status.ticks == 0
    play(presenter, clock, 10)
    presenter.stop()
    assert presenter.finished.last_take is not None
    assert Session.open(presenter.finished.last_take).actions.tolist() == [0] * 10


def test_a_count_down_can_be_held_or_given_up(tmp_path: Path, clock: FakeClock) -> None:
    presenter = make_presenter(tmp_path, clock)
    presenter.start()
    presenter.take.lose_keyboard()
    assert (presenter.state, presenter.take.lost_keyboard) == (RecordState.PAUSED, True)
    play(presenter, clock, 300)
    assert presenter.status is not None
    assert presenter.status.ticks == 0
    presenter.take.resume()
    assert (presenter.state, presenter.take.lost_keyboard) == (RecordState.RECORDING, False)
    presenter.stop()
    presenter.start()
    presenter.stop()
    assert presenter.finished.last_take is None
    assert Library(tmp_path / "library").sessions() == []


def test_actions_and_key_presses_are_counted_by_the_second(tmp_path: Path, clock: FakeClock) -> None:
    presenter = make_presenter(tmp_path, clock, countdown_s=0)
    presenter.start()
    for _ in range(20):
        presenter.controls.press(LEFT_KEY)
        play(presenter, clock, 6)
        presenter.controls.release(LEFT_KEY)
        play(presenter, clock, 6)
    assert presenter.status is not None
    assert presenter.status.actions_hz == pytest.approx(60, abs=0.1)
    assert presenter.status.presses_hz == pytest.approx(5, abs=0.6)
    presenter.stop()


def test_the_game_is_heard_at_full_speed_unless_muted_and_recorded_as_without_sound(
    tmp_path: Path, clock: FakeClock
) -> None:
    ear = Ear()
    presenter = make_presenter(tmp_path, clock, countdown_s=0, speaker=ear)
    presenter.start()
    presenter.controls.press(FIRE_KEY)
    play(presenter, clock, 240)
    assert [samples.shape for samples in ear.heard] == [(SAMPLES,)] * 240
    assert len({samples.tobytes() for samples in ear.heard}) > 1  # the ball was served, and met something
    presenter.sound.mute(True)
    play(presenter, clock, 10)
    presenter.sound.mute(False)
    presenter.take.change_speed(-1)
    play(presenter, clock, 10)
    assert len(ear.heard) == 240
    hushed = ear.hushed
    presenter.take.pause()
    assert ear.hushed == hushed + 1
    presenter.stop()
    assert presenter.finished.last_take is not None
    assert verify(Session.open(presenter.finished.last_take)).ok


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
    speaker.silence()
    assert not speaker._channel.get_busy()
    speaker.close()

    monkeypatch.setenv("SDL_AUDIODRIVER", "no-such-driver")
    speaker = Speaker()
    speaker.open()
    speaker._opening.join()
    speaker.play(tick)
    assert speaker.missing
    speaker.close()


def test_a_rewind_is_heard_as_a_falling_tone_unless_the_sound_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    tone = falling_tone(880.0, 330.0, seconds=0.15)
    assert (tone.dtype, len(tone)) == (np.uint8, round(0.15 * 60 * SAMPLES))
    swings = np.flatnonzero(np.diff(np.sign(tone.astype(int) - 128.5)))
    assert np.diff(swings)[-3:].mean() > 1.5 * np.diff(swings)[:3].mean()  # it falls
    assert np.abs(tone[-50:].astype(int) - 128).max() < np.abs(tone[:400].astype(int) - 128).max() / 4  # and fades
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    speaker = Speaker()
    sound = GameSound(speaker)
    sound.open()
    speaker._opening.join()
    sound.tell_rewind()
    assert speaker._channel.get_busy()
    sound.mute(True)
    sound.tell_rewind()
    assert not speaker._channel.get_busy()
    sound.close()


@pytest.mark.parametrize(("found", "tried"), [((), False), (("cards",), True), (("run/pipewire-0",), True)])
def test_a_sound_card_is_only_tried_where_linux_knows_of_one(
    found: tuple[str, ...], tried: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SDL_AUDIODRIVER", "PULSE_SERVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr("recorder.play.sound._CARDS", tmp_path / "cards")
    (tmp_path / "run").mkdir()
    for name in found:
        (tmp_path / name).touch()
    asked: list[int] = []
    monkeypatch.setattr(pygame.mixer, "init", lambda rate, **_: asked.append(rate))
    monkeypatch.setattr(pygame.mixer, "Channel", lambda _: None)
    speaker = Speaker()
    speaker.silence()
    speaker.close()  # nothing was opened yet
    for _ in range(2):
        speaker.open()
    speaker._opening.join()
    assert asked == [60 * SAMPLES] * tried
    assert speaker.missing is not tried
    speaker.close()


def test_todays_takes_are_listed_and_any_of_them_can_be_discarded_and_brought_back(
    tmp_path: Path, clock: FakeClock
) -> None:
    library = tmp_path / "library"
    earlier = record("breakout", scripted("breakout"), library=library, seconds=2).path
    presenter = make_presenter(tmp_path, clock, countdown_s=0)
    presenter.finished.today.look()
    wait_for(presenter, lambda: bool(presenter.finished.today.takes))
    presenter.start()
    presenter.take.mark("success")
    play(presenter, clock, 30)
    presenter.stop()
    last = presenter.finished.last_take
    assert [take.path for take in presenter.finished.today.takes] == [last, earlier]
    assert presenter.finished.today.takes[0].labels == ("success",)
    assert presenter.finished.today.takes[0].picture is not None
    assert presenter.finished.today.takes[0].picture.shape == (210, 160, 3)

    presenter.discard(earlier)
    assert presenter.finished.last_take == last
    assert [take.discarded for take in presenter.finished.today.takes] == [False, True]
    presenter.discard()
    assert Library(library).sessions() == []
    presenter.undo_discard(earlier)
    presenter.undo_discard()
    assert [take.discarded for take in presenter.finished.today.takes] == [False, False]
    assert {summary.path for summary in Library(library).sessions()} == {last, earlier}

    presenter.finished.label(earlier, "failure")
    assert presenter.finished.today.takes[1].labels == ("failure",)
    assert {episode.label for episode in Session.open(earlier).episodes} == {"failure"}
    presenter.finished.label(earlier, "failure")
    assert presenter.finished.today.takes[1].labels == ()
    presenter.undo_discard()
    assert presenter.finished.last_summary == "Undid: removed the label of a take."
    assert presenter.finished.today.takes[1].labels == ("failure",)
    presenter.undo_discard()
    assert presenter.finished.last_summary == "Undid: labelled a take bad."
    assert presenter.finished.today.takes[1].labels == ()
    assert not presenter.can_undo
    presenter.finished.label(tmp_path / "gone.zarr", "failure")
    assert "gone.zarr" in presenter.error
    presenter.shutdown()
