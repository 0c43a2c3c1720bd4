"""The hints of player.watch.tour over the Watch page: beside what they speak of, which is framed, never over the game.

hints 1 and 2   in the band of keycaps below the games, just above the strip and the buttons
hint 3          in the band of names above the right game, just below the button for scores
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from player.watch.tour import Hint, Subject
from recorder.ui.kit import look
from recorder.ui.kit.steady import reserve_width

_WIDEST, _HIGHEST = 700, 52  # pixels
_MARGIN, _FRAME = 3, 3  # pixels: between a hint and the edges of its band, and around what it speaks of


class _Frame(QWidget):
    """A frame around something, which lets every click through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Link), 2))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), look.RADIUS, look.RADIUS)


class TourView(QFrame):
    """A hint, hidden until there is one. `board` is the widget that it lies on. Emits `next_pressed`, `close_pressed`.

    A click leaves the keyboard where it is: Space goes on to play and pause.
    """

    next_pressed = Signal()
    close_pressed = Signal()

    def __init__(self, board: QWidget) -> None:
        super().__init__(board)
        self.setObjectName("tour")
        self.setProperty("card", True)
        self.setStyleSheet(look.PAGE)
        self.hide()
        self._board = board
        self._frame = _Frame(board)
        row = QHBoxLayout(self)
        row.setContentsMargins(look.GAP, 2, look.SMALL, 2)
        row.setSpacing(look.SMALL)
        self._text = QLabel(objectName="tourText", wordWrap=True)
        row.addWidget(self._text, 1)
        self._next = QPushButton("Next", objectName="tourNext", toolTip="Show the next hint")
        self._close = QPushButton("Close", objectName="tourClose", toolTip="Show no more hints; the menu has them")
        reserve_width(self._next, "Next", "Done")
        for button, signal in ((self._next, self.next_pressed), (self._close, self.close_pressed)):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(signal)
            row.addWidget(button)
        self._close.setProperty("quiet", True)

    def show_nothing(self) -> None:
        """Hide."""
        self.hide()
        self._frame.hide()

    def show_hint(self, hint: Hint, band: QRect, subject: QRect) -> None:
        """Show a hint in `band`, and frame its `subject`, both in the coordinates of the board."""
        self._text.setText(hint.text)
        self._next.setText("Done" if hint.last else "Next")
        self._close.setVisible(not hint.last)
        room = band.adjusted(0, _MARGIN, 0, -_MARGIN)
        width, height = min(_WIDEST, room.width()), min(_HIGHEST, room.height())
        left = room.right() + 1 - width if hint.subject is Subject.SCORES else room.center().x() - width // 2
        self.setGeometry(QRect(left, room.bottom() + 1 - height, width, height))
        self._frame.setGeometry(subject.adjusted(-_FRAME, -_FRAME, _FRAME, _FRAME).intersected(self._board.rect()))
        if self.isHidden():
            for widget in (self._frame, self):
                widget.show()
                widget.raise_()


def place_in(board: QWidget, widget: QWidget, part: QRect | None = None) -> QRect:
    """Where a widget is on a board, or a part of it."""
    part = widget.rect() if part is None else part
    return QRect(widget.mapTo(board, QPoint(0, 0)) + part.topLeft(), part.size())
