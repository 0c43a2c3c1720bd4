"""What was thrown away: bring it back, or delete all of it for good."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from recorder.library.presenter import LibraryPresenter
from recorder.library.trash import Trashed
from recorder.system.texts import count
from recorder.ui.kit import look
from recorder.ui.kit.confirm import confirm
from recorder.ui.kit.focus import deletes, guard_focus
from recorder.ui.kit.words import tip_of

_POLL_MS = 50


class TrashDialog(QDialog):
    """Shows the trash of `presenter`'s library."""

    def __init__(self, presenter: LibraryPresenter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presenter = presenter
        self.setObjectName("trashDialog")
        self.setWindowTitle("Trash")
        self.setMinimumSize(520, 360)
        self.setStyleSheet(look.PAGE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(look.MARGIN, look.WIDE, look.MARGIN, look.WIDE)
        layout.setSpacing(look.GAP)
        self._words = look.faint("Loading…", "trashWords", wrap=True)
        layout.addWidget(self._words)
        self._list = QListWidget(objectName="trashList", accessibleName="Deleted sessions")
        self._list.setSpacing(3)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.itemSelectionChanged.connect(self._render)
        layout.addWidget(self._list, 1)
        row = QHBoxLayout()
        self._restore = QPushButton("Restore", objectName="restoreButton")
        self._restore.setProperty("primary", True)
        self._empty = deletes(QPushButton("Empty the trash…", objectName="emptyTrashButton"))
        close = QPushButton("Close", objectName="closeTrashButton")
        self._restore.clicked.connect(self._bring_back)
        self._empty.clicked.connect(self._ask)
        close.clicked.connect(self.accept)
        row.addWidget(self._restore)
        row.addWidget(self._empty)
        row.addStretch(1)
        row.addWidget(close)
        layout.addLayout(row)
        close.setDefault(True)
        guard_focus(self, close.setFocus)
        self._shown: list[Trashed] | None = None
        presenter.list_trash()
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self._render)
        self._timer.start()
        self._render()

    def _bring_back(self) -> None:
        for item in self._list.selectedItems():
            self._presenter.restore(item.data(Qt.ItemDataRole.UserRole))

    def _ask(self) -> None:
        question = f"Permanently delete {self._words.text()}?"
        title, loss = "Empty the trash?", "This cannot be undone."
        confirm(self, "confirmEmptyTrash", title, question, loss, "Delete", self._presenter.empty_trash)

    def _render(self) -> None:
        trashed = self._presenter.trashed
        if trashed is not None and trashed is not self._shown:
            self._shown = trashed
            self._list.clear()
            for each in trashed:
                item = QListWidgetItem(f"{each.called}, {each.size_bytes / 1e6:.1f} MB")
                item.setToolTip(tip_of(f"{each.name}, deleted {datetime.fromtimestamp(each.when_s):%Y-%m-%d %H:%M}"))
                item.setData(Qt.ItemDataRole.UserRole, each.path)
                self._list.addItem(item)
            if trashed:
                self._list.setCurrentRow(0)
        if trashed is not None:
            number = count(len(trashed), "session")
            size = sum(each.size_bytes for each in trashed) / 1e6
            self._words.setText(f"{number}, {size:,.1f} MB" if trashed else "The trash is empty.")
        refusal = self._presenter.refusal
        self._restore.setEnabled(bool(self._list.selectedItems()) and not refusal)
        self._empty.setEnabled(bool(trashed) and not refusal)
        for button in (self._restore, self._empty):
            button.setToolTip(refusal)
