"""The bar over the list of sessions: what of it is shown."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QWidget

from recorder.library.players import KINDS
from recorder.library.session_summary import SessionSummary
from recorder.ui.kit.fold import FoldingRow


class LibraryBar(FoldingRow):
    """Signals: `narrowed` when other sessions are wanted, `progress_toggled`, and `trash_requested`."""

    narrowed = Signal()
    progress_toggled = Signal()
    trash_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit(objectName="librarySearch", clearButtonEnabled=True)
        self.search.setPlaceholderText("Search titles, notes, tags, players…")
        self.search.setToolTip("Show the sessions that contain all of these words (Ctrl+F)")
        self.search.setAccessibleName("Search")
        self.search.textChanged.connect(self.narrowed)
        self._envs = QComboBox(objectName="libraryEnvFilter", toolTip="Show one environment")
        self._envs.setAccessibleName("Environment")
        self._kinds = QComboBox(
            objectName="libraryKindFilter", toolTip="Show one kind of player", accessibleName="Player"
        )
        for box in (self._envs, self._kinds):
            box.activated.connect(self.narrowed)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._progress = QPushButton("Progress", objectName="progressButton", checkable=True)
        self._progress.setToolTip("Scores over time: am I getting better?")
        self._progress.toggled.connect(self.progress_toggled)
        trash = QPushButton("Trash…", objectName="openTrashButton")
        trash.setToolTip("Deleted sessions: restore them, or delete them permanently")
        trash.clicked.connect(self.trash_requested)
        self.search.setMinimumWidth(260)
        self.add_part(self.search, stretch=1)
        self.add_part(self._envs, self._kinds, self._progress, trash)

    @property
    def wanted(self) -> tuple[str, str, str]:
        """The words that are searched for, the environment, and the kind of player; empty ones match all."""
        return self.search.text(), self._envs.currentData() or "", self._kinds.currentData() or ""

    @property
    def progress(self) -> bool:
        """Whether scores over time are to be shown."""
        return self._progress.isChecked()

    def fill(self, rows: Sequence[SessionSummary]) -> None:
        """Offer what there is among all sessions."""
        _fill_box(self._envs, "All games", {row.env: row.env_title for row in rows if row.env})
        kinds = {str(row.player.get("kind")) for row in rows}
        _fill_box(self._kinds, "Everyone", {kind: texts.plural for kind, texts in KINDS.items() if kind in kinds})


def _fill_box(box: QComboBox, everything: str, entries: dict[str, str]) -> None:
    chosen = box.currentData()
    wanted = [(everything, ""), *((name, key) for key, name in sorted(entries.items()))]
    if wanted == [(box.itemText(number), box.itemData(number)) for number in range(box.count())]:
        return
    blocker = QSignalBlocker(box)
    box.clear()
    for name, key in wanted:
        box.addItem(name, key)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    blocker.unblock()
