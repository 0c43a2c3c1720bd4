"""Game controllers, through pygame: the D-pad or stick steers, buttons and triggers fire, Start begins and pauses, Back
(Select, Share) ends a take. Where something is bound to GAS or BRAKE, the triggers are these instead.

    SDL's controller mapping ─┐ (which knows each model's buttons: those of PS4, PS5, Switch Pro …)
                              ├─▶ inputs held, by device ─▶ poll(): codes that went down or up
    raw joystick, else       ─┘

Controllers may be connected and removed at any time. Input is read as events, so a tap between two polls counts.
Without a controller, a poll takes a few microseconds.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

# Key codes of controller inputs; a keyboard's are positive. START and BACK play no action.
FIRE, RIGHT, LEFT, START, UP, DOWN, BACK, BRAKE, GAS = -1, -2, -3, -4, -5, -6, -7, -8, -9
NAMES = {
    FIRE: "controller button",
    RIGHT: "controller right",
    LEFT: "controller left",
    UP: "controller up",
    DOWN: "controller down",
    BRAKE: "controller left trigger",
    GAS: "controller right trigger",
}
_DEAD_ZONE = 0.4  # of a stick's travel, until it counts as a key; worn sticks rest at up to 0.2
_LET_GO = 0.3  # lower than the dead zone, or a trembling hand at its edge would press many times
_AT_REST, _AT_STOP = 0.2, 0.95  # of its travel, where it leans: from nothing to all the way, evenly
_FULL_TRAVEL = 32_767
_RAW_AXES = {0: (LEFT, RIGHT), 1: (UP, DOWN)}
_RAW_COMMANDS = {
    8: BACK,
    9: START,
}  # of joysticks that SDL does not know, with ten buttons or more: most have them here


class Device(msgspec.Struct, frozen=True):
    """A controller that is plugged in. `id` tells models apart, and two of one model by the order they came in."""

    id: str
    name: str


# Choices besides the connected controllers.
ANY_DEVICE, NO_DEVICE = Device("any", "Any controller"), Device("off", "Off")


@dataclass
class _Pad:
    device: Device
    handle: Any  # pygame's Controller or Joystick; it closes when dropped
    mapped: bool
    buttons: int


class Gamepads:
    """All connected controllers together, or only the one chosen with `use`."""

    def __init__(self) -> None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        os.environ["SDL_VIDEODRIVER"] = "dummy"  # pygame needs a display to pump events; Qt owns the real one
        os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")  # or SDL would swallow Ctrl-C and SIGTERM
        import pygame
        from pygame._sdl2 import controller

        self._pygame: Any = pygame
        self._controller: Any = controller
        pygame.display.init()
        pygame.joystick.init()
        controller.init()
        self._pads: dict[int, _Pad] = {}  # by SDL's instance number
        self._held: dict[tuple[int, str], int] = {}  # (instance, input) -> code
        self._leaning: dict[tuple[int, str], tuple[int, float]] = {}  # (instance, input) -> code, how far
        self._changes: list[tuple[int, bool]] = []
        self._used = ANY_DEVICE
        self._trigger_codes = (FIRE, FIRE)  # left, right
        ways = {"LEFT": LEFT, "RIGHT": RIGHT, "UP": UP, "DOWN": DOWN}
        fire = ("A", "B", "X", "Y", "LEFTSHOULDER", "RIGHTSHOULDER", "LEFTSTICK", "RIGHTSTICK")
        self._codes = {getattr(pygame, f"CONTROLLER_BUTTON_{name}"): FIRE for name in fire}
        self._codes |= {getattr(pygame, f"CONTROLLER_BUTTON_DPAD_{name}"): code for name, code in ways.items()}
        self._codes |= {pygame.CONTROLLER_BUTTON_START: START, pygame.CONTROLLER_BUTTON_BACK: BACK}
        self._triggers = (pygame.CONTROLLER_AXIS_TRIGGERLEFT, pygame.CONTROLLER_AXIS_TRIGGERRIGHT)
        self._readers: dict[int, Callable[[Any], None]] = {
            pygame.CONTROLLERDEVICEADDED: self._add_mapped,
            pygame.JOYDEVICEADDED: self._add_raw,
            pygame.CONTROLLERDEVICEREMOVED: self._remove,
            pygame.JOYDEVICEREMOVED: self._remove,
            pygame.CONTROLLERBUTTONDOWN: lambda event: self._button(event, True),
            pygame.CONTROLLERBUTTONUP: lambda event: self._button(event, False),
            pygame.CONTROLLERAXISMOTION: self._axis,
            pygame.JOYBUTTONDOWN: lambda event: self._raw_button(event, True),
            pygame.JOYBUTTONUP: lambda event: self._raw_button(event, False),
            pygame.JOYAXISMOTION: self._raw_axis,
            pygame.JOYHATMOTION: self._raw_hat,
        }

    @property
    def devices(self) -> tuple[Device, ...]:
        """The connected controllers in order of connection, as of the last `poll`."""
        return tuple(pad.device for pad in self._pads.values())

    @property
    def leans(self) -> dict[int, float]:
        """How far sticks and triggers lean, by their codes: above 0, up to 1. What a button holds, too, is left out."""
        found: dict[int, float] = {}
        for code, far in self._leaning.values():
            found[code] = max(far, found.get(code, 0.0))
        for source, code in self._held.items():
            if source not in self._leaning:
                found.pop(code, None)
        return found

    def use(self, device: Device, *, pedals: bool = False) -> None:
        """Use this device from now on, or ANY_DEVICE, or NO_DEVICE. Inputs held on the others are released.

        With `pedals`, the triggers are BRAKE (left) and GAS (right) instead of FIRE.
        """
        self._used, self._trigger_codes = device, (BRAKE, GAS) if pedals else (FIRE, FIRE)
        for instance in list(self._pads):
            if not self._counts(instance):
                self._let_go(instance)

    def poll(self) -> list[tuple[int, bool]]:
        """The changes since the last call, in order: (code, down) pairs."""
        for event in self._pygame.event.get():
            reader = self._readers.get(event.type)
            if reader is not None:
                reader(event)
        changes, self._changes = self._changes, []
        return changes

    def close(self) -> None:
        """Release the controllers."""
        self._pads.clear()
        self._controller.quit()
        self._pygame.joystick.quit()
        self._pygame.display.quit()

    def _add_mapped(self, event: Any) -> None:
        with contextlib.suppress(self._pygame.error):  # it was removed meanwhile
            pad = self._controller.Controller(event.device_index)
            self._add(pad.as_joystick(), pad, mapped=True)

    def _add_raw(self, event: Any) -> None:
        with contextlib.suppress(self._pygame.error):
            if not self._controller.is_controller(event.device_index):
                joystick = self._pygame.joystick.Joystick(event.device_index)
                self._add(joystick, joystick, mapped=False)

    def _add(self, joystick: Any, handle: Any, *, mapped: bool) -> None:
        model, taken = joystick.get_guid(), {device.id for device in self.devices}
        ids = (model if count == 1 else f"{model}#{count}" for count in range(1, len(taken) + 2))
        device = Device(next(each for each in ids if each not in taken), joystick.get_name())
        self._pads.setdefault(joystick.get_instance_id(), _Pad(device, handle, mapped, joystick.get_numbuttons()))

    def _remove(self, event: Any) -> None:
        self._pads.pop(event.instance_id, None)
        self._let_go(event.instance_id)

    def _button(self, event: Any, down: bool) -> None:
        code = self._codes.get(event.button)
        if self._is(event, mapped=True) and code is not None:
            self._hold(event.instance_id, f"button {event.button}", code if down else None)

    def _axis(self, event: Any) -> None:
        if not self._is(event, mapped=True):
            return
        value = event.value / _FULL_TRAVEL
        if event.axis == self._pygame.CONTROLLER_AXIS_LEFTX:
            self._lean(event.instance_id, "stick", value, (LEFT, RIGHT))
        elif event.axis == self._pygame.CONTROLLER_AXIS_LEFTY:
            self._lean(event.instance_id, "stick, upright", value, (UP, DOWN))
        elif event.axis in self._triggers:
            code = self._trigger_codes[self._triggers.index(event.axis)]
            self._lean(event.instance_id, f"trigger {event.axis}", max(0.0, value), (code, code))

    def _raw_button(self, event: Any, down: bool) -> None:
        if self._is(event, mapped=False):
            commands = _RAW_COMMANDS if self._pads[event.instance_id].buttons > max(_RAW_COMMANDS) else {}
            code = commands.get(event.button, FIRE)
            self._hold(event.instance_id, f"button {event.button}", code if down else None)

    def _raw_axis(self, event: Any) -> None:
        if self._is(event, mapped=False) and event.axis in _RAW_AXES:
            self._lean(event.instance_id, f"stick {event.axis}", event.value, _RAW_AXES[event.axis])

    def _raw_hat(self, event: Any) -> None:
        if self._is(event, mapped=False):
            self._lean(event.instance_id, f"hat {event.hat}", event.value[0], (LEFT, RIGHT))
            self._lean(event.instance_id, f"hat {event.hat}, upright", event.value[1], (DOWN, UP))

    def _is(self, event: Any, *, mapped: bool) -> bool:
        """Whether the event's device is read in this mode; a mapped device also sends raw events."""
        pad = self._pads.get(event.instance_id)
        return pad is not None and pad.mapped == mapped and self._counts(event.instance_id)

    def _counts(self, instance: int) -> bool:
        used = self._used.id
        return used == ANY_DEVICE.id or (instance in self._pads and self._pads[instance].device.id == used)

    def _lean(self, instance: int, source: str, value: float, ways: tuple[int, int]) -> None:
        """A stick or trigger is at `value`, from -1 to 1; `ways` are the codes of its two directions."""
        code = ways[value > 0]
        held = self._held.get((instance, source)) == code
        self._hold(instance, source, code if abs(value) > (_LET_GO if held else _DEAD_ZONE) else None)
        far = (abs(value) - _AT_REST) / (_AT_STOP - _AT_REST)
        if far > 0:
            self._leaning[(instance, source)] = code, min(far, 1.0)
        else:
            self._leaning.pop((instance, source), None)

    def _let_go(self, instance: int) -> None:
        """Nothing is held on this device any more."""
        for source in [source for each, source in (*self._held, *self._leaning) if each == instance]:
            self._hold(instance, source, None)
            self._leaning.pop((instance, source), None)

    def _hold(self, instance: int, source: str, code: int | None) -> None:
        before = self._held.pop((instance, source), None)
        if before not in (None, code) and before not in self._held.values():
            self._changes.append((before, False))
        if code is not None:
            if code != before and code not in self._held.values():
                self._changes.append((code, True))
            self._held[(instance, source)] = code
