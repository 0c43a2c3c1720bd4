"""The list of sessions, with those selected that the presenter says are."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from recorder.library.presenter import LibraryPresenter
from recorder.library.session_summary import SessionSummary
from recorder.ui.kit import look
from recorder.ui.library_table import LibraryModel, LibraryTable


class SessionList(QWidget):
    """Signals: `selected` with the paths of what the user selected, the one to be shown first; `opened`."""

    selected = Signal(object)
    opened = Signal()

    def __init__(self, presenter: LibraryPresenter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presenter = presenter
        self._number = 0  # of the row that was selected last: its neighbour is next when it goes
        self._model = LibraryModel(presenter.preview.thumbnail, self)
        self._table = LibraryTable(self._model)
        self._table.selectionModel().selectionChanged.connect(self._tell)
        self._model.modelReset.connect(self.select_again)
        self._table.activated.connect(lambda _index: self.opened.emit())
        self._nothing = look.faint("No sessions match.", "libraryNothing")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setFocusProxy(self._table)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        layout.addWidget(self._table, 1)
        layout.addWidget(self._nothing)

    @property
    def rows(self) -> list[SessionSummary]:
        """The sessions that are listed, in order."""
        return self._model.rows

    def narrow(self, search: str, env: str, kind: str) -> None:
        """List only sessions like that (see `LibraryModel.narrow`)."""
        self._model.narrow(search, env, kind)

    def fill(self) -> None:
        """The presenter has other sessions: list them."""
        self._model.show_rows(self._presenter.rows)

    def select_again(self) -> None:
        """Mark what is selected in a list that is in another order, or other; the first, where none of it is there."""
        wanted, selection = set(self._presenter.selected), self._table.selectionModel()
        numbers = [number for number, row in enumerate(self._model.rows) if row.path in wanted]
        if self._selected_numbers() != numbers:
            blocker = QSignalBlocker(selection)
            flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
            selection.clearSelection()
            for number in numbers:
                selection.select(self._model.index(number, 0), flags)
            blocker.unblock()
            self._table.viewport().update()
        if not numbers and self._model.rows:
            self._table.selectRow(min(self._number, len(self._model.rows) - 1))

    def show_state(self) -> None:
        """Thumbnails may have come, and what is listed may be nothing."""
        self._nothing.setVisible(bool(self._presenter.rows) and not len(self._model.rows))
        self._table.viewport().update()

    def _tell(self, *_: QItemSelection) -> None:
        numbers, current = self._selected_numbers(), self._table.currentIndex().row()
        numbers.sort(key=lambda number: number != current)  # the one under the cursor is shown
        self._number = numbers[0] if numbers else self._number
        self.selected.emit([self._model.rows[number].path for number in numbers])

    def _selected_numbers(self) -> list[int]:
        selection = self._table.selectionModel().selection()
        spans = [selection.at(index) for index in range(selection.count())]
        return sorted({number for span in spans for number in range(span.top(), span.bottom() + 1)})
