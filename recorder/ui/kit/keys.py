"""Keys as Qt's events tell them: which one it is, where it lies, what is printed on it, and which shortcut it means."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from PySide6.QtCore import QObject, QSocketNotifier, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence

from recorder.agents.keyboard import BY_CODE, Place, place_at
from recorder.agents.x11_keyboard import X11Keyboard, open_keyboard

_WITHOUT_NUMBER = 1 << 32  # sets apart keys that are told by their meaning only
_GLYPHS = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}
_MODIFIERS = {int(Qt.Key.Key_Shift): "Shift", int(Qt.Key.Key_Control): "Ctrl", int(Qt.Key.Key_Alt): "Alt"}
_COMMANDING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_LATIN_1, _NOT_A_LETTER = 0xFF, int(Qt.Key.Key_Escape)  # Qt's codes between them are letters of other scripts


def physical(event: QKeyEvent) -> int:
    """The platform's own number of the key: the same at its press and at its release.

    What a key means may change while it is held: with Shift, NumLock, AltGr or another layout.
    """
    number = _number(event)
    return _WITHOUT_NUMBER + int(event.key()) if number is None else number


def place_of(event: QKeyEvent) -> Place | None:
    """Where the key lies, if it is one whose meaning depends on the layout or NumLock and the platform tells it."""
    number = _number(event)
    return None if number is None else place_at(QGuiApplication.platformName(), number)


def codes(event: QKeyEvent) -> tuple[int, ...]:
    """The codes that bindings may know the key by: its place first, then what it means, then what it means as Latin."""
    place = place_of(event)
    meanings = (int(event.key()), shortcut_key(event))
    return tuple(dict.fromkeys(meanings if place is None else (place.code, *meanings)))


def shortcut_key(event: QKeyEvent) -> int:
    """Qt's code of the key for shortcuts, which are Latin letters, digits and signs on every layout.

    Where a layout has none of them on the key, the US layout counts: its letters for those of other scripts, and, with
    Ctrl or the like, its digits where digits need Shift.
    """
    key, place = int(event.key()), place_of(event)
    if place is None or place.on_keypad:
        return key
    foreign = _LATIN_1 < key < _NOT_A_LETTER
    digit = place.text.isdigit() and bool(event.modifiers() & _COMMANDING) and not ord("0") <= key <= ord("9")
    return ord(place.text) if foreign or digit else key


def is_command(event: QKeyEvent) -> bool:
    """Whether the key is pressed with Ctrl, Alt or Meta."""
    return bool(event.modifiers() & _COMMANDING)


def key_name(key: int) -> str:
    """What Qt calls a key, by its own code."""
    return _MODIFIERS.get(key) or QKeySequence(key).toString()


def key_label(name: str) -> str:
    """A key's name as it is shown."""
    return _GLYPHS.get(name, name)


class Keyboard(QObject):
    """What the platform tells of the keyboard: what is printed on the keys, and which are down.

    `changed` says that something else is printed from now on. Until it is known, from the platform or from what was
    pressed, the US layout stands in.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._x11: X11Keyboard | None = None
        self._printed: dict[int, str] = {}
        self._notifier: QSocketNotifier | None = None

    def open(self) -> None:
        """Ask the platform, from now on, where it tells."""
        if self._x11 is not None:
            return
        self._x11 = open_keyboard(QGuiApplication.platformName())
        if self._x11 is not None:
            self._show(self._x11.labels())
            self._notifier = QSocketNotifier(self._x11.descriptor, QSocketNotifier.Type.Read, self)
            self._notifier.activated.connect(self._look)
            self._look()

    def close(self) -> None:
        """Ask no more."""
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier = None
        if self._x11 is not None:
            self._x11.close()
            self._x11 = None

    def is_down(self, key: int) -> bool:
        """Whether a key (see `physical`) is down at this moment; where the platform does not tell, none is."""
        return self._x11 is not None and self._x11.is_down(key)

    def learn(self, event: QKeyEvent) -> None:
        """Where the platform does not tell: what a key that is pressed alone writes is what is printed on it."""
        place, text = place_of(event), event.text().upper()
        if self._x11 is None and place is not None and not place.on_keypad and len(text) == 1:
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier and text.isprintable() and not text.isspace()
            if plain and self._printed.get(place.code) != text:
                self._show({**self._printed, place.code: text})

    def name(self, code: int, otherwise: str = "") -> str:
        """What is printed on a key; for one that is no place, `otherwise` or what Qt calls it."""
        place = BY_CODE.get(code)
        if place is None:
            return otherwise or key_name(code)
        return f"Num{place.text}" if place.on_keypad else self._printed.get(code, place.text)

    def names(self, known: Mapping[int, str]) -> dict[int, str]:
        """These names, as they are printed at the moment."""
        return {code: self.name(code, name) for code, name in known.items()}

    def _look(self) -> None:
        assert self._x11 is not None
        with contextlib.suppress(OSError):
            while self._x11.changed():
                self._show(self._x11.labels())
            return
        self.close()  # the X server has gone; so will Qt

    def _show(self, printed: dict[int, str]) -> None:
        if printed != self._printed:
            self._printed = printed
            self.changed.emit()


def _number(event: QKeyEvent) -> int | None:
    # macOS has no scan codes, but its virtual key codes are places already, from 0 on.
    return event.nativeVirtualKey() if QGuiApplication.platformName() == "cocoa" else event.nativeScanCode() or None
