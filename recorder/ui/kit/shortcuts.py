"""Keys that command: one table says what each does, and the help and the dialog of keys are made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

# Keys that act again and again while they are held; Del and Ctrl+Return, for instance, act once.
_REPEATED = ("-", "+", "=", ".", "Backspace", "Shift+Backspace", "Left", "Right", "Shift+Left", "Shift+Right")


class Shortcut(NamedTuple):
    """`keys` as Qt spells them, separated by spaces where several do the same; `does` is for the help."""

    keys: str
    does: str
    action: Callable[[], object]


def bind(owner: QWidget, shortcuts: Iterable[Shortcut], context: Qt.ShortcutContext) -> None:
    """Let these keys work in `owner`, or in its whole window, as the `context` says."""
    for each in shortcuts:
        for key in each.keys.split():
            made = QShortcut(QKeySequence(key), owner)
            made.setAutoRepeat(key in _REPEATED)
            made.setContext(context)
            made.activated.connect(each.action)


def taken_keys(shortcuts: Iterable[Shortcut]) -> dict[int, str]:
    """The keys that command without another one, by Qt's codes, with a text that follows the name of the key."""
    found = {}
    for each in shortcuts:
        for key in each.keys.split():
            pressed = QKeySequence(key)[0]  # type: ignore[index]  # the stubs of PySide6 lack it
            if pressed.keyboardModifiers() == Qt.KeyboardModifier.NoModifier:
                found[int(pressed.key())] = f"is taken: {each.does[:1].lower()}{each.does[1:]}"
    return found
