"""The line below the list of sessions: what was done last or is under way, or else how much there is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from recorder.library.copies import without_copies
from recorder.library.presenter import LibraryPresenter
from recorder.library.session_summary import SessionSummary
from recorder.system.texts import count
from recorder.ui.kit import look
from recorder.ui.kit.words import window_words


class LibraryStatus(QWidget):
    """Offers to undo what can be undone, `undo_requested`, and to save a table of what is listed, `table_requested`."""

    undo_requested = Signal()
    table_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(look.GAP)
        self._message = QLabel(objectName="libraryMessage", wordWrap=True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._work = QProgressBar(objectName="libraryWork", maximum=1_000)
        self._work.setFixedWidth(160)
        self._undo = QPushButton("Undo", objectName="libraryUndoButton")
        self._undo.setProperty("quiet", True)
        self._undo.clicked.connect(self.undo_requested)
        row.addWidget(self._message, 1)
        row.addWidget(self._work)
        row.addWidget(self._undo)
        self._table = QPushButton("Table (CSV)…", objectName="tableButton")
        self._table.setProperty("quiet", True)
        self._table.clicked.connect(self.table_requested)
        row.addWidget(self._table)

    def show_state(self, presenter: LibraryPresenter, rows: Sequence[SessionSummary]) -> None:
        """Show what is under way; `rows` are the sessions that are listed."""
        work = presenter.work
        self._work.setVisible(work is not None)
        if work is not None:
            self._work.setValue(round(1_000 * work.fraction))
        self._message.setText(
            f"{work.title}…" if work is not None else window_words(presenter.message) or _census(rows)
        )
        why_not = "" if rows else "No sessions are listed"
        if work is not None:
            why_not = f"{work.title} is in progress; wait until it is done"
        self._table.setEnabled(not why_not)
        self._table.setToolTip(why_not or "Save a table of sessions or games, for R, pandas or a spreadsheet")
        self._undo.setVisible(presenter.can_undo)
        self._undo.setToolTip(f"Undo (Ctrl+Z): {presenter.undone.next}")


def _census(rows: Sequence[SessionSummary]) -> str:
    minutes, size = sum(row.seconds for row in without_copies(rows)) / 60, sum(row.size_bytes for row in rows) / 1e6
    number = count(len(rows), "session")
    return f"{number}, {minutes:,.1f} minutes of play, {size:,.1f} MB"
