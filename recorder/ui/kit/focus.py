"""No button that deletes gets the keyboard by itself, and no page loses it.

Qt passes the keyboard on from a button that is disabled or hidden to the next one. If that one deletes, the next press
of Space would delete; if it is outside the page, the page's keys, such as Ctrl+Z, would no longer work.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

_DELETES = "deletes"


def deletes(button: QPushButton) -> QPushButton:
    """Mark a button as one that deletes something; returns it. A click does not give it the keyboard."""
    button.setProperty(_DELETES, True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def guard_focus(root: QWidget, take_keyboard: Callable[[], None]) -> None:
    """Whenever Qt would pass the keyboard on to a button in `root` that deletes, or out of it, call `take_keyboard`."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)

    def changed(before: QWidget | None, now: QWidget | None) -> None:
        if before is None or not root.isVisible() or (before.isEnabled() and before.isVisible()):
            return
        if now is not None and root.isAncestorOf(now):
            taken = bool(now.property(_DELETES))
        else:
            taken = root.isAncestorOf(before)
        if taken:
            take_keyboard()

    app.focusChanged.connect(changed)
    root.destroyed.connect(lambda: app.focusChanged.disconnect(changed))
