"""A double click on a button presses it once.

Qt delivers the second press of a double click like any other: it would queue a second run, delete the next session, or
press whatever has taken the place of the button.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWindow
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton, QWidget

_REPEATS = "repeats"
_SAME_PLACE = 10  # pixels between two presses of a double click, at most
_PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)


def repeats(button: QPushButton) -> QPushButton:
    """Mark a button as one to press several times in a row, such as "next"; returns it."""
    button.setProperty(_REPEATS, True)
    return button


class SingleClicks(QObject):
    """Watches `window`, which is shown, and every dialog that gets the keyboard."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._when_ms, self._where = -1_000_000, QPointF()
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._watch(window.windowHandle())
        app.focusWindowChanged.connect(self._watch)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _PRESSES and isinstance(event, QMouseEvent) and event.button() is Qt.MouseButton.LeftButton:
            since, way = event.timestamp() - self._when_ms, event.globalPosition() - self._where
            self._when_ms, self._where = event.timestamp(), event.globalPosition()
            again = since < QApplication.doubleClickInterval() and way.manhattanLength() <= _SAME_PLACE
            if again and _presses_once(event.globalPosition()):
                return True
        return super().eventFilter(watched, event)

    def _watch(self, window: QWindow | None) -> None:
        if window is not None:
            window.installEventFilter(self)  # one that has it already does not get it twice


def _presses_once(place: QPointF) -> bool:
    button = QApplication.widgetAt(place.toPoint())
    return isinstance(button, QAbstractButton) and not button.property(_REPEATS)
