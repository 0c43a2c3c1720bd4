"""Save a table of sessions or of their games: which, a row for what, and where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from recorder.library.presenter import LibraryPresenter
from recorder.library.session_summary import SessionSummary
from recorder.system.texts import count
from recorder.ui.kit import look
from recorder.ui.kit.confirm import ask_to_replace
from recorder.ui.kit.save_file import choose_file, user_folder, why_not_there

_SUFFIX = ".csv"


class TableDialog(QDialog):
    """Offers the sessions that are selected and those that are `listed`; the presenter writes the table."""

    def __init__(
        self, presenter: LibraryPresenter, listed: Sequence[SessionSummary], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._presenter, self._listed = presenter, tuple(listed)
        self._selected = tuple(row for row in listed if row in presenter.chosen)
        self.setObjectName("tableDialog")
        self.setWindowTitle("Save a table")
        self.setMinimumWidth(560)
        column = QVBoxLayout(self)
        column.setContentsMargins(look.MARGIN, look.WIDE, look.MARGIN, look.WIDE)
        column.setSpacing(look.WIDE)
        column.addWidget(look.heading("Save a table (CSV)"))
        column.addLayout(self._build_form())
        self._words = look.faint("For R, pandas and spreadsheets.", "tableWords", wrap=True)
        column.addWidget(self._words)
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        row.addStretch(1)
        cancel = QPushButton("Cancel", objectName="cancelTableButton", toolTip="Close (Esc)", autoDefault=False)
        cancel.clicked.connect(self.reject)
        save = QPushButton("Save", objectName="saveTableButton", default=True, toolTip="Save the table (Enter)")
        save.setProperty("primary", True)
        save.clicked.connect(self._save)
        row.addWidget(cancel)
        row.addWidget(save)
        column.addLayout(row)
        save.setFocus()  # all is chosen already

    def _build_form(self) -> QGridLayout:
        form = QGridLayout()
        form.setHorizontalSpacing(look.WIDE)
        form.setVerticalSpacing(look.GAP)
        several = len(self._selected) > 1  # a single one is selected all the time
        self._some = QRadioButton(
            f"{count(len(self._selected), 'session')} selected", objectName="tableSelected", checked=several
        )
        self._some.setEnabled(bool(self._selected))
        every = QRadioButton(
            f"{count(len(self._listed), 'session')} listed", objectName="tableListed", checked=not several
        )
        self._games = QRadioButton("One for each game", objectName="tableGames", checked=True)
        whole = QRadioButton("One for each session", objectName="tableSessions")
        for first, second in ((self._some, every), (self._games, whole)):
            group = QButtonGroup(self)
            group.addButton(first)
            group.addButton(second)
        self._suggested = self._suggestion()
        self._path = QLineEdit(self._suggested, objectName="tablePath", toolTip="The file to write")
        self._path.setAccessibleName("File")
        self._games.toggled.connect(self._rename)
        browse = QPushButton("Choose…", objectName="tableBrowse", toolTip="Choose the folder and the name")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        for row, (title, choices) in enumerate((("Sessions", (every, self._some)), ("Rows", (self._games, whole)))):
            form.addWidget(QLabel(title), row, 0)
            for place, choice in enumerate(choices, 1):
                form.addWidget(choice, row, place)
        form.addWidget(QLabel("File"), 2, 0)
        form.addWidget(self._path, 2, 1, 1, 2)
        form.addWidget(browse, 2, 3)
        form.setColumnStretch(1, 1)
        form.setColumnStretch(2, 1)
        return form

    def _suggestion(self) -> str:
        folder = user_folder(QStandardPaths.StandardLocation.DocumentsLocation)
        return str(folder / f"Twinplay {'games' if self._games.isChecked() else 'sessions'}{_SUFFIX}")

    def _rename(self) -> None:
        if self._path.text() == self._suggested:
            self._suggested = self._suggestion()
            self._path.setText(self._suggested)

    def _browse(self) -> None:
        if name := choose_file(self, "Save the table as", self._path.text(), f"Table (*{_SUFFIX})"):
            self._path.setText(_with_suffix(name))

    def _save(self) -> None:
        text = self._path.text().strip()
        path = Path.home() / Path(_with_suffix(text)).expanduser()
        if problem := why_not_there(text, path):
            self._words.setText(problem)
        elif path.exists():
            ask_to_replace(path, "table", lambda: self._write(path), self)
        else:
            self._write(path)

    def _write(self, path: Path) -> None:
        rows = self._selected if self._some.isChecked() else self._listed
        self._presenter.save_table(path, rows, games=self._games.isChecked())
        self.accept()


def _with_suffix(name: str) -> str:
    return name if name.lower().endswith(_SUFFIX) else name + _SUFFIX
