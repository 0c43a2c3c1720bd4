"""The figures of one session: how often each action was played, and how well its ticks kept time."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from recorder.library.preview import Details
from recorder.ui.kit import look


class Bars(QWidget):
    """Shares as bars, one below the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("actionShares")
        self._shares: tuple[tuple[str, float], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(300, (self.fontMetrics().height() + 4) * max(1, len(self._shares)))

    def show_shares(self, shares: tuple[tuple[str, float], ...]) -> None:
        """Show these names, each with its share of 1."""
        if shares != self._shares:
            self._shares = shares
            self.setAccessibleName(", ".join(f"{name} {100 * share:.1f} %" for name, share in shares))
            self.updateGeometry()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, metrics = self.palette(), self.fontMetrics()
        ink, accent = palette.color(QPalette.ColorRole.Text), look.tone(palette, "person")
        first = max((metrics.horizontalAdvance(name) for name, _ in self._shares), default=0) + 12.0
        last = metrics.horizontalAdvance("100.0 %") + 10.0
        high = metrics.height() + 4.0
        room = max(10.0, self.width() - first - last)
        for number, (name, share) in enumerate(self._shares):
            top = number * high
            painter.setPen(ink)
            flags = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, first, high), flags, name)
            number_box = QRectF(first + room, top, last, high)
            painter.drawText(number_box, flags | Qt.AlignmentFlag.AlignRight, f"{100 * share:.1f} %")
            painter.setPen(Qt.PenStyle.NoPen)
            lane = QRectF(first, top + high / 2 - 4, room, 8)
            painter.setBrush(palette.color(QPalette.ColorRole.Midlight))
            painter.drawRoundedRect(lane, 4, 4)
            if share > 0:
                painter.setBrush(accent)
                painter.drawRoundedRect(QRectF(first, lane.top(), max(3.0, room * min(1.0, share)), 8), 4, 4)


class SessionFigures(QWidget):
    """Shows the figures that a session has, and nothing of one that has none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._together = look.faint(name="togetherLabel", wrap=True)
        self._share_heading = look.heading("Actions", factor=1.0)
        self._bars = Bars()
        self._timing_heading = look.heading("Timing", factor=1.0)
        self._timing = look.faint(name="timingLabel", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        for widget in (self._together, self._share_heading, self._bars, self._timing_heading, self._timing):
            layout.addWidget(widget)

    def show_details(self, details: Details | None) -> None:
        """Show the figures of this session."""
        shares = details.shares if details is not None else ()
        timing = details.timing if details is not None else None
        self.setVisible(bool(shares) or timing is not None)
        together = details.together if details is not None else ""
        self._together.setText(together and f"{together}.")
        self._together.setVisible(bool(together))
        self._bars.show_shares(shares)
        self._share_heading.setText("Actions" if details is None or details.discrete else "Mean size of each action")
        for widget in (self._bars, self._share_heading):
            widget.setVisible(bool(shares))
        for widget in (self._timing, self._timing_heading):
            widget.setVisible(timing is not None)
        if timing is not None:
            late = 100 * timing.late_ticks / max(1, timing.ticks)
            text = (
                f"{timing.rate_hz:.2f} actions per second; 99 % of intervals up to {timing.p99_ms:.1f} ms, the longest "
                f"{timing.max_ms:.0f} ms; {timing.late_ticks:,} of {timing.ticks:,} ticks late ({late:.2f} %)"
            )
            latency = details.latency if details is not None else None
            self._timing.setText(text if latency is None else f"{text}\nKey to picture: {latency}")
