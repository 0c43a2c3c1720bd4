"""The list of sessions, and of their games, to learn from."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget

from trainer.ui.wide_rows import WideRows

COLUMNS = ("Session", "Player", "Date", "Games", "Minutes", "Score")
GAMES = 3  # the first column of figures
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_WIDEST_PLAYER = 130  # pixels
_NARROW = 660  # below this width in pixels the number of games makes way for the session's title


class SessionsTree(QTreeWidget):
    """A narrow list keeps what tells sessions apart."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("sessionTable")
        self.setAccessibleName("Sessions to learn from")
        self.setToolTip("Space selects a session; the right arrow key shows its games")
        self.setHeaderLabels(list(COLUMNS))
        self.setAlternatingRowColors(True)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # names of one kind begin alike
        self.setItemDelegate(WideRows(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        for column in range(GAMES, len(COLUMNS)):
            self.headerItem().setTextAlignment(column, RIGHT)
        header = self.header()
        header.setStretchLastSection(False)
        header.setResizeContentsPrecision(40)  # rows that are measured; a thousand take a tenth of a second
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def fit_columns(self) -> None:
        """Once for each list: a header that fits itself measures again whenever the window shows or turns a page."""
        for column in range(1, len(COLUMNS)):
            self.resizeColumnToContents(column)
        self.setColumnWidth(1, min(self.columnWidth(1), _WIDEST_PLAYER))

    def resizeEvent(self, event: QResizeEvent) -> None:
        narrow = self.viewport().width() < _NARROW
        if narrow != self.isColumnHidden(GAMES):
            self.setColumnHidden(GAMES, narrow)
            self.resizeColumnToContents(GAMES)  # a hidden one has not been fitted
        super().resizeEvent(event)
