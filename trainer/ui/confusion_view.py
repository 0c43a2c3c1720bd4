"""What the clone takes for what: a heat map with numbers."""

from __future__ import annotations

import math
from functools import partial

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from recorder.ui.kit import look

_TOP, _LEFT = 56, 92  # room for the names of the columns and of the rows
_LARGEST = 96


class ConfusionView(QWidget):
    """Rows are what the demonstrator did on held-out ticks, columns what the clone finds the likeliest there.

    A cell is filled by its share of the row: a clone that does as its demonstrator has a dark diagonal.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("confusionView")
        self._table: tuple[tuple[int, ...], ...] | None = None
        self._names: tuple[str, ...] = ()
        self._reason = ""

    def show_table(self, table: tuple[tuple[int, ...], ...] | None, names: tuple[str, ...], reason: str) -> None:
        """Show a table of counts, or why there is none."""
        if table is not None and len(table) != len(names):
            table = None
        if (table, names, reason) != (self._table, self._names, self._reason):
            self._table, self._names, self._reason = table, names, reason
            self.setAccessibleName(self._words())
            self.update()

    def _words(self) -> str:
        if self._table is None:
            return self._reason
        rows = enumerate(zip(self._names, self._table, strict=True))
        right = (f"{name} {row[k] / sum(row):.0%}" for k, (name, row) in rows if sum(row))
        return f"How often the twin chooses the player's action: {', '.join(right)}"

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        ink, pale = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.PlaceholderText)
        if self._table is None:
            painter.setPen(pale)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._reason)
            painter.end()
            return
        count = len(self._table)
        side = min(_LARGEST, (self.width() - _LEFT - 8) / count, (self.height() - _TOP - 30) / count)
        left = _LEFT + max(0.0, (self.width() - _LEFT - side * count) / 2)
        empty, full = palette.color(QPalette.ColorRole.Base), look.tone(palette, "clone")
        painter.setPen(pale)
        painter.drawText(
            QRectF(left, 0, side * count, 22), Qt.AlignmentFlag.AlignCenter, "the twin's most likely action"
        )
        for k, name in enumerate(self._names):
            painter.setPen(ink)
            painter.drawText(QRectF(left + k * side, 24, side, 26), Qt.AlignmentFlag.AlignCenter, name)
            row = QRectF(left - _LEFT, _TOP + k * side, _LEFT - 10, side)
            painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
        small = look.scaled(painter.font(), 0.85)
        for k, row_counts in enumerate(self._table):
            total = sum(row_counts)
            for j, counted in enumerate(row_counts):
                share = counted / total if total else 0.0
                cell = QRectF(left + j * side + 1.5, _TOP + k * side + 1.5, side - 3, side - 3)
                painter.setPen(palette.color(QPalette.ColorRole.Mid))
                fill = look.mix(empty, full, share)
                painter.setBrush(fill)
                painter.drawRoundedRect(cell, 5, 5)
                painter.setPen(max((ink, empty), key=partial(_contrast, fill)))
                figure = f"{100 * share:.0f} %" if total else "–"
                half = cell.adjusted(0, 0, 0, -side * 0.3)
                painter.drawText(half if side > 50 else cell, Qt.AlignmentFlag.AlignCenter, figure)
                if side > 50:
                    font = painter.font()
                    painter.setFont(small)
                    lower = cell.adjusted(0, side * 0.42, 0, 0)
                    painter.drawText(lower, Qt.AlignmentFlag.AlignCenter, f"{counted:,}")
                    painter.setFont(font)
        painter.setPen(pale)
        foot = QRectF(0, _TOP + side * count + 6, self.width(), 22)
        painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, "rows: the player's action, on held-out frames")
        painter.end()


def _contrast(one: QColor, other: QColor) -> float:
    """As WCAG defines it, 1 to 21."""
    darker, lighter = sorted(_luminance(colour) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: QColor) -> float:
    red, green, blue = map(_linear, (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else math.pow((part + 0.055) / 1.055, 2.4)
