"""A controller's stick and triggers steer continuous actions by how far they lean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from recorder import Session
from recorder.agents.agent import KeyAgent
from recorder.agents.gamepad import ANY_DEVICE, BRAKE, DOWN, FIRE, GAS, LEFT, RIGHT, UP, Gamepads
from recorder.envs.registry import get_spec
from recorder.library.verify import verify
from recorder.recording.presenter import RecordPresenter
from recorder.recording.settings import UnsavedSettings
from recorder.recording.take_control import RecordState
from recorder.ui.game_keys import usual
from tests.recorder.fake_clock import FakeClock
from tests.recorder.test_controllers import MODELS, Plug
from tests.recorder.test_controllers import pads as pads
from tests.recorder.test_controllers import plug as plug
from tests.recorder.virtual_pad import DPAD_RIGHT, STICK, STICK_DOWN, TRIGGER, VirtualPad

TICK_NS = 33_333_334
LEFT_TRIGGER = TRIGGER - 1


@pytest.fixture
def pad(plug: Plug) -> VirtualPad:
    return plug("PS5 Controller", *MODELS["PS5 Controller"])


def test_a_stick_leans_from_its_dead_zone_to_its_stop(pads: Gamepads, pad: VirtualPad) -> None:
    for value, leans in (
        (0.19, {}),
        (0.35, {RIGHT: 0.2}),
        (0.575, {RIGHT: 0.5}),
        (0.96, {RIGHT: 1.0}),
        (-0.575, {LEFT: 0.5}),
        (0.0, {}),
    ):
        pad.lean(STICK, value)
        pads.poll()
        assert pads.leans == pytest.approx(leans, abs=1e-3), value
    pad.lean(STICK, 0.575)
    pad.lean(STICK_DOWN, -0.575)
    pads.poll()
    assert pads.leans == pytest.approx({RIGHT: 0.5, UP: 0.5}, abs=1e-3)
    pad.press(DPAD_RIGHT)  # a button is pressed all the way
    pads.poll()
    assert pads.leans == pytest.approx({UP: 0.5}, abs=1e-3)
    pad.unplug()
    pads.poll()
    assert pads.leans == {}


def test_triggers_fire_or_are_the_pedals(pads: Gamepads, pad: VirtualPad) -> None:
    for pedals, codes in ((False, (FIRE, FIRE)), (True, (BRAKE, GAS))):
        pads.use(ANY_DEVICE, pedals=pedals)
        for axis, code in zip((LEFT_TRIGGER, TRIGGER), codes, strict=True):
            pad.lean(axis, 0.15)  # of its travel from -1 to 1
            assert pads.poll() == [(code, True)]
            assert pads.leans == pytest.approx({code: 0.5}, abs=1e-3)
            pad.lean(axis, -1.0)
            assert pads.poll() == [(code, False)]


def test_each_control_counts_in_the_share_in_which_its_inputs_lean() -> None:
    agent = KeyAgent({1: 1, RIGHT: 1, LEFT: 2, GAS: 3}, vectors={1: (1.0, 0.0), 2: (-1.0, 0.0), 3: (0.0, 0.5)})
    agent.leans = {RIGHT: 0.25, GAS: 0.5, FIRE: 1.0}  # nothing is bound to the last
    assert agent.pressing
    assert agent.held_actions == {1, 3}
    action = agent.act()
    assert (action.tolist(), action.dtype) == ([0.25, 0.25], np.dtype("float32"))
    agent.press(1, 0)
    assert agent.act().tolist() == [1.0, 0.25]
    agent.leans = {LEFT: 0.5}
    assert agent.act().tolist() == [0.5, 0.0]
    agent.release_all(0)
    assert not agent.pressing
    assert agent.act().tolist() == [0.0, 0.0]


def test_a_slight_lean_is_no_key_of_discrete_actions() -> None:
    agent = KeyAgent({RIGHT: 2}, leans={RIGHT: 0.2})
    assert not agent.pressing
    assert not agent.held_actions
    assert agent.act() == 0


def test_controls_of_any_name_lie_on_the_controller_as_their_keys_do_on_the_keyboard() -> None:
    controls = {"PORT": ("ArrowLeft", "KeyA"), "STARBOARD": ("ArrowRight",), "GO": ("ArrowUp",), "STOP": ("ArrowDown",)}
    car = replace(
        get_spec("pendulum"),
        action_names=("steering", "gas", "brake"),
        action_shape=(3,),
        controls=controls,
        held={"PORT": (-1, 0, 0), "STARBOARD": (1, 0, 0), "GO": (0, 1, 0), "STOP": (0, 0, 1)},
    )
    inputs = {code: car.control_names[played] for code, played in usual(car).actions.items() if code < 0}
    steering = {LEFT: "PORT", RIGHT: "STARBOARD", UP: "GO", DOWN: "STOP"}
    assert inputs == steering | {GAS: "GO", BRAKE: "STOP"}
    shooting = replace(car, controls=controls | {"SHOOT": ("Space",)}, held=car.held | {"SHOOT": (0, 1, 0)})
    inputs = {code: shooting.control_names[played] for code, played in usual(shooting).actions.items() if code < 0}
    assert inputs == steering | {FIRE: "SHOOT"}
    pong = usual(get_spec("pong")).actions  # its keys are upright, and its names lie across
    assert not {UP, DOWN, GAS, BRAKE} & pong.keys()


def test_a_stick_steers_and_what_it_did_is_recorded(tmp_path: Path, pads: Gamepads, pad: VirtualPad) -> None:
    clock = FakeClock()
    presenter = RecordPresenter(
        tmp_path,
        settings=UnsavedSettings("Ada"),
        usual_keys=usual,
        controllers=lambda: pads,
        countdown_s=0,
        now=clock,
    )
    presenter.choose("mountain_car")
    presenter.start()
    for value in (0.0, 0.35, 0.575, 1.0, -0.575):
        pad.lean(STICK, value)
        clock.now += TICK_NS
        presenter.poll()
    presenter.controls.listening = False  # a menu opens: what is held stays so until it is let go
    for value in (-0.35, 0.0, 1.0):
        pad.lean(STICK, value)
        clock.now += TICK_NS
        presenter.poll()
    presenter.stop()
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert session.actions.dtype == np.float32
    assert session.actions[:].ravel() == pytest.approx([0.0, 0.2, 0.5, 1.0, -0.5, -0.2, 0.0, 0.0], abs=1e-3)
    assert [session.key_names[code] for code in session.keys["code"]] == [
        "controller right",
        "controller right",
        "controller left",
        "controller left",
    ]
    assert verify(session).ok
    presenter.shutdown()


def test_step_by_step_the_game_goes_on_while_the_stick_leans(tmp_path: Path, pads: Gamepads, pad: VirtualPad) -> None:
    clock = FakeClock()
    presenter = RecordPresenter(
        tmp_path, settings=UnsavedSettings("Ada"), usual_keys=usual, controllers=lambda: pads, countdown_s=0, now=clock
    )
    presenter.choose("pendulum")
    presenter.pace.choose(10.0)
    presenter.start()
    for value, ticks in ((0.0, 0), (0.25, 10), (0.0, 10)):  # too slight for a key
        pad.lean(STICK, value)
        for _ in range(100):
            clock.now += 10_000_000
            presenter.poll()
        assert presenter.status is not None
        assert presenter.status.ticks == ticks
    assert presenter.state is RecordState.RECORDING
    presenter.shutdown()
