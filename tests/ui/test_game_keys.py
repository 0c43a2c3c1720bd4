"""Which keys are down: real releases, and those that are half of a held key's repeat."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from player.ui.dialogs import ShortcutsDialog
from recorder.agents.bindings import Bindings, BindingsError
from recorder.agents.keyboard import BY_NAME, PLACES, place_at, x11_keycode
from recorder.envs.registry import get_spec
from recorder.ui.game_keys import HeldKeys, usual
from recorder.ui.keys_dialog import KeysDialog
from recorder.ui.kit.keys import Keyboard, key_name, shortcut_key
from tests.ui.xkeyboard import XKeyboard

CODE, KEYCODE = 7, 38


class Hands:
    """HeldKeys, and what a server would say of the key."""

    def __init__(self) -> None:
        self.down = True
        self.released: list[int] = []
        self.held = HeldKeys(lambda code, ago_ns: self.released.append(code), lambda key: self.down)

    def press(self, time_ms: int) -> bool:
        """A press arrives; returns whether it was taken for a new one."""
        event = _event(QEvent.Type.KeyPress, time_ms)
        fresh = not self.held.is_repeat(event)
        if fresh:
            self.held.press(event, CODE)
        return fresh

    def release(self, time_ms: int) -> None:
        assert self.held.release(_event(QEvent.Type.KeyRelease, time_ms))


def _event(kind: QEvent.Type, time_ms: int) -> QKeyEvent:
    event = QKeyEvent(kind, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, KEYCODE, 0, 0, "a")
    event.setTimestamp(time_ms)
    return event


def test_half_of_a_repeat_is_no_release_however_late_its_other_half_comes() -> None:
    hands = Hands()
    assert hands.press(100)
    hands.release(600)
    assert not hands.held.settle(0)  # later than the other half should have come
    assert not hands.press(600)
    hands.down = False
    hands.release(700)
    assert hands.held.settle(0)
    assert hands.released == [CODE]


def test_a_key_pressed_again_at_once_was_released_in_between() -> None:
    hands = Hands()
    assert hands.press(100)
    hands.release(150)
    assert not hands.held.settle(0)  # it is down again already
    assert hands.press(154)
    assert hands.released == [CODE]


def test_the_server_is_asked_which_keys_are_down(screen: str) -> None:
    QApplication.instance() or QApplication([])
    board, keyboard = XKeyboard(screen), Keyboard()
    keyboard.open()
    board.down("A")
    assert keyboard.is_down(KEYCODE)
    board.up("A")
    assert not keyboard.is_down(KEYCODE)
    assert keyboard.name(BY_NAME["KeyA"].code) == "A"
    keyboard.close()
    assert not keyboard.is_down(KEYCODE)
    board.close()


def test_where_the_platform_tells_nothing_keys_that_are_pressed_do() -> None:
    QApplication.instance() or QApplication([])
    assert QGuiApplication.platformName() == "xcb"
    keyboard, code = Keyboard(), BY_NAME["KeyA"].code
    news: list[str] = []
    keyboard.changed.connect(lambda: news.append(keyboard.name(code)))
    assert keyboard.name(code) == "A"
    event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Q, Qt.KeyboardModifier.NoModifier, KEYCODE, 0, 0, "q")
    keyboard.learn(event)
    keyboard.learn(event)
    assert news == ["Q"]
    assert keyboard.name(BY_NAME["Numpad4"].code) == "Num4"
    assert keyboard.name(int(Qt.Key.Key_Left)) == "Left"
    assert key_name(int(Qt.Key.Key_Control)) == "Ctrl"


def test_signs_on_keys_are_shown_as_they_are() -> None:
    QApplication.instance() or QApplication([])
    bindings = Bindings({ord("&"): 3, ord("<"): 3}, {ord("&"): "&", ord("<"): "<"})
    chosen = KeysDialog(bindings, bindings, [(3, "LEFT")], {}, Keyboard(), tuple)
    texts = [button.text() for button in chosen.findChildren(QPushButton)]
    assert {"&&   ✕", "<   ✕"} <= set(texts)
    listed = ShortcutsDialog({"record": (("& <", "Move left"),)})
    assert "<b>&amp; or &lt;</b>" in [label.text() for label in listed.findChildren(QLabel)]
    for dialog in (chosen, listed):
        dialog.deleteLater()


def test_a_shortcut_is_a_latin_letter_or_digit_on_every_layout() -> None:
    def meaning(key: int, keycode: int, text: str, *, ctrl: bool = False) -> int:
        modifiers = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
        return shortcut_key(QKeyEvent(QEvent.Type.KeyPress, key, modifiers, keycode, 0, 0, text))

    assert meaning(0x41F, 42, "п") == Qt.Key.Key_G  # Russian
    assert meaning(0x3A0, 33, "π") == Qt.Key.Key_P  # Greek
    assert meaning(Qt.Key.Key_Ampersand, 10, "&", ctrl=True) == Qt.Key.Key_1  # French
    assert meaning(Qt.Key.Key_Ampersand, 10, "&") == Qt.Key.Key_Ampersand
    assert meaning(Qt.Key.Key_Y, 52, "y") == Qt.Key.Key_Y  # German: where US keyboards have Z
    assert meaning(Qt.Key.Key_Left, 113, "") == Qt.Key.Key_Left
    assert meaning(Qt.Key.Key_Left, 83, "") == Qt.Key.Key_Left  # of the keypad


def test_no_two_places_share_a_number_on_any_platform() -> None:
    for numbers in (
        [place.code for place in PLACES],
        [place.evdev for place in PLACES],
        [place.windows for place in PLACES],
        [place.mac for place in PLACES],
    ):
        assert len(set(numbers)) == len(PLACES)
    a = BY_NAME["KeyA"]
    assert (x11_keycode(a), a.code) == (38, 2**30 + 4)
    for platform, number in (("xcb", 38), ("wayland", 38), ("wayland-egl", 38), ("windows", 0x1E), ("cocoa", 0)):
        assert place_at(platform, number) is a
    assert place_at("offscreen", 38) is None
    assert place_at("xcb", 65) is None  # Space means the same everywhere


def test_a_key_that_there_is_not_is_named() -> None:
    spec = replace(get_spec("breakout"), controls={"LEFT": ("ArrowLeft", "LeftArrow")})
    with pytest.raises(BindingsError, match="no key is called 'LeftArrow'"):
        usual(spec)
