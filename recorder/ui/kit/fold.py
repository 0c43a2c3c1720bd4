"""What lets a page work in a small window: it scrolls, its rows wrap, and its halves stand one above the other.

wide    [part] [part]        narrow   [part]
                                      [part]
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QWidget,
)

from recorder.ui.kit import look

_TITLE_BAR = 40  # pixels, at the top of a dialog
_BOXES = (QComboBox, QAbstractSpinBox)


class Scroll(QScrollArea):
    """Scrolls `content` where there is too little room for it. Keys are left to what is around it: they may play.

    The mouse wheel scrolls over a box of choices or numbers, too. It changes the value only after a click into the box.
    """

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        for kind in _BOXES:
            for box in self.findChildren(kind):
                box.installEventFilter(self)
                if box.focusPolicy() is Qt.FocusPolicy.WheelFocus:
                    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, _BOXES) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def resize_within_screen(dialog: QWidget, width: int, height: int) -> None:
    """Give a dialog this size, or what a small screen has room for."""
    room = dialog.screen().availableSize()
    dialog.resize(min(width, room.width()), min(height, room.height() - _TITLE_BAR))


class FoldingRow(QWidget):
    """Parts side by side, or one below the other where they do not fit beside each other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(look.GAP)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def add_part(self, *widgets: QWidget, stretch: int = 0) -> QHBoxLayout:
        """Add a part of these widgets, and return its layout; widgets that `stretch` is for are set there."""
        part = QWidget()
        layout = QHBoxLayout(part)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        for widget in widgets:
            layout.addWidget(widget)
        self._row.addWidget(part, stretch)
        return layout

    def minimumSizeHint(self) -> QSize:
        return QSize(max(self._widths(), default=0), self._row.minimumSize().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fold()
        return super().event(event)

    def _fold(self) -> None:
        widths = self._widths()
        fits = sum(widths) + self._row.spacing() * (len(widths) - 1) <= self.width()
        direction = QBoxLayout.Direction.LeftToRight if fits else QBoxLayout.Direction.TopToBottom
        if direction != self._row.direction():
            self._row.setDirection(direction)
            self.updateGeometry()

    def _widths(self) -> list[int]:
        items = (self._row.itemAt(index) for index in range(self._row.count()))
        return [item.minimumSize().width() for item in items if item is not None and not item.isEmpty()]


class FoldingSplitter(QSplitter):
    """Two halves side by side, or one above the other below `narrow` pixels; then each is `heights` high at least."""

    def __init__(self, narrow: int, heights: tuple[int, int], parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._narrow, self._heights = narrow, heights
        self._wide_sizes: list[int] = []
        self.setChildrenCollapsible(False)
        self.setHandleWidth(look.WIDE)

    def minimumSizeHint(self) -> QSize:
        return QSize(max(self._widths(), default=0), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fold()
        super().resizeEvent(event)

    def _fold(self) -> None:
        folded = self.width() < max(self._narrow, sum(self._widths()) + self.handleWidth())
        if folded == (self.orientation() is Qt.Orientation.Vertical):
            return
        if folded:
            self._wide_sizes = self.sizes()
        self.setOrientation(Qt.Orientation.Vertical if folded else Qt.Orientation.Horizontal)
        for half, height in zip(self._halves(), self._heights, strict=True):
            half.setMinimumHeight(height if folded else 0)
        self.setSizes(list(self._heights) if folded else self._wide_sizes)
        self.updateGeometry()

    def _halves(self) -> list[QWidget]:
        halves = (self.widget(index) for index in range(self.count()))
        return [half for half in halves if half is not None]

    def _widths(self) -> list[int]:
        return [max(half.minimumSizeHint().width(), half.minimumWidth()) for half in self._halves()]
