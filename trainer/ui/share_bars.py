"""How often each action is taken in what is learned from."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from recorder.ui.kit import look

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ShareBars(QWidget):
    """How often each action is taken, as small bars with figures."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("shareBars")
        self._shares: tuple[tuple[str, float], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setVisible(False)

    def show_shares(self, shares: tuple[tuple[str, float], ...]) -> None:
        """Show these; nothing takes no room."""
        if shares != self._shares:
            self._shares = shares
            self.setVisible(bool(shares))
            words = ", ".join(f"{name} {_percent(share)}" for name, share in shares)
            self.setAccessibleName(f"Share of each action: {words}")
            self.setToolTip("How often each action is taken in the selected sessions")
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        rows = (len(self._shares) + 1) // 2
        return QSize(200, rows * self._row_height())

    def _row_height(self) -> int:
        return self.fontMetrics().height() + 4

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, metrics, height = self.palette(), self.fontMetrics(), self._row_height()
        column = (self.width() - look.WIDE) / 2
        names = max((metrics.horizontalAdvance(name) for name, _ in self._shares), default=0) + look.GAP
        figures = metrics.horizontalAdvance("100.0 %") + look.SMALL
        for index, (name, share) in enumerate(self._shares):
            left, top = (index % 2) * (column + look.WIDE), (index // 2) * height
            painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(QRectF(left, top, names, height), Qt.AlignmentFlag.AlignVCenter, name)
            painter.setPen(palette.color(QPalette.ColorRole.WindowText))
            right = left + column - figures
            painter.drawText(QRectF(right, top, figures, height), _RIGHT, _percent(share))
            track = QRectF(left + names, top + height / 2 - 4, max(8.0, right - left - names), 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.Midlight))
            painter.drawRoundedRect(track, 4, 4)
            if share > 0:
                painter.setBrush(look.tone(palette, "person"))
                track.setWidth(max(3.0, track.width() * share))
                painter.drawRoundedRect(track, 4, 4)
        painter.end()


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
