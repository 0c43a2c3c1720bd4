"""What a review of a session found, as a short list; not there if it found nothing.

Worth a look           [Leave out]
0:16  Nothing was pressed for 34 s.      a click or an arrow key goes there; what would spoil a training is bold
1:30  Game 2: …
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from recorder.library.findings import Finding, whole_game
from recorder.library.preview import Details
from recorder.system.texts import duration_text
from recorder.ui.kit import look
from recorder.ui.kit.keys import shortcut_key
from recorder.ui.library_table import Index, RowDelegate

MOST_ROWS = 4  # that are in sight at a time
_TIP = "A click goes there. What would spoil a training is bold; X leaves the selected one out, Ctrl+Z takes that back."
_ROOM = 8  # pixels of a row beside its text
_LEAVE_OUT_KEYS = (int(Qt.Key.Key_X), int(Qt.Key.Key_Delete))


class FindingsList(QWidget):
    """Shows findings. `seek_requested` carries a tick, `span_marked` a range to leave out of training, `use_changed`
    the number of a game and False.
    """

    seek_requested = Signal(int)
    span_marked = Signal(object)
    use_changed = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._findings: tuple[Finding, ...] = ()
        self._details: Details | None = None
        self._refusal = ""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        row = QHBoxLayout()
        self._button = QPushButton("Leave out", objectName="leaveOutButton")
        self._button.clicked.connect(self.leave_out)
        row.addWidget(look.heading("Worth a look", factor=1.0))
        row.addStretch(1)
        row.addWidget(self._button)
        layout.addLayout(row)
        self._list = _Rows()
        self._list.currentRowChanged.connect(self._go)
        self._list.itemClicked.connect(lambda item: self._go(self._list.row(item)))
        self._list.leave_out_requested.connect(self.leave_out)
        layout.addWidget(self._list)
        self.refuse("")
        self.hide()

    def refuse(self, why: str) -> None:
        """Allow no changes, because of `why`; empty to allow them again."""
        self._refusal = why
        self._button.setToolTip(why or "Exclude the selected one from training (X)")
        self._enable()

    def show_findings(self, findings: tuple[Finding, ...], details: Details | None) -> None:
        """List these findings of a session."""
        other = self._details is None or details is None or self._details.path != details.path
        self._details = details
        if findings == self._findings and not other:
            return
        row = -1 if other else min(self._list.currentRow(), len(findings) - 1)
        self._findings = findings
        blocker = QSignalBlocker(self._list)
        self._list.clear()
        for finding in findings if details is not None else ():
            assert details is not None
            at = duration_text(finding.start / details.rate_hz)
            game = f"Game {finding.game}: " if whole_game(finding, details.games) is not None else ""
            item = QListWidgetItem(f"{at}  {game}{finding.text}")
            item.setFont(look.scaled(self.font(), 1.0, bold=finding.grave))
            self._list.addItem(item)
        self._list.setCurrentRow(row)
        blocker.unblock()
        self.setVisible(bool(findings))
        self._list.fit()
        self._enable()

    def leave_out(self) -> None:
        """Exclude the selected finding from training: its game, if it is about one as a whole, or its ticks."""
        row = self._list.currentRow()
        if self._details is None or self._refusal or not 0 <= row < len(self._findings):
            return
        finding = self._findings[row]
        number = whole_game(finding, self._details.games)
        self._list.setFocus()  # where the next one is chosen
        if number is None:
            self.span_marked.emit(range(finding.start, finding.stop))
        else:
            self.use_changed.emit(number, False)

    def _go(self, row: int) -> None:
        self._enable()
        if 0 <= row < len(self._findings):
            self.seek_requested.emit(self._findings[row].start)

    def _enable(self) -> None:
        self._button.setEnabled(not self._refusal and self._list.currentRow() >= 0)


class _WideRows(RowDelegate):
    """A row is a little higher than its text."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return super().sizeHint(option, index) + QSize(0, _ROOM)


class _Rows(QListWidget):
    """As high as its rows, up to MOST_ROWS; X and Delete are about the selected one and not about the session."""

    leave_out_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("findingsList")
        self.setAccessibleName("Worth a look")
        self.setToolTip(_TIP)
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setItemDelegate(_WideRows(self))

    def fit(self) -> None:
        """Take the height of the rows; the bar to scroll them would take from the width by which they wrap."""
        scrolls = self.count() > MOST_ROWS
        policy = Qt.ScrollBarPolicy.ScrollBarAlwaysOn if scrolls else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)
        self.doItemsLayout()
        last = self.item(min(self.count(), MOST_ROWS) - 1)
        if last is not None:
            rows = self.visualItemRect(last).bottom() - self.visualItemRect(self.item(0)).top() + 1
            self.setFixedHeight(rows + 2 * self.frameWidth())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _leaves_out(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _leaves_out(event):
            self.leave_out_requested.emit()
        else:
            super().keyPressEvent(event)


def _leaves_out(event: QKeyEvent) -> bool:
    return event.modifiers() == Qt.KeyboardModifier.NoModifier and shortcut_key(event) in _LEAVE_OUT_KEYS
