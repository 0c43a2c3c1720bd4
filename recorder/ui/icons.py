"""The window's icons: assets/icons/*.svg, drawn in the ink of whatever they stand on.

Each is one stroke on a 24 x 24 grid in `currentColor`. An icon carries its picture at several sizes, so that it is
sharp at any scale of the screen, and in three inks: usual, disabled, and on the accent where its button is checked.
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from recorder.resources import asset

SIZE = 18
_SIZES = (SIZE, SIZE * 3 // 2, 2 * SIZE, 3 * SIZE)  # pixels, for screens at 100 to 300 %; Qt takes the fitting one


@cache
def _drawing(name: str) -> str:
    return asset(f"icons/{name}.svg").read_text(encoding="utf-8")


def picture(name: str, ink: QColor, size: int, ratio: float = 1.0) -> QPixmap:
    """The icon `name` as a picture of `size` units, for a screen with `ratio` pixels in each. Raises OSError."""
    made = QPixmap(round(size * ratio), round(size * ratio))
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    drawing = QSvgRenderer(QByteArray(_drawing(name).replace("currentColor", ink.name()).encode()))
    drawing.render(painter, QRectF(made.rect()))
    painter.end()
    made.setDevicePixelRatio(ratio)
    return made


def _add(made: QIcon, name: str, ink: QColor, mode: QIcon.Mode, state: QIcon.State) -> None:
    for size in _SIZES:
        made.addPixmap(picture(name, ink, size), mode, state)


def icon(
    name: str, palette: QPalette, role: QPalette.ColorRole = QPalette.ColorRole.ButtonText, *, checkable: bool = False
) -> QIcon:
    """The icon `name`, in the ink `role` of a palette. Raises OSError where there is none of that name."""
    made = QIcon()
    _add(made, name, palette.color(role), QIcon.Mode.Normal, QIcon.State.Off)
    _add(made, name, palette.color(QPalette.ColorGroup.Disabled, role), QIcon.Mode.Disabled, QIcon.State.Off)
    if checkable:
        _add(made, name, palette.color(QPalette.ColorRole.HighlightedText), QIcon.Mode.Normal, QIcon.State.On)
    return made


def app_icon() -> QIcon:
    """The application's own icon."""
    return QIcon(str(asset("twinplay.svg")))


class _Follower(QObject):
    """Draws a button's icon anew when the colours change."""

    def __init__(self, button: QAbstractButton, name: str, role: QPalette.ColorRole) -> None:
        super().__init__(button)
        self._button, self._role = button, role
        self.name = name
        button.installEventFilter(self)
        self.draw()

    def draw(self) -> None:
        button = self._button
        button.setIcon(icon(self.name, button.palette(), self._role, checkable=button.isCheckable()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.PaletteChange:
            self.draw()
        return False


def show_icon(button: QAbstractButton, name: str) -> None:
    """Give a button an icon that follows the colours; another name replaces it."""
    follower = button.findChild(_Follower, options=Qt.FindChildOption.FindDirectChildrenOnly)
    if follower is None:
        primary = button.property("primary")
        button.setIconSize(QSize(SIZE, SIZE))
        _Follower(button, name, QPalette.ColorRole.HighlightedText if primary else QPalette.ColorRole.ButtonText)
    elif follower.name != name:
        follower.name = name
        follower.draw()
