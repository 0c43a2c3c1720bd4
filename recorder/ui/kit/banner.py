"""A problem in white on red, over the foot of a part of a page: it comes and goes, and nothing moves."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtWidgets import QLabel, QWidget

from recorder.ui.kit import look
from recorder.ui.kit.words import window_words

_MARGIN = look.SMALL
_MOVES = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)


class Banner(QLabel):
    """Lies over the first of some parts of `page` that is to be seen, or over the foot of the page itself."""

    def __init__(self, page: QWidget, name: str) -> None:
        super().__init__(page)
        self.setObjectName(name)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setStyleSheet(look.BANNER)
        self.hide()
        self._page = page
        self._parts: Sequence[QWidget] = ()
        page.installEventFilter(self)

    def lay_over(self, parts: Sequence[QWidget]) -> None:
        """See `recorder.ui.kit.page.Page.lay_banner_over`."""
        self._parts = parts
        for part in parts:
            around: QWidget | None = part
            while around is not None and around is not self._page:  # what is around a part scrolls, shows and hides it
                around.installEventFilter(self)
                around = around.parentWidget()

    def show_sentence(self, sentence: str) -> None:
        """Show a sentence in the window's words; hide when there is none."""
        words = window_words(sentence)
        self.setText(f"{words[:1].upper()}{words[1:]}")
        self.setToolTip(sentence)
        self.setVisible(bool(sentence))
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        if self.isHidden():
            return
        shown = [self._seen(part) for part in self._parts if part.isVisible()]
        for room in (*shown, self._page.rect()):
            width = room.width() - 2 * _MARGIN
            height = max(self.heightForWidth(width), self.minimumSizeHint().height())
            if height + 2 * _MARGIN <= room.height():
                break
        self.setGeometry(room.left() + _MARGIN, room.bottom() + 1 - _MARGIN - height, width, height)
        self.raise_()

    def _seen(self, part: QWidget) -> QRect:
        """What is to be seen of a part of the page, which may be scrolled."""
        return QRect(part.mapTo(self._page, QPoint(0, 0)), part.size()).intersected(self._page.rect())
