"""No button that deletes gets the keyboard by itself.

Qt passes the keyboard on from a button that is disabled or hidden to the next one. If that one deletes, the next press
of Space would delete.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QApplication, QPushButton, QWidget

_DELETES = "deletes"


def deletes(button: QPushButton) -> QPushButton:
    """Mark a button as one that deletes something; returns it."""
    button.setProperty(_DELETES, True)
    return button


def guard_focus(root: QWidget, take_keyboard: Callable[[], None]) -> None:
    """Whenever Qt would pass the keyboard on to a button in `root` that deletes, call `take_keyboard` instead."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)

    def changed(before: QWidget | None, now: QWidget | None) -> None:
        if before is None or now is None or not now.property(_DELETES) or not root.isAncestorOf(now):
            return
        if not before.isEnabled() or not before.isVisible():
            take_keyboard()

    app.focusChanged.connect(changed)
    root.destroyed.connect(lambda: app.focusChanged.disconnect(changed))
