"""A line across the window for what concerns all pages: a failure, a folder that has gone, the sample that is there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from recorder.ui import look
from recorder.ui.icons import show_icon


class Notice(QFrame):
    """Hidden until there is something to say. It goes when closed, and with the page unless it offers something."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, objectName="notice", visible=False)
        self.setProperty("card", True)
        self.setStyleSheet(look.PAGE)
        row = QHBoxLayout(self)
        row.setContentsMargins(look.WIDE, look.SMALL, look.SMALL, look.SMALL)
        row.setSpacing(look.GAP)
        self._text = QLabel(objectName="noticeText", wordWrap=True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._action = QPushButton(objectName="noticeAction")
        self._action.clicked.connect(self._act)
        self._close = QPushButton(objectName="noticeClose", toolTip="Close this line")
        self._close.setProperty("quiet", True)
        self._close.setAccessibleName("Close")
        show_icon(self._close, "close")
        for button in (self._action, self._close):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard with the game
        self._close.clicked.connect(self.hide)
        row.addWidget(self._text, 1)
        row.addWidget(self._action)
        row.addWidget(self._close)
        self._callable: Callable[[], object] = self.hide

    def say(self, sentence: str, action: str = "", does: Callable[[], object] | None = None) -> None:
        """Show a sentence, and a button where there is something to do."""
        self._text.setText(sentence)
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self._callable = does or self.hide
        self.show()

    def turn_page(self) -> None:
        """Another page is shown."""
        if not self._action.isVisibleTo(self):
            self.hide()

    def _act(self) -> None:
        self._callable()
