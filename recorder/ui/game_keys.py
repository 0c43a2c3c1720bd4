"""The keys that play: which do by default, which are taken by something else, and which are down now."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from recorder.agents.bindings import Bindings, BindingsError
from recorder.agents.gamepad import BRAKE, DOWN, FIRE, GAS, LEFT, NAMES, RIGHT, UP
from recorder.agents.keyboard import BY_CODE, BY_NAME
from recorder.envs.spec import EnvSpec
from recorder.ui.kit.keys import key_name, physical

# X11 repeats a held key as release and press of one server time. Qt only recognises the pair when both have arrived;
# otherwise the release looks real, so a release counts once its twin had this long to show up.
_REPEAT_GAP_NS = 6_000_000
# Keys that mean the same on every layout, by their W3C names; of the others, bindings store the place.
_EVERYWHERE = {
    "ArrowLeft": Qt.Key.Key_Left,
    "ArrowRight": Qt.Key.Key_Right,
    "ArrowUp": Qt.Key.Key_Up,
    "ArrowDown": Qt.Key.Key_Down,
    "Space": Qt.Key.Key_Space,
    "ControlLeft": Qt.Key.Key_Control,
    "ShiftLeft": Qt.Key.Key_Shift,
}
# A controller's inputs, by the names of controls and, for controls with other names, by their keys.
_PADS = {"FIRE": FIRE, "RIGHT": RIGHT, "LEFT": LEFT, "UP": UP, "DOWN": DOWN, "GAS": GAS, "BRAKE": BRAKE}
_PADS_BY_KEY = {"ArrowLeft": LEFT, "ArrowRight": RIGHT, "ArrowUp": UP, "ArrowDown": DOWN, "Space": FIRE}
_PEDALS = {UP: GAS, DOWN: BRAKE}
# Keys that do something on every page, and those of Qt itself.
RESERVED = {
    Qt.Key.Key_F1: "shows the keys",
    Qt.Key.Key_F10: "opens the menu",
    Qt.Key.Key_Tab: "moves between buttons",
    Qt.Key.Key_Backtab: "moves between buttons",
    Qt.Key.Key_Return: "starts the next game",
    Qt.Key.Key_Enter: "starts the next game",
}


def usual(spec: EnvSpec) -> Bindings:
    """The keys that play an environment by default, as its spec says, and a controller's inputs.

    Raises BindingsError for a key that has no such name.
    """
    actions, names = {}, {}
    for control, keys in spec.controls.items():
        for key in keys:
            if key not in _EVERYWHERE and key not in BY_NAME:
                raise BindingsError(
                    f"{spec.title}: no key is called {key!r}; use names such as ArrowLeft, Space or KeyA "
                    "(docs/environments.md)"
                )
            code = int(_EVERYWHERE[key]) if key in _EVERYWHERE else BY_NAME[key].code
            actions[code] = spec.control_names.index(control)
            names[code] = BY_CODE[code].text if code in BY_CODE else key_name(code)
    pads = _pads(spec)
    return Bindings(actions | pads, names | {code: NAMES[code] for code in pads})


def _pads(spec: EnvSpec) -> dict[int, int]:
    """A controller's inputs, and what they play: controls of the same names, others by the directions of their keys.

    The triggers of continuous actions are the pedals of what UP and DOWN play, if they have nothing to fire.
    """
    index = spec.control_names.index
    pads = {_PADS[control]: index(control) for control in spec.controls if control in _PADS}
    for control, keys in spec.controls.items():
        if control not in _PADS:
            pads = {_PADS_BY_KEY[key]: index(control) for key in keys if key in _PADS_BY_KEY} | pads
    if spec.held and FIRE not in pads:
        pads = {pedal: pads[way] for way, pedal in _PEDALS.items() if way in pads} | pads
    return pads


def rows(spec: EnvSpec) -> tuple[tuple[int, str], ...]:
    """What a person holds down, as (action, name), in the order in which they lie below the game."""
    return tuple((spec.control_names.index(control), control) for control in spec.controls)


class HeldKeys:
    """The keys that are down, by the keys themselves: what one means may change between its press and its release.

    `release` is told the code that a key played by, and how many nanoseconds ago it went up. `is_down` tells whether a
    key is down at the moment, as far as that is to be had.
    """

    def __init__(self, release: Callable[[int, int], object], is_down: Callable[[int], bool]) -> None:
        self._release, self._is_down = release, is_down
        self._down: dict[int, int] = {}  # key -> the code that it plays by
        self._lifted: dict[int, tuple[int, int]] = {}  # key -> (event's own time in ms, monotonic ns)

    def is_repeat(self, event: QKeyEvent) -> bool:
        """Whether a press is only the repeat of one; otherwise an earlier release of the key was a real one."""
        key = physical(event)
        lifted = self._lifted.pop(key, None)
        if event.isAutoRepeat() or (lifted is not None and event.timestamp() - lifted[0] <= 1):
            return True
        if lifted is None:
            return key in self._down  # repeated with another meaning
        self._settle(key, lifted[1])
        return False

    def press(self, event: QKeyEvent, code: int) -> None:
        """A key went down that plays by `code`."""
        self._down[physical(event)] = code

    def release(self, event: QKeyEvent) -> bool:
        """A key went up; returns whether it is one that was pressed. `settle` tells when the release is a real one."""
        key = physical(event)
        if key in self._down:
            self._lifted[key] = (event.timestamp(), time.monotonic_ns())
        return key in self._down

    @property
    def unsettled(self) -> bool:
        """Whether a release waits for `settle`."""
        return bool(self._lifted)

    def settle(self, after_ns: int = _REPEAT_GAP_NS) -> bool:
        """Take releases that are so old for real ones; returns whether there were any."""
        now = time.monotonic_ns()
        old = {key: since for key, (_, since) in self._lifted.items() if now - since >= after_ns}
        due = {key: since for key, since in old.items() if not self._is_down(key)}  # its twin may come even later
        for key, since in due.items():
            del self._lifted[key]
            self._settle(key, since)
        return bool(due)

    def forget(self) -> None:
        """No key is down any more, as far as is known."""
        self._down.clear()
        self._lifted.clear()

    def _settle(self, key: int, lifted_ns: int) -> None:
        code = self._down.pop(key)
        if code not in self._down.values():  # another key may play by the same code
            self._release(code, time.monotonic_ns() - lifted_ns)
