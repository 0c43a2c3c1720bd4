"""The position in a duel, and what happened when.

Recording  ▌ │ │││  ◆   │ ││ ◆ ┃              points as strokes, lost lives as diamonds; known to its end
           ▌▀▀  ▄▄ ▀ ▄▄▄▄  ▀▀▀ ┃▀▀▄▄          keys pressed: RIGHT over LEFT
83 % agree ▌   ██      █       ┃   ██         where the clone would have acted differently, and how sure it is
           ▌▀▀ ▄▄▄ ▀ ▄▄ ▀▀  ▄▄ ┃
Clone      ▌ │  ││ │   │ │     ┃              known up to where it has played
                               ┃ the current tick; click or drag to go elsewhere
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from player.ui.strips import apart_strip, press_strip
from player.watch.frames import DuelFrame, Side
from recorder.system.texts import duration_text
from recorder.ui.kit import look
from trainer.evaluation.agreement import Agreement

_LANE, _STRIP, _APART, _NEAR, _GAP, _MARGIN, _GUTTER = 14.0, 9.0, 11.0, 2.0, 5.0, 4.0, 98.0
_HELP = "Click or drag to go to another moment (Left and Right: one frame, with Shift: one second)"


class Timeline(QWidget):
    """Shows the position of a DuelFrame. Emits `seek_requested` with the tick that was clicked or dragged to."""

    seek_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timeline")
        self.setToolTip(_HELP)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._frame: DuelFrame | None = None
        self._agreement: Agreement | None = None
        self._comparing: float | None = None
        self._colours: tuple[QColor, QColor] = (QColor(), QColor())
        self._drawn: tuple[tuple[object, ...], QPixmap] | None = None  # all but the present tick, and what it shows

    def sizeHint(self) -> QSize:
        return QSize(600, round(2 * (_LANE + _NEAR + _STRIP + _GAP) + _APART + 2 * _MARGIN))

    def show_frame(
        self,
        frame: DuelFrame | None,
        colours: tuple[QColor, QColor],
        agreement: Agreement | None = None,
        comparing: float | None = None,
    ) -> None:
        """Show this moment; `colours` are the colours of the left and of the right side.

        `comparing` is the share compared so far, while there is no agreement yet.
        """
        if frame is None or agreement is not self._agreement:
            self._drawn = None
        self._frame, self._colours, self._agreement, self._comparing = frame, colours, agreement, comparing
        if frame is not None:
            self.setAccessibleName(f"{duration_text(frame.seconds)} of {duration_text(self.ticks / frame.rate_hz)}")
        self.update()

    @property
    def ticks(self) -> int:
        """The number of ticks on the line."""
        return 0 if self._frame is None else self._frame.length

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._point(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._point(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self.ticks:
            QToolTip.showText(event.globalPos(), self.describe(self._tick_at(event.pos().x())), self)
            return True
        return super().event(event)

    def describe(self, tick: int) -> str:
        """What happened at a tick, in words."""
        frame = self._frame
        assert frame is not None
        lines = [duration_text(tick / frame.rate_hz)]
        if frame.discrete:
            for side in frame.sides:
                if tick < len(side.actions):
                    lines.append(f"{side.title}: {frame.action_names[int(side.actions[tick])]}")
        agreement = self._agreement
        if agreement is not None and tick < len(agreement) and agreement.discrete:
            would = agreement.names[int(agreement.clone[tick])]
            lines.append(f"The twin would choose {would}, {100 * agreement.sure[tick]:.0f} % sure")
        return "\n".join([*lines, _HELP])

    def _point(self, event: QMouseEvent) -> None:
        if self.ticks:
            self.seek_requested.emit(self._tick_at(event.position().x()))

    def _tick_at(self, x: float) -> int:
        share = (x - _GUTTER) / max(1.0, self.width() - _GUTTER - _MARGIN)
        return round(min(max(share, 0.0), 1.0) * self.ticks)

    def place(self, tick: int) -> float:
        """The position of a tick, in pixels from the left."""
        return _GUTTER + (self.width() - _GUTTER - _MARGIN) * min(1.0, tick / max(1, self.ticks))

    def paintEvent(self, event: QPaintEvent) -> None:
        frame = self._frame
        if frame is None or not self.ticks:
            return
        ratio, palette = self.devicePixelRatioF(), self.palette()
        # While a clone plays on, everything is drawn anew only once that would show: by a column of pixels or two.
        grain = max(1, self.ticks // 400)
        lengths = tuple(side.length // grain for side in frame.sides)
        titles = tuple((side.title, len(side.points), len(side.losses)) for side in frame.sides)
        key = (self.ticks // grain, lengths, titles, self._comparing, self.size(), ratio, palette.cacheKey())
        if self._drawn is None or self._drawn[0] != key:
            pixmap = QPixmap(self.size() * ratio)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            with QPainter(pixmap) as inner:
                self._paint_rows(inner, frame)
            self._drawn = (key, pixmap)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._drawn[1])
        here = self.place(frame.tick)
        painter.setPen(QPen(palette.color(QPalette.ColorRole.WindowText), 2))
        painter.drawLine(QPointF(here, 1), QPointF(here, self.height() - 1))

    def _paint_rows(self, painter: QPainter, frame: DuelFrame) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(look.scaled(self.font(), 0.85))
        palette = self.palette()
        text, window = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window)
        width = self.width() - _GUTTER - _MARGIN
        top = _MARGIN
        for side, colour, below in zip((frame.left, frame.right), self._colours, (True, False), strict=True):
            lane = QRectF(_GUTTER, top + (0 if below else _STRIP + _NEAR), width, _LANE)
            strip = QRectF(_GUTTER, top + (_LANE + _NEAR if below else 0), width, _STRIP)
            if side is not None:
                self._label(painter, lane, side.title, colour)
                self._paint_lane(painter, lane, side, colour, window)
                self._paint_presses(painter, strip, side, colour, text, window)
            top += _LANE + _NEAR + _STRIP + _GAP
            if below:
                self._paint_agreement(painter, QRectF(_GUTTER, top, width, _APART), text, window)
                top += _APART + _GAP

    def _label(self, painter: QPainter, row: QRectF, text: str, colour: QColor) -> None:
        painter.setPen(colour)
        box = QRectF(0, row.center().y() - 10, _GUTTER - 10, 20)
        if painter.fontMetrics().horizontalAdvance(text) > box.width():
            text = text.split()[0]
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, round(box.width()))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), shown)

    def _paint_lane(self, painter: QPainter, lane: QRectF, side: Side, colour: QColor, window: QColor) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.mix(window, colour, 0.12))
        painter.drawRoundedRect(lane, 4, 4)
        known = QRectF(lane.left(), lane.top(), self.place(side.length) - lane.left(), lane.height())
        painter.setBrush(look.mix(window, colour, 0.3))
        painter.drawRoundedRect(known, 4, 4)
        painter.setPen(QPen(colour, 1.4))
        for tick in side.points:
            painter.drawLine(QPointF(self.place(tick), lane.top() + 3), QPointF(self.place(tick), lane.bottom() - 3))
        painter.setPen(QPen(window, 1))
        painter.setBrush(colour)
        for tick in side.losses:
            x, y, reach = self.place(tick), lane.center().y(), 6.0
            corners = [QPointF(x, y - reach), QPointF(x + reach, y), QPointF(x, y + reach), QPointF(x - reach, y)]
            painter.drawPolygon(QPolygonF(corners))

    def _paint_presses(
        self, painter: QPainter, strip: QRectF, side: Side, colour: QColor, text: QColor, window: QColor
    ) -> None:
        assert self._frame is not None
        painter.fillRect(strip, look.mix(window, text, 0.06))
        if len(side.actions):
            pixels = round(strip.width() * self.devicePixelRatioF())
            image = press_strip(side.actions, self._frame, self.ticks, pixels, colour, text)
            painter.drawImage(strip, image)

    def _paint_agreement(self, painter: QPainter, row: QRectF, text: QColor, window: QColor) -> None:
        agreement = self._agreement
        faint = self.palette().color(QPalette.ColorRole.PlaceholderText)
        if self._frame is None or (agreement is None and self._comparing is None):
            return
        if self._frame.left is not None:  # the recording's whole length
            row = QRectF(row.left(), row.top(), self.place(self._frame.left.length) - row.left(), row.height())
        painter.fillRect(row, look.mix(window, text, 0.12))
        if agreement is None:
            self._label(painter, row, "Comparing…", faint)
            done = QRectF(row.left(), row.top(), row.width() * (self._comparing or 0.0), row.height())
            painter.fillRect(done, look.mix(window, text, 0.3))
            return
        self._label(painter, row, agreement.headline, faint)
        bad = look.tone(self.palette(), "bad")
        pixels = max(1, round(row.width() * self.devicePixelRatioF()))
        weights = np.where(agreement.differs, agreement.sure, 0.0)
        painter.drawImage(row, apart_strip(weights, len(agreement), pixels, bad))
