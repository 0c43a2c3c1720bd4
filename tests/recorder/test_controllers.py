"""Game controllers, made by SDL itself: which inputs play, which device steers, and a whole take played with one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from recorder import Session
from recorder.agents.bindings import Bindings, BindingsError, load_bindings, save_bindings
from recorder.agents.gamepad import ANY_DEVICE, BACK, DOWN, FIRE, LEFT, NO_DEVICE, RIGHT, START, UP, Device, Gamepads
from recorder.envs.registry import get_spec
from recorder.recording.presenter import RecordPresenter
from recorder.recording.settings import UnsavedSettings
from recorder.recording.take_control import RecordState
from tests.recorder.fake_clock import FakeClock, play
from tests.recorder.victim import wait_for
from tests.recorder.virtual_pad import BACK as BACK_BUTTON
from tests.recorder.virtual_pad import (
    DPAD_DOWN,
    DPAD_LEFT,
    DPAD_RIGHT,
    DPAD_UP,
    GUIDE,
    SHOULDER,
    STICK,
    STICK_DOWN,
    TRIGGER,
    A,
    B,
    VirtualPad,
)
from tests.recorder.virtual_pad import START as START_BUTTON

Plug = Callable[..., VirtualPad]
MODELS = {
    "PS4 Controller": (0x054C, 0x09CC),
    "PS5 Controller": (0x054C, 0x0CE6),
    "Nintendo Switch Pro Controller": (0x057E, 0x2009),
}


@pytest.fixture
def pads() -> Iterator[Gamepads]:
    pads = Gamepads()
    yield pads
    pads.close()


def test_a_video_driver_that_there_is_not_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such")
    pads = Gamepads()
    assert pads.poll() == []
    pads.close()


@pytest.fixture
def plug(pads: Gamepads) -> Iterator[Plug]:
    """Plugs a controller in, and lets `pads` see it; what is plugged in goes with the test."""
    plugged: list[VirtualPad] = []

    def plug_in(name: str = "A controller", *model: int, **inputs: int) -> VirtualPad:
        plugged.append(VirtualPad(name, *model, **inputs))
        pads.poll()
        pads.poll()  # what opening it reports of its rest
        return plugged[-1]

    yield plug_in
    for pad in plugged:
        pad.unplug()


def test_polling_without_a_controller_reports_nothing(pads: Gamepads) -> None:
    assert pads.poll() == []
    assert pads.devices == ()


@pytest.mark.parametrize(("name", "model"), MODELS.items(), ids=MODELS.keys())
def test_the_d_pad_of_known_controllers_steers_and_start_is_not_fire(
    pads: Gamepads, plug: Plug, name: str, model: tuple[int, int]
) -> None:
    pad = plug(name, *model)
    assert [device.name for device in pads.devices] == [name]
    ways = ((DPAD_LEFT, LEFT), (DPAD_RIGHT, RIGHT), (DPAD_UP, UP), (DPAD_DOWN, DOWN))
    for button, code in (*ways, (A, FIRE), (SHOULDER, FIRE), (START_BUTTON, START), (BACK_BUTTON, BACK)):
        pad.press(button)
        assert pads.poll() == [(code, True)]
        pad.release(button)
        assert pads.poll() == [(code, False)]
    pad.tap(GUIDE)
    assert pads.poll() == []
    pad.lean(STICK_DOWN, 1.0)
    pad.lean(STICK_DOWN, 0.0)
    assert pads.poll() == [(DOWN, True), (DOWN, False)]


def test_a_joystick_that_nothing_is_known_of_goes_four_ways(pads: Gamepads, plug: Plug) -> None:
    stick = plug("A stick", hats=1)
    for across, up, code in ((-1, 0, LEFT), (1, 0, RIGHT), (0, 1, UP), (0, -1, DOWN)):
        stick.hat(across, up)
        assert pads.poll() == [(code, True)]
        stick.hat(0)
        assert pads.poll() == [(code, False)]


def test_a_stick_steers_past_its_dead_zone_and_a_trigger_fires(pads: Gamepads, plug: Plug) -> None:
    pad = plug()
    steps: list[tuple[float, list[tuple[int, bool]]]] = [
        (0.2, []),
        (0.5, [(RIGHT, True)]),
        (0.35, []),
        (0.2, [(RIGHT, False)]),
        (-0.9, [(LEFT, True)]),
        (0.9, [(LEFT, False), (RIGHT, True)]),
        (0.0, [(RIGHT, False)]),
    ]
    for value, changes in steps:
        pad.lean(STICK, value)
        assert pads.poll() == changes, value
    pad.lean(TRIGGER, -1.0)
    assert pads.poll() == []
    pad.lean(TRIGGER, 1.0)
    pad.lean(TRIGGER, -1.0)
    assert pads.poll() == [(FIRE, True), (FIRE, False)]


def test_a_joystick_that_sdl_knows_nothing_about_plays_too(pads: Gamepads, plug: Plug) -> None:
    stick = plug("Old stick", hats=1, buttons=12)
    stick.hat(-1)
    stick.hat(0)
    stick.lean(0, 0.8)
    stick.lean(0, 0.0)
    stick.tap(5)
    stick.tap(8)
    stick.tap(9)
    codes = (LEFT, RIGHT, FIRE, BACK, START)
    assert pads.poll() == [(code, down) for code in codes for down in (True, False)]
    small = plug("Older stick", 7, 7, hats=1, buttons=2)
    small.tap(1)
    assert pads.poll() == [(FIRE, True), (FIRE, False)]


def test_taps_between_two_polls_count_and_two_buttons_for_one_action_are_one(pads: Gamepads, plug: Plug) -> None:
    pad = plug()
    pad.tap(A)
    pad.tap(DPAD_LEFT)
    pad.tap(A)
    tap = [(FIRE, True), (FIRE, False)]
    assert pads.poll() == [*tap, (LEFT, True), (LEFT, False), *tap]
    pad.press(A)
    pad.press(B)
    pad.release(A)
    assert pads.poll() == [(FIRE, True)]
    pad.release(B)
    assert pads.poll() == [(FIRE, False)]


def test_one_device_can_be_chosen_or_none_and_what_the_others_hold_is_let_go(pads: Gamepads, plug: Plug) -> None:
    one, twin, other = plug("Pad", 1, 1), plug("Pad", 1, 1), plug("Wheel", 2, 2)
    first, second, third = pads.devices
    assert (first.name, second.name, third.name) == ("Pad", "Pad", "Wheel")
    assert second.id == f"{first.id}#2"
    one.press(DPAD_LEFT)
    assert pads.poll() == [(LEFT, True)]
    pads.use(second)
    assert pads.poll() == [(LEFT, False)]
    for pad in (one, twin, other):
        pad.tap(A)
    assert pads.poll() == [(FIRE, True), (FIRE, False)]
    pads.use(NO_DEVICE)
    twin.tap(A)
    assert pads.poll() == []
    pads.use(ANY_DEVICE)
    other.press(A)
    assert pads.poll() == [(FIRE, True)]


def test_what_is_unplugged_lets_go_and_comes_back_as_itself(pads: Gamepads, plug: Plug) -> None:
    pad = plug("Pad", 1, 1)
    (device,) = pads.devices
    pads.use(device)
    pad.press(DPAD_RIGHT)
    assert pads.poll() == [(RIGHT, True)]
    pad.unplug()
    assert pads.poll() == [(RIGHT, False)]
    assert pads.devices == ()
    again = plug("Pad", 1, 1)
    assert pads.devices == (device,)
    again.tap(A)
    assert pads.poll() == [(FIRE, True), (FIRE, False)]


def test_a_take_is_begun_held_and_played_on_with_the_controller_alone(
    tmp_path: Path, pads: Gamepads, plug: Plug
) -> None:
    clock = FakeClock()
    actions = {FIRE: 1, RIGHT: 2, LEFT: 3}
    names = {FIRE: "controller button", RIGHT: "controller right", LEFT: "controller left"}
    presenter = RecordPresenter(
        tmp_path,
        Bindings(actions, names),
        controllers=lambda: pads,
        countdown_s=0,
        now=clock,
        settings=UnsavedSettings("Ada"),
    )
    pad = plug("PS5 Controller", *MODELS["PS5 Controller"])
    presenter.controls.listening = False  # another window has the keyboard
    pad.tap(START_BUTTON)
    presenter.poll()
    assert presenter.state is RecordState.IDLE
    presenter.controls.listening = True
    pad.tap(START_BUTTON)
    presenter.poll()
    wait_for(presenter, lambda: presenter.state is RecordState.RECORDING)
    play(presenter, clock, 5)
    pad.tap(DPAD_LEFT)  # shorter than a tick
    play(presenter, clock, 5)
    pad.press(START_BUTTON)
    presenter.poll()
    assert presenter.state is RecordState.PAUSED
    pad.release(START_BUTTON)
    pad.tap(A)  # no move, since the game waits
    play(presenter, clock, 5)
    pad.tap(DPAD_RIGHT)  # nor is this, right before it goes on
    pad.tap(START_BUTTON)
    presenter.poll()
    assert presenter.state is RecordState.RECORDING
    play(presenter, clock, 5)
    assert presenter.status is not None
    assert presenter.status.ticks == 15
    while presenter.state is RecordState.RECORDING:
        pad.tap(A)
        play(presenter, clock, 1)
    assert presenter.state is RecordState.GAME_OVER
    for button, label in ((DPAD_UP, "success"), (DPAD_DOWN, "failure"), (DPAD_DOWN, ""), (DPAD_UP, "success")):
        pad.tap(button)
        presenter.poll()
        assert presenter.status.label == label
    pad.tap(A)
    presenter.poll()
    assert presenter.state is RecordState.RECORDING
    play(presenter, clock, 5)
    presenter.stop()
    presenter.shutdown()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert session.actions[:15].tolist() == [0] * 5 + [3] + [0] * 9
    assert session.actions[-5:].tolist() == [0] * 5
    assert [episode.outcome for episode in session.episodes] == ["game over", "stopped"]
    assert [episode.label for episode in session.episodes] == ["success", ""]
    assert {session.key_names[code] for code in session.keys["code"]} == {names[FIRE], names[LEFT], names[RIGHT]}


def test_the_choice_of_a_controller_is_kept_and_without_one_any_steers(tmp_path: Path) -> None:
    file, spec = tmp_path / "keys.json", get_spec("breakout")
    for device in (Device("0300", "PS4 Controller"), NO_DEVICE, ANY_DEVICE):
        bindings = Bindings({65: 3}, {65: "A"}, device)
        save_bindings(file, bindings, spec)
        assert load_bindings(file, spec) == bindings
        assert bindings.unbound(65).bound(66, "B", 3).controller == device
    assert "controller" not in json.loads(file.read_text())  # as earlier versions wrote it


def test_each_environment_keeps_keys_of_its_own_and_takes_over_those_of_version_0_1(tmp_path: Path) -> None:
    file, spec = tmp_path / "keys.json", get_spec("breakout")
    earlier = {"version": 1, "keys": [{"code": 65, "name": "A", "action": "LEFT"}]}
    file.write_text(json.dumps(earlier))
    other = replace(spec, name="other")
    unlike = {"controls": {"UP": ()}, "mirror_actions": (), "serve_action": "", "start_moves": ()}
    upright = replace(spec, name="upright", action_names=("NOOP", "UP"), **unlike)
    first, second = Bindings({66: 3}, {66: "B"}), Bindings({67: 1}, {67: "C"})
    assert load_bindings(file, spec) == load_bindings(file, other) == Bindings({65: 3}, {65: "A"})
    assert load_bindings(file, upright) is None  # it has no LEFT
    save_bindings(file, first, spec)
    save_bindings(file, second, upright)
    assert (load_bindings(file, spec), load_bindings(file, upright)) == (first, second)
    assert json.loads(file.read_text())["keys"] == earlier["keys"]


def test_damaged_keys_of_one_environment_cost_the_others_nothing(tmp_path: Path) -> None:
    file, spec = tmp_path / "keys.json", get_spec("breakout")
    own = [{"code": 66, "name": "B", "action": "LEFT"}]
    file.write_text(json.dumps({"version": 1, "environments": {"breakout": own, "other": [{"code": "x"}]}}))
    assert load_bindings(file, spec) == Bindings({66: 3}, {66: "B"})
    with pytest.raises(BindingsError, match="has no usable keys"):
        load_bindings(file, replace(spec, name="other"))


def test_keys_of_a_newer_version_are_not_used_and_not_replaced(tmp_path: Path) -> None:
    file, spec = tmp_path / "keys.json", get_spec("breakout")
    newer = '{"version": 2, "keys": {"LEFT": "A"}}'
    file.write_text(newer)
    with pytest.raises(BindingsError, match=r"keys\.json .* a newer Twinplay wrote it .*; install a newer Twinplay$"):
        save_bindings(file, Bindings({66: 3}, {66: "B"}), spec)
    assert file.read_text() == newer
    with pytest.raises(BindingsError, match=r"default keys are used: a newer Twinplay wrote it .*; install a newer"):
        load_bindings(file, spec)


def test_fields_that_a_later_version_adds_to_the_keys_stay(tmp_path: Path) -> None:
    file, spec = tmp_path / "keys.json", get_spec("breakout")
    file.write_text(json.dumps({"version": 1, "keys": [], "mood": "calm", "environments": {"other": {"later": 1}}}))
    save_bindings(file, Bindings({66: 3}, {66: "B"}), spec)
    stored = json.loads(file.read_text())
    assert (stored["mood"], stored["environments"]["other"]) == ("calm", {"later": 1})
