"""Where one is in a session: its games, what is left out of training, and the present tick.

▐████│██████│░░░░░░│███▨▨▨▨████▌      games, one that is left out, a span that is
            ┃                          press or drag to go there, with Shift to mark a span
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from recorder.library.preview import Details
from recorder.ui.kit import look

_MARGIN, _LANE = 8.0, 18.0


class Scrubber(QWidget):
    """Shows Details. `seek_requested` carries a tick, `span_marked` a range that was drawn with Shift held.

    `marks` says whether one can be drawn.
    """

    seek_requested = Signal(int)
    span_marked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scrubber")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(
            "Click or drag to go to a moment (Left and Right: one frame, with Ctrl: one second). "
            "Drag with Shift to exclude a part from training. A small arrow shows where play resumed after a rewind."
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.marks = True
        self._details: Details | None = None
        self._tick = 0
        self._marked: range | None = None  # a span under way
        self._anchor: int | None = None

    def sizeHint(self) -> QSize:
        return QSize(320, 34)

    def show_details(self, details: Details | None, tick: int, marked: range | None) -> None:
        """Show this session at this tick, with a span that is being marked."""
        self._details, self._tick = details, tick
        if self._anchor is None:
            self._marked = marked
        if details is not None:
            seconds = tick / details.rate_hz
            again = len(rewinds(details))
            rewound = "" if not again else ", rewound once" if again == 1 else f", rewound {again} times"
            self.setAccessibleName(f"second {seconds:.0f} of {details.ticks / details.rate_hz:.0f}{rewound}")
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        tick = self._tick_at(event)
        if self.marks and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._anchor, self._marked = tick, range(tick, tick + 1)
        self.seek_requested.emit(tick)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            tick = self._tick_at(event)
            if self._anchor is not None:
                self._marked = range(min(self._anchor, tick), max(self._anchor, tick) + 1)
            self.seek_requested.emit(tick)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        marked, anchor = self._marked, self._anchor
        self._anchor = None
        if anchor is not None:
            self._marked = None
            if marked is not None and len(marked) > 1:
                self.span_marked.emit(marked)
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {int(Qt.Key.Key_Left): -1, int(Qt.Key.Key_Right): 1}
        if self._details is None or event.key() not in (*steps, Qt.Key.Key_Home, Qt.Key.Key_End):
            super().keyPressEvent(event)
            return
        if event.key() in steps:
            far = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            tick = self._tick + steps[event.key()] * (round(self._details.rate_hz) if far else 1)
        else:
            tick = 0 if event.key() == Qt.Key.Key_Home else self._details.ticks - 1
        self.seek_requested.emit(min(max(tick, 0), max(0, self._details.ticks - 1)))

    def _tick_at(self, event: QMouseEvent) -> int:
        ticks = self._details.ticks if self._details is not None else 0
        share = (event.position().x() - _MARGIN) / max(1.0, self.width() - 2 * _MARGIN)
        return min(max(round(share * ticks), 0), max(0, ticks - 1))

    def _x(self, tick: int) -> float:
        ticks = self._details.ticks if self._details is not None else 0
        return _MARGIN + (self.width() - 2 * _MARGIN) * min(1.0, tick / max(1, ticks))

    def paintEvent(self, event: QPaintEvent) -> None:
        details = self._details
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        base, ink = palette.color(QPalette.ColorRole.Base), look.tone(palette, "person")
        top = (self.height() - _LANE) / 2
        painter.setPen(Qt.PenStyle.NoPen)
        if details is None or not details.ticks:
            painter.setBrush(look.mix(base, palette.color(QPalette.ColorRole.Text), 0.08))
            painter.drawRoundedRect(QRectF(_MARGIN, top, self.width() - 2 * _MARGIN, _LANE), 4, 4)
            return
        for episode in (episode for game in details.games for episode in game.segments):
            left, right = self._x(episode.start), self._x(episode.stop)
            painter.setBrush(look.mix(base, ink, 0.12 if episode.excluded else 0.42))
            painter.drawRoundedRect(QRectF(left, top, max(1.0, right - left - 1.5), _LANE), 3, 3)
        shadow = palette.color(QPalette.ColorRole.Text)
        for span in (*details.spans, *((self._marked,) if self._marked is not None else ())):
            lane = QRectF(self._x(span.start), top - 2, max(2.0, self._x(span.stop) - self._x(span.start)), _LANE + 4)
            painter.setBrush(look.mix(base, ink, 0.08))
            painter.drawRect(lane)
            painter.setBrush(QBrush(shadow, Qt.BrushStyle.BDiagPattern))
            painter.drawRect(lane)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shadow)
        for tick in rewinds(details):  # play resumed here, from an earlier moment
            at = self._x(tick)
            painter.drawPolygon([QPointF(at, 1), QPointF(at, 9), QPointF(at - 6, 5)])
        here = self._x(self._tick)
        painter.setPen(QPen(shadow, 2))
        painter.drawLine(QPointF(here, 2), QPointF(here, self.height() - 2))
        if self.hasFocus():
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)


def rewinds(details: Details) -> list[int]:
    """The ticks at which play resumed after a rewind."""
    return [episode.start for game in details.games for episode in game.line[1:]]
