"""A line across the window for messages about all pages: a failure, a missing folder, the added sample."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from player.support.diagnostics import without_home
from recorder.ui.kit import look
from recorder.ui.kit.icons import SIZE, picture, show_icon

_LEAST = 420  # pixels, for a sentence and a button


class Notice(QFrame):
    """Hidden until there is a message. It disappears when closed, or on another page unless it has a button.

    It lies over the window, between the widgets `after` and `before` of its top row, or below that row where there is
    too little room: the page does not move, and a game does not shrink.
    """

    def __init__(self, after: QWidget, before: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self._window, self._after, self._before = parent, after, before
        parent.installEventFilter(self)
        self.setObjectName("notice")
        self.hide()
        self.setProperty("card", True)
        self.setStyleSheet(look.PAGE)
        row = QHBoxLayout(self)
        row.setContentsMargins(look.WIDE, look.SMALL, look.SMALL, look.SMALL)
        row.setSpacing(look.GAP)
        self._sign = QLabel()
        self._name = ""
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
        row.addWidget(self._sign)
        row.addWidget(self._text, 1)
        row.addWidget(self._action)
        row.addWidget(self._close)
        self._callable: Callable[[], object] = self.hide

    def tell(self, sentence: str, action: str = "", does: Callable[[], object] | None = None) -> None:
        """Show information, with a button if there is a next step."""
        self._show("about", sentence, action, does)

    def warn(self, sentence: str, action: str = "", does: Callable[[], object] | None = None) -> None:
        """Show a warning, with a button if something can be done about it."""
        self._show("warning", sentence, action, does)

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text()

    def turn_page(self) -> None:
        """Called when another page is shown."""
        if not self._action.isVisibleTo(self):
            self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.LayoutRequest):
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        window = self._window
        left = self._after.mapTo(window, QPoint(self._after.width(), 0)).x() + look.WIDE
        right = self._before.mapTo(window, QPoint(0, 0)).x() - look.WIDE
        top = look.SMALL
        if right - left < _LEAST:
            left, right = look.MARGIN, window.width() - look.MARGIN
            top += self._after.mapTo(window, QPoint(0, self._after.height())).y()
        width = right - left
        high = self.heightForWidth(width) if self.hasHeightForWidth() else self.sizeHint().height()
        self.setGeometry(left, top, width, max(high, self.minimumSizeHint().height()))

    def _act(self) -> None:
        self._callable()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and self._name:
            self._draw()
        super().changeEvent(event)

    def _show(self, sign: str, sentence: str, action: str = "", does: Callable[[], object] | None = None) -> None:
        self._name = sign
        self._draw()
        self._text.setText(without_home(sentence))
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self._callable = does or self.hide
        self.show()
        self._place()
        self.raise_()

    def _draw(self) -> None:
        ink = look.tone(self.palette(), "warning" if self._name == "warning" else "clone")
        self._sign.setPixmap(picture(self._name, ink, SIZE, self.devicePixelRatioF()))
