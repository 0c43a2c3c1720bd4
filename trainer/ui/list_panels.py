"""What has been trained: the runs, to be shown and compared, and the twins that came of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from recorder.envs.registry import get_spec
from recorder.library.players import player_label
from recorder.system.texts import local_time
from recorder.ui.kit import look
from recorder.ui.kit.focus import deletes
from recorder.ui.kit.icons import show_icon
from trainer.progress.curves import time_left
from trainer.runs.policy_library import PolicySummary
from trainer.runs.presenter import TrainPresenter
from trainer.runs.run_list import MOST_COMPARED
from trainer.runs.runs import Run, RunState
from trainer.runs.setup import Setup
from trainer.ui.wide_rows import WideRows

_KEY = Qt.ItemDataRole.UserRole
_TWIN_TIPS = ("Give it another name (F2)", "Move it to the trash (Del)")
_NAME_WIDE = 420  # pixels, for a name to be seen as a whole
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class _ListPanel(QWidget):
    """A table with a row of buttons, words for when it is empty, and a line for what was done last."""

    changed = Signal()

    def __init__(
        self, presenter: TrainPresenter, name: str, columns: Sequence[str], stretched: int, empty: str
    ) -> None:
        super().__init__()
        self.presenter = presenter
        self._stretched = stretched
        self._rows: list[tuple[object, Sequence[str], str]] | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        self.table = QTableWidget(0, len(columns), objectName=f"{name}Table")
        self.table.setHorizontalHeaderLabels(list(columns))
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # names of one kind begin alike
        self.table.setWordWrap(False)
        self.table.setItemDelegate(WideRows(self.table))
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)
        layout.addWidget(self.table, 1)
        self._empty = look.faint(empty, f"{name}Empty", wrap=True)
        layout.addWidget(self._empty)
        self._notice = QLabel(objectName=f"{name}Notice", wordWrap=True, visible=False)
        self._notice.setTextFormat(Qt.TextFormat.PlainText)
        layout.addWidget(self._notice)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(look.SMALL)
        layout.addLayout(self._buttons)

    def button(
        self, text: str, name: str, icon: str, tip: str, action: Callable[[], object], primary: bool = False
    ) -> QPushButton:
        """Add a button to the row."""
        made = QPushButton(text, objectName=name, toolTip=tip)
        made.setProperty("primary", primary)
        show_icon(made, icon)
        made.clicked.connect(action)
        self._buttons.addWidget(made)
        return made

    def selected(self) -> object:
        """The key of the selected row, None where there is none."""
        rows = self.table.selectionModel().selectedRows()
        return self.first_cell(rows[0].row()).data(_KEY) if rows else None

    def first_cell(self, row: int) -> QTableWidgetItem:
        """The cell of a row that has its key."""
        cell = self.table.item(row, 0)
        assert cell is not None, f"row {row} was never filled"
        return cell

    def fill(self, rows: Sequence[tuple[object, Sequence[str], str]], right_from: int) -> None:
        """Show rows of (key, texts, tooltip), if they are others; the selected one stays selected."""
        if self._rows == (rows := list(rows)):
            return
        self._rows = rows
        before = self.selected()
        blocker = QSignalBlocker(self.table)
        self.table.setRowCount(len(rows))
        for index, (key, texts, tip) in enumerate(rows):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(tip)
                if column >= right_from:
                    item.setTextAlignment(_RIGHT)
                self.table.setItem(index, column, item)
            self.first_cell(index).setData(_KEY, key)
            if key == before:
                self.table.selectRow(index)
        for column in range(self.table.columnCount()):
            empty = bool(rows) and not any(texts[column] for _, texts, _ in rows)
            self.table.setColumnHidden(column, empty and column >= right_from)  # more room for names
            if column != self._stretched:  # once: a header that does so by itself does it for every item
                self.table.resizeColumnToContents(column)
        self.table.resizeRowsToContents()
        blocker.unblock()
        self.table.setVisible(bool(rows))
        self._empty.setVisible(not rows)

    def show_undo(self, button: QPushButton) -> None:
        """Offer to undo what was done last, where there is anything."""
        undone = self.presenter.edits.undone
        button.setVisible(bool(undone))
        button.setToolTip(f"Undo (Ctrl+Z): {undone.next}")

    def say(self, notice: str) -> None:
        """Show what was done last."""
        self._notice.setText(notice)
        self._notice.setVisible(bool(notice))


class RunsPanel(_ListPanel):
    """Every run with its settings and result; a click shows one, a tick lays it over the one that is shown."""

    def __init__(self, presenter: TrainPresenter) -> None:
        super().__init__(
            presenter,
            "run",
            ("", "Started", "Training", "State", "Accuracy", "Score"),
            2,
            "No training yet. Each one is kept here, with its settings, its curves and its log.",
        )
        self.table.setAccessibleName("Runs")
        self.table.setToolTip(f"Click a run to show it; tick up to {MOST_COMPARED} others to compare")
        self.table.itemSelectionChanged.connect(self._selected)
        self.table.itemChanged.connect(self._ticked)
        self._delete = deletes(self.button("Delete", "deleteRunButton", "trash", "", self.remove))
        self._undo = self.button("Undo", "undoRunButton", "undo", "Undo what was done last (Ctrl+Z)", self._bring_back)
        self._buttons.addStretch(1)

    def show_state(self) -> None:
        """Show the runs as they stand."""
        presenter, run_list = self.presenter, self.presenter.run_list
        titles = {twin.run: twin.title for twin in presenter.twins}
        named = {run.id: titles.get(run.id, run.named) if run.names_its_twin else run.named for run in run_list.runs}
        self.fill([(run.id, _run_texts(run, named[run.id]), _run_tip(run, named[run.id])) for run in run_list.runs], 4)
        blocker = QSignalBlocker(self.table)
        for index, run in enumerate(run_list.runs):
            tick = self.first_cell(index)
            flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
            if run_list.comparable(run.id):
                flags |= Qt.ItemFlag.ItemIsUserCheckable
                chosen = Qt.CheckState.Checked if run.id in run_list.compared else Qt.CheckState.Unchecked
                if tick.data(Qt.ItemDataRole.CheckStateRole) != chosen:
                    tick.setCheckState(chosen)
            elif tick.data(Qt.ItemDataRole.CheckStateRole) is not None:
                tick.setData(Qt.ItemDataRole.CheckStateRole, None)
            if tick.flags() != flags:
                tick.setFlags(flags)
            if run.id == run_list.shown and self.selected() != run.id:
                self.table.selectRow(index)
        shown = run_list.run
        if shown is None:
            self.table.clearSelection()
        blocker.unblock()
        running = shown is not None and shown.status.state is RunState.RUNNING
        self._delete.setEnabled(shown is not None and not running)
        tip = "Pause or stop it first" if running else "Move to the trash (Del); its twin stays"
        self._delete.setToolTip(tip if shown is not None else "Select a run first")
        self.show_undo(self._undo)
        self.say(presenter.messages.notice)

    def _selected(self) -> None:
        key = self.selected()
        if isinstance(key, str) and key != self.presenter.run_list.shown:
            self.presenter.run_list.show(key)
            self.changed.emit()

    def _ticked(self, item: QTableWidgetItem) -> None:
        if item.column() == 0 and self.presenter.run_list.comparable(item.data(_KEY)):
            self.presenter.run_list.compare(item.data(_KEY), item.checkState() is Qt.CheckState.Checked)
            self.changed.emit()

    def remove(self) -> None:
        """Move the run that is shown to the trash."""
        if self._delete.isEnabled():
            self.presenter.edits.delete_run(self.presenter.run_list.shown)
            self.changed.emit()

    def _bring_back(self) -> None:
        self.presenter.edits.undo()
        self.changed.emit()


class TwinsPanel(_ListPanel):
    """The clones of the library; `watch_requested` brings the one to watch."""

    watch_requested = Signal(object)

    def __init__(self, presenter: TrainPresenter) -> None:
        super().__init__(
            presenter,
            "twin",
            ("Name", "Game", "Test score", "Learned from"),
            0,
            "No twin yet. Train one, or import a policy file.",
        )
        self.table.setAccessibleName("Your twins")
        self.table.setToolTip("Enter watches, F2 renames, Del deletes")
        self.table.itemSelectionChanged.connect(self.show_buttons)
        self.table.itemActivated.connect(lambda _: self._watch())
        score = self.table.horizontalHeaderItem(2)
        assert score is not None
        score.setToolTip(
            "Mean score in the test games of its training, which end early; Scores… on the Watch page plays whole games"
        )
        self._watch_button = self.button("Watch", "watchTwinButton", "watch", "See it play (Enter)", self._watch, True)
        self._rename_button = self.button("Rename…", "renameTwinButton", "edit", "", self.ask_for_name)
        self._delete_button = deletes(self.button("Delete", "deleteTwinButton", "trash", "", self.remove))
        self._undo = self.button("Undo", "undoTwinButton", "undo", "Undo what was done last (Ctrl+Z)", self._bring_back)
        self._buttons.addStretch(1)
        self.button("Import…", "importTwinButton", "folder", "Import a policy file; it is checked first", self._import)

    def show_state(self) -> None:
        """Show the clones as they are."""
        self.fill([(twin.path, _twin_texts(twin), _twin_tip(twin)) for twin in self.presenter.twins], 99)
        if self.selected() is None and self.presenter.twins:
            self.table.selectRow(0)
        self.show_undo(self._undo)
        self.say(self.presenter.messages.notice)
        self.show_buttons()

    def show_buttons(self) -> None:
        """Enable what can be done with the selected clone."""
        twin = self._twin()
        self._watch_button.setEnabled(twin is not None and not twin.problem)
        why_not = "" if twin is None else self.presenter.edits.why_not(twin.path)
        for button, tip in zip((self._rename_button, self._delete_button), _TWIN_TIPS, strict=True):
            button.setEnabled(twin is not None and not why_not)
            button.setToolTip(why_not or tip)

    def rename(self, new: str) -> None:
        """Give the selected clone another name."""
        twin = self._twin()
        if twin is not None and new.strip() and new != twin.title:
            self.presenter.edits.rename_twin(twin.name, new)
            self.changed.emit()

    def _twin(self) -> PolicySummary | None:
        key = self.selected()
        return next((twin for twin in self.presenter.twins if twin.path == key), None)

    def _watch(self) -> None:
        if self._watch_button.isEnabled():
            self.watch_requested.emit(self.selected())

    def ask_for_name(self) -> None:
        """Ask for another name for the selected clone."""
        twin = self._twin()
        if twin is not None and self._rename_button.isEnabled():
            dialog = QInputDialog(self)
            dialog.setWindowTitle("Rename your twin")
            dialog.setLabelText("Name")
            dialog.setTextValue(twin.title)
            dialog.setOkButtonText("Rename")
            for button in dialog.findChildren(QPushButton):
                button.setIcon(QIcon())  # as on the other buttons of the window
            dialog.resize(_NAME_WIDE, dialog.sizeHint().height())
            dialog.textValueSelected.connect(self.rename)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def remove(self) -> None:
        """Move the selected clone to the trash."""
        twin = self._twin()
        if twin is not None and self._delete_button.isEnabled():
            self.presenter.edits.delete_twin(twin.name)
            self.changed.emit()

    def _bring_back(self) -> None:
        self.presenter.edits.undo()
        self.changed.emit()

    def _import(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Import a policy file", "", "Policies (*.safetensors)")
        if name:
            self.presenter.edits.import_twin(Path(name))
            self.changed.emit()


def _run_texts(run: Run, named: str) -> tuple[str, ...]:
    status, setup = run.status, run.setup
    if setup is None:
        return ("", run.id[:16], "Unreadable", "failed", "", "")
    state = "stopped early" if status.stopped_early else status.state.value
    accuracy = "" if status.val_accuracy is None else f"{100 * status.val_accuracy:.0f} %"
    score = "" if status.score is None else f"{status.score:,.0f}"
    return ("", local_time(setup.created), _what(setup, named), state, accuracy, score)


def _what(setup: Setup, named: str) -> str:
    preset = setup.preset or (f"goes on from {setup.goes_on_from}" if setup.parent else "custom settings")
    return ", ".join(filter(None, (named, get_spec(setup.env).title, preset)))


def _run_tip(run: Run, named: str) -> str:
    if run.setup is None:
        return run.problem
    learned = ", ".join(source.name for source in run.setup.sources[:4])
    return f"{_what(run.setup, named)}\n{run.id}\n{run.status.batches:,} batches, learns from {learned}" + (
        f"\n{run.status.reason}" if run.status.reason else ""
    )


def _twin_texts(twin: PolicySummary) -> tuple[str, ...]:
    if twin.problem:
        return (twin.title, "Unreadable", "", "")
    players = ", ".join(dict.fromkeys(player_label(player) for player in twin.players))
    score = "" if twin.score is None else f"{twin.score:,.0f}"
    return (twin.title, twin.env_title, score, f"{players}, {twin.minutes:.0f} min")


def _twin_tip(twin: PolicySummary) -> str:
    learned = ", ".join(twin.learned_from[:4])
    return (
        twin.problem
        or f"{twin.title}\n{twin.path.name}\ntrained {local_time(twin.created)}, {twin.batches:,} batches\n"
        f"learned from {learned}"
        + (f"\ngoes on from {twin.goes_on_from}" if twin.goes_on_from else "")
        + ("" if twin.score is None else f"\ntest games of at most {time_left(twin.test_seconds)} each")
        + (f"\nNote: {twin.note}." if twin.note else "")
    )
