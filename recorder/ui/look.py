"""The few colours that pages set themselves, alike in light and dark; everything else follows the palette.

White on each of them has a contrast above 4.5 : 1 (WCAG AA).
"""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPalette

BANNER = "background: #8c1d24; color: white; border-radius: 8px; padding: 10px 14px; font-weight: 600"
PAGE = """
QPushButton { padding: 6px 14px; }
QPushButton[primary="true"] {
    background: #1a6fad; color: white; font-weight: 600; border: 0; border-radius: 7px; padding: 8px 18px;
}
QPushButton[primary="true"]:hover { background: #1d7cc1; }
QPushButton[primary="true"]:focus { border: 2px solid palette(window-text); padding: 6px 16px; }
QPushButton[primary="true"]:disabled { background: palette(midlight); color: palette(mid); }
QTableView::indicator { width: 14px; height: 14px; border: 1px solid palette(text); border-radius: 3px; }
QTableView::indicator:checked { background: #1a6fad; border: 1px solid #1a6fad; }
"""


def is_dark(palette: QPalette) -> bool:
    """Whether a palette is a dark one."""
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def mix(one: QColor, other: QColor, share: float) -> QColor:
    """`share` of `other` in `one`."""
    parts = (a + (b - a) * share for a, b in zip(one.getRgb()[:3], other.getRgb()[:3], strict=True))
    return QColor(*(round(part) for part in parts))


def place_picture(stage: QRectF, width: int, height: int, ratio: float) -> QRectF:
    """Where a picture goes on `stage`: an Atari screen by whole device pixels, anything else to fit.

    `ratio` is the number of device pixels in a unit of `stage`.
    """
    if (height, width) == (210, 160):
        # The console's pixels are 12/7 as wide as high; lines are whole, columns the nearest whole number to that.
        best = (1, 1)
        for lines in range(1, 12):
            columns = round(lines * 12 / 7)
            if columns * width <= stage.width() * ratio and lines * height <= stage.height() * ratio:
                best = (columns, lines)
        wide, high = best[0] * width / ratio, best[1] * height / ratio
    else:
        scale = min(stage.width() / width, stage.height() / height)
        wide, high = width * scale, height * scale
    left = round((stage.center().x() - wide / 2) * ratio) / ratio
    top = round((stage.center().y() - high / 2) * ratio) / ratio
    return QRectF(left, top, wide, high)
