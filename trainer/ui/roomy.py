"""Room around the words in lists."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from recorder.ui import look


class Roomy(QStyledItemDelegate):
    """Rows of a comfortable height, and columns that do not touch."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        size = super().sizeHint(option, index)
        return QSize(size.width() + look.SMALL, max(size.height(), option.fontMetrics.height() + look.GAP))
