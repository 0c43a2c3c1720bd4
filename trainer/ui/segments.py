"""A row of words of which one is chosen, and the page that belongs to it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from recorder.ui.kit import look
from recorder.ui.kit.steady import reserve_width


class Segments(QWidget):
    """Pages under a row of buttons named `<name>Segment`; `switched` brings the name of the one chosen."""

    switched = Signal(str)

    def __init__(self, pages: list[tuple[str, str, QWidget]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        row = QHBoxLayout()
        row.setSpacing(look.SMALL)
        self._group = QButtonGroup(self)
        self._stack = QStackedWidget()
        self._names = [name for name, _, _ in pages]
        self._pages = [page for _, _, page in pages]
        for index, (name, title, page) in enumerate(pages):
            button = QPushButton(title, objectName=f"{name}Segment", checkable=True)
            self._group.addButton(button, index)
            row.addWidget(button)
            self._stack.addWidget(page)
        row.addStretch(1)
        layout.addLayout(row)
        layout.addWidget(self._stack, 1)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(self._clicked)

    @property
    def current(self) -> str:
        """The name of the page that is shown."""
        return self._names[self._stack.currentIndex()]

    def show_page(self, name: str) -> None:
        """Show a page by its name."""
        index = self._names.index(name)
        self._group.button(index).setChecked(True)
        self._stack.setCurrentIndex(index)

    def take_keyboard(self) -> None:
        """Give the keyboard to the first widget of the page that is shown, so that the keys of the page work."""
        page = self._pages[self._stack.currentIndex()]
        first = page.nextInFocusChain()
        (first if first is not None and first.isVisible() else page).setFocus()

    def set_title(self, name: str, title: str) -> None:
        """What the button of a page says."""
        self._group.button(self._names.index(name)).setText(title)

    def reserve(self, name: str, title: str) -> None:
        """Keep the button of a page wide enough for this title."""
        button = self._group.button(self._names.index(name))
        assert isinstance(button, QPushButton)
        reserve_width(button, title)

    def _clicked(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self.switched.emit(self._names[index])
