"""Where one is in a duel, and what happened when: a lane for each side, points as strokes, lost lives as diamonds.

▌ │ │││  ◆   │ ││ ◆ ┃                        the recording, known to its end
▌ │  ││ │   │ │     ┃                        the clone, known as far as it has come
                    ┃ the present tick; press or drag to go elsewhere
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from player.scene import DuelFrame, Side, duration_text
from recorder.ui import look

_LANE, _GAP, _MARGIN = 16.0, 4.0, 8.0


class Timeline(QWidget):
    """Shows where a DuelFrame is. `seek_requested` carries the tick that was pressed or dragged to."""

    seek_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timeline")
        self.setToolTip("Press or drag to go to another moment (Left and Right: a tick, with Shift: a second)")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._frame: DuelFrame | None = None
        self._colours: tuple[QColor, QColor] = (QColor(), QColor())

    def sizeHint(self) -> QSize:
        return QSize(600, round(2 * _LANE + _GAP + 8))

    def show_frame(self, frame: DuelFrame | None, colours: tuple[QColor, QColor]) -> None:
        """Show this moment; `colours` are those of the left and of the right side."""
        self._frame, self._colours = frame, colours
        if frame is not None:
            self.setAccessibleName(f"{duration_text(frame.seconds)} of {duration_text(self.ticks / frame.rate_hz)}")
        self.update()

    @property
    def ticks(self) -> int:
        """How many ticks the line spans."""
        return max([side.length for side in self._frame.sides], default=0) if self._frame is not None else 0

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._point(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._point(event)

    def _point(self, event: QMouseEvent) -> None:
        if self.ticks:
            share = (event.position().x() - _MARGIN) / max(1.0, self.width() - 2 * _MARGIN)
            self.seek_requested.emit(round(min(max(share, 0.0), 1.0) * self.ticks))

    def _x(self, tick: int) -> float:
        return _MARGIN + (self.width() - 2 * _MARGIN) * min(1.0, tick / max(1, self.ticks))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._frame is None or not self.ticks:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        text, window = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window)
        top = (self.height() - 2 * _LANE - _GAP) / 2
        for side, colour in zip((self._frame.left, self._frame.right), self._colours, strict=True):
            if side is not None:
                self._paint_lane(painter, QRectF(_MARGIN, top, self.width() - 2 * _MARGIN, _LANE), side, colour, window)
            top += _LANE + _GAP
        here = self._x(self._frame.tick)
        painter.setPen(QPen(text, 2))
        painter.drawLine(QPointF(here, 1), QPointF(here, self.height() - 1))

    def _paint_lane(self, painter: QPainter, lane: QRectF, side: Side, colour: QColor, window: QColor) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.mix(window, colour, 0.12))
        painter.drawRoundedRect(lane, 4, 4)
        known = QRectF(lane.left(), lane.top(), self._x(side.length) - lane.left(), lane.height())
        painter.setBrush(look.mix(window, colour, 0.3))
        painter.drawRoundedRect(known, 4, 4)
        painter.setPen(QPen(colour, 1.4))
        for tick in side.points:
            painter.drawLine(QPointF(self._x(tick), lane.top() + 4), QPointF(self._x(tick), lane.bottom() - 4))
        painter.setPen(QPen(window, 1))
        painter.setBrush(colour)
        for tick in side.losses:
            x, y, reach = self._x(tick), lane.center().y(), 6.5
            corners = [QPointF(x, y - reach), QPointF(x + reach, y), QPointF(x, y + reach), QPointF(x - reach, y)]
            painter.drawPolygon(QPolygonF(corners))
