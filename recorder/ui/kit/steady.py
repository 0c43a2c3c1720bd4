"""Nothing moves under the mouse: room that is kept for a text to come, and for what is not shown yet."""

from __future__ import annotations

from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from recorder.ui.kit import look

_PADDING, _PRIMARY_PADDING, _ICON = 31, 37, 4  # of a button in the style sheet, and between an icon and the text


def reserve_width(button: QPushButton, *texts: str) -> None:
    """Keep a button as wide as the widest of the texts that it may have, so that its neighbours stay in place."""
    primary = bool(button.property("primary"))  # set in bold, with more room around
    metrics = QFontMetrics(look.scaled(button.font(), 1.0, bold=primary))
    icon = 0 if button.icon().isNull() else button.iconSize().width() + _ICON
    padding = _PRIMARY_PADDING if primary else _PADDING
    button.setMinimumWidth(max(map(metrics.horizontalAdvance, texts)) + icon + padding)


def reserve_lines(label: QLabel, lines: int) -> None:
    """Keep a wrapped label at least so many lines high."""
    label.setMinimumHeight(lines * label.fontMetrics().lineSpacing())


def keep_room(widget: QWidget) -> None:
    """Leave a widget's room empty while it is hidden."""
    policy = widget.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    widget.setSizePolicy(policy)
