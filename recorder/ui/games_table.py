"""The games of one session: which of them training uses, what came of each, and how it is labelled."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from recorder.library.preview import Details
from recorder.store.episode_table import RecordedGame
from recorder.system.texts import clock
from recorder.ui.kit import look
from recorder.ui.kit.keys import shortcut_key
from recorder.ui.library_table import RowDelegate

MOST_GAMES = 500  # a list of more is no help; the command line shows them all
_TIP = "Ticked games are used in training. G marks a game good, B bad; so does a click on its label."
_COLUMNS = ("Use", "Score", "Time", "Ended", "Label")
_PADDING, _HEADING_PADDING = 16, 16  # pixels beside the text of a cell and of a heading
_LABELS = {"": "–", "success": "good", "failure": "bad"}
_NEXT = {"": "success", "success": "failure", "failure": "failure"}  # a label that is given again is taken off
_KEYS = {int(Qt.Key.Key_G): "success", int(Qt.Key.Key_B): "failure"}


class GamesTable(QTableWidget):
    """Lists games; the one that is shown beside it is in bold, and keys are about that one."""

    game_chosen = Signal(int)  # the tick at which it begins
    use_changed = Signal(int, bool)  # number of the game, whether training may use it
    label_requested = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(_COLUMNS), parent)
        self.setObjectName("gamesTable")
        self._listed: tuple[RecordedGame, ...] = ()
        self._present: RecordedGame | None = None
        self._refusal = ""  # why nothing can be changed
        self.setHorizontalHeaderLabels(list(_COLUMNS))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(28)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAccessibleName("Games; ticked ones are used in training")
        self.setToolTip(_TIP)
        self.setItemDelegate(RowDelegate(self))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(0, 51)
        header.resizeSection(4, 58)
        self._fit()
        self.itemChanged.connect(self._check)
        self.currentCellChanged.connect(self._choose)
        self.cellClicked.connect(self._click)

    def refuse(self, why: str) -> None:
        """Allow no changes, because of `why`; empty to allow them again."""
        self._refusal = why
        self.setToolTip(why or _TIP)
        blocker = QSignalBlocker(self)
        for row in range(self.rowCount()):
            self._cell(row, 0).setFlags(self._use_flags)
        blocker.unblock()

    def show_details(self, details: Details | None) -> None:
        """List the games of this session, or the first of them where there are many."""
        self._listed = details.games[:MOST_GAMES] if details is not None else ()
        blocker = QSignalBlocker(self)
        self.setRowCount(len(self._listed))
        for row, game in enumerate(self._listed):
            assert details is not None
            texts = (
                str(game.number),
                f"{game.score:,.0f}",
                clock(game.ticks / details.rate_hz),
                details.ending(game),
                _LABELS.get(game.label, game.label),
            )
            for column, text in enumerate(texts):
                item = self.item(row, column) or QTableWidgetItem()
                item.setText(text)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                if column == 0:
                    item.setFlags(self._use_flags)
                    item.setCheckState(Qt.CheckState.Unchecked if game.excluded else Qt.CheckState.Checked)
                    item.setData(Qt.ItemDataRole.UserRole, game.number)
                if self.item(row, column) is None:
                    self.setItem(row, column, item)
        blocker.unblock()
        self._fit()
        rows = min(max(len(self._listed), 1), 5)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + 28 * rows + 4)

    def _fit(self) -> None:
        """Give scores and times the room that they take in bold, and the rest to how games ended."""
        metrics = QFontMetricsF(look.scaled(self.font(), 1.0, bold=True))  # in whole pixels the last digit is cut off
        for column in (1, 2):
            texts = (self._cell(row, column).text() for row in range(self.rowCount()))
            room = max(map(metrics.horizontalAdvance, texts), default=0.0) + _PADDING
            heading = metrics.horizontalAdvance(_COLUMNS[column]) + _HEADING_PADDING
            self.horizontalHeader().resizeSection(column, ceil(max(room, heading)))

    def show_present(self, present: RecordedGame | None) -> None:
        """Another game may be shown beside the list."""
        self._present = present
        shown = None if present is None else present.number
        blocker = QSignalBlocker(self)
        for row in range(self.rowCount()):
            bold = self._cell(row, 0).data(Qt.ItemDataRole.UserRole) == shown
            if self._cell(row, 0).font().bold() != bold:
                for column in range(3):  # bold, how it ended may not fit
                    self._cell(row, column).setFont(look.scaled(self.font(), 1.0, bold=bold))
        blocker.unblock()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        here, label = self._present, _KEYS.get(shortcut_key(event))
        if self._refusal:
            super().keyPressEvent(event)
        elif here is not None and label is not None:
            self.label_requested.emit(here.number, label)
        elif here is not None and event.key() == Qt.Key.Key_Space:
            self.use_changed.emit(here.number, here.excluded)
        else:
            super().keyPressEvent(event)

    @property
    def _use_flags(self) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags if self._refusal else flags | Qt.ItemFlag.ItemIsUserCheckable

    def _cell(self, row: int, column: int) -> QTableWidgetItem:
        cell = self.item(row, column)
        assert cell is not None, f"row {row} was never filled"
        return cell

    def _check(self, item: QTableWidgetItem) -> None:
        if item.column() == 0:
            number = int(item.data(Qt.ItemDataRole.UserRole))
            self.use_changed.emit(number, item.checkState() is Qt.CheckState.Checked)

    def _click(self, row: int, column: int) -> None:
        self._choose(row)
        if _COLUMNS[column] == "Label" and not self._refusal and row < len(self._listed):
            here = self._listed[row]
            self.label_requested.emit(here.number, _NEXT[here.label])

    def _choose(self, row: int, *_: int) -> None:
        if 0 <= row < len(self._listed):
            self.game_chosen.emit(self._listed[row].start)
