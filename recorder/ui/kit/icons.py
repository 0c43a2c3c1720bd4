"""The window's icons: assets/icons/*.svg, drawn in the ink of whatever they stand on.

Each is one stroke on a 24 x 24 grid in `currentColor`. An icon carries its picture at several sizes, so that it is
sharp at any scale of the screen, and in three inks: usual, disabled, and on the accent where its button is checked.
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from recorder.system.resources import asset

SIZE = 18
_BESIDE = 4  # room between a picture and the words of its button; the 4 of Qt's own are too few and cannot be changed
_SIZES = (SIZE, SIZE * 3 // 2, 2 * SIZE, 3 * SIZE)  # pixels, for screens at 100 to 300 %; Qt takes the fitting one


@cache
def _drawing(name: str) -> str:
    return asset(f"icons/{name}.svg").read_text(encoding="utf-8")


def picture(name: str, ink: QColor, size: int, ratio: float = 1.0, *, beside: float = 0.0) -> QPixmap:
    """The icon `name` as a picture of `size` units, with `beside` units of room on its right.

    `ratio` is the number of the screen's pixels in a unit. Raises OSError where there is no icon of that name.
    """
    made = QPixmap()
    key = f"twinplay {name} {ink.name()} {size} {ratio} {beside}"
    if QPixmapCache.find(key, made):
        return made
    made = QPixmap(round((size + beside) * ratio), round(size * ratio))
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    drawing = QSvgRenderer(QByteArray(_drawing(name).replace("currentColor", ink.name()).encode()))
    drawing.render(painter, QRectF(0, 0, made.height(), made.height()))
    painter.end()
    made.setDevicePixelRatio(ratio)
    QPixmapCache.insert(key, made)
    return made


def _add(made: QIcon, name: str, ink: QColor, mode: QIcon.Mode, state: QIcon.State, beside: int) -> None:
    for size in _SIZES:
        made.addPixmap(picture(name, ink, size, beside=beside * size / SIZE), mode, state)


def icon(
    name: str,
    palette: QPalette,
    role: QPalette.ColorRole = QPalette.ColorRole.ButtonText,
    *,
    checkable: bool = False,
    beside: int = 0,
) -> QIcon:
    """The icon `name`, in the ink `role` of a palette, with `beside` units of room on its right. Raises OSError."""
    made = QIcon()
    _add(made, name, palette.color(role), QIcon.Mode.Normal, QIcon.State.Off, beside)
    faint = role is QPalette.ColorRole.HighlightedText  # what is on the accent loses it, as its words do
    disabled = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.PlaceholderText if faint else role)
    _add(made, name, disabled, QIcon.Mode.Disabled, QIcon.State.Off, beside)
    if checkable:
        _add(made, name, palette.color(QPalette.ColorRole.HighlightedText), QIcon.Mode.Normal, QIcon.State.On, beside)
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
        beside = _BESIDE if button.text() else 0
        button.setIconSize(QSize(SIZE + beside, SIZE))
        drawn = icon(self.name, button.palette(), self._role, checkable=button.isCheckable(), beside=beside)
        button.setIcon(drawn)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.PaletteChange:
            self.draw()
        return False


def show_icon(button: QAbstractButton, name: str) -> None:
    """Give a button an icon that follows the colours; another name replaces it."""
    follower = button.findChild(_Follower, options=Qt.FindChildOption.FindDirectChildrenOnly)
    if follower is None:
        primary = button.property("primary")
        _Follower(button, name, QPalette.ColorRole.HighlightedText if primary else QPalette.ColorRole.ButtonText)
    elif follower.name != name:
        follower.name = name
        follower.draw()
