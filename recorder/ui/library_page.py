"""The Library page: all sessions, and what is thought of them. A view of recorder.library.presenter; it holds no state.

┌ banner ──────────────────────────────────────────────┐
│ search  [what] [who]             [Progress] [Trash…]  │
│ sessions                          │ one of them       │
│ (score over time)                 │ [Train] [Watch]   │
│ what was done last   [Undo]       │ [Verify] [Merge]… │
└──────────────────────────────────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from recorder.library.library import SessionSummary, player_label
from recorder.library.presenter import LibraryPresenter, LibraryState, history
from recorder.ui.kit import look
from recorder.ui.kit.page import Page
from recorder.ui.library_table import LibraryModel, LibraryTable
from recorder.ui.progress_plot import ProgressPlot
from recorder.ui.session_pane import SessionPane
from recorder.ui.trash_dialog import TrashDialog

_POLL_MS = 25
_KINDS = {
    "person": "People",
    "scripted": "Scripted players",
    "policy": "Clones",
    "random": "Random players",
    "mixed": "Several together",
}
_FEW = 10  # games at either end that tell whether somebody got better


class LibraryPage(Page):
    """Shows what `presenter` says. `train_requested` carries the paths of sessions, `watch_requested` one path.

    `page_requested("record")` asks the window for another page.
    """

    train_requested = Signal(object)
    watch_requested = Signal(object)
    page_requested = Signal(str)

    def __init__(self, presenter: LibraryPresenter, parent: QWidget | None = None) -> None:
        super().__init__("library", parent)
        self.presenter = presenter
        self._filled = 0
        self._active = False
        self._number = 0  # of the row that was selected last: its neighbour is next when it goes
        self._model = LibraryModel(presenter.thumbnail, self)
        self._plotted: tuple[object, ...] = ()  # what the curve was drawn for
        self._stack = QStackedWidget()
        self._stack.addWidget(self._build_empty())
        self._stack.addWidget(self._build_content())
        waiting = QLabel("Looking through the library…", alignment=Qt.AlignmentFlag.AlignCenter)
        waiting.setObjectName("libraryWaiting")
        self._stack.addWidget(waiting)
        self.body.addWidget(self._stack, 1)
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self.bind_keys(
            (
                ("Delete", self._trash),
                ("Ctrl+Z", self._undo),
                ("Ctrl+F", self._search.setFocus),
                ("X", self._pane.mark),
                ("Esc", self._step_back),
            )
        )
        self._render()

    def activate(self) -> None:
        """The page is shown: look for what is new."""
        self._active = True
        self.presenter.refresh()
        self._timer.start()
        self._render()
        self._take_keyboard()

    def deactivate(self) -> None:
        """The page is hidden; what was begun goes on."""
        self._active = False
        self._pane.save_words()

    def shutdown(self) -> None:
        """The window closes: store what was typed, give up the rest."""
        self._pane.save_words()
        self._timer.stop()
        self.presenter.close()

    def _build_empty(self) -> QWidget:
        page = self.empty_state(
            "No recordings yet",
            "Everything you record is kept here: to look at again,\nto sort out, and to train on.",
            "Go to Record",
            "goRecordFromLibraryButton",
            lambda: self.page_requested.emit("record"),
        )
        self._thrown = self._button(
            "Look into the trash…", "openTrashFromEmptyButton", "Bring back what was thrown away"
        )
        self._thrown.setProperty("quiet", True)
        self._thrown.clicked.connect(self._open_trash)
        page.layout().addWidget(self._thrown, 0, Qt.AlignmentFlag.AlignCenter)
        return page

    def _build_content(self) -> QWidget:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        layout.addLayout(self._build_bar())
        split = QSplitter(Qt.Orientation.Horizontal, objectName="librarySplitter")
        split.setChildrenCollapsible(False)
        split.addWidget(self._build_left())
        split.addWidget(self._build_right())
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 0)
        split.setSizes([680, 400])
        layout.addWidget(split, 1)
        return content

    def _build_bar(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        self._search = QLineEdit(objectName="librarySearch", clearButtonEnabled=True)
        self._search.setPlaceholderText("Search titles, notes, tags, players…")
        self._search.setToolTip("Shows the sessions that have all of these words (Ctrl+F)")
        self._search.setAccessibleName("Search")
        self._search.textChanged.connect(self._narrow)
        self._envs = QComboBox(objectName="libraryEnvFilter", toolTip="What was played")
        self._envs.setAccessibleName("Environment")
        self._kinds = QComboBox(objectName="libraryKindFilter", toolTip="Who played", accessibleName="Player")
        self._envs.activated.connect(self._narrow)
        self._kinds.activated.connect(self._narrow)
        for box in (self._envs, self._kinds):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._progress_button = QPushButton("Progress", objectName="progressButton", checkable=True)
        self._progress_button.setToolTip("Scores over time: am I getting better?")
        self._progress_button.toggled.connect(self._render_progress)
        trash = self._button("Trash…", "openTrashButton", "What was thrown away: bring it back, or delete it for good")
        trash.clicked.connect(self._open_trash)
        for widget in (self._search, self._envs, self._kinds, self._progress_button, trash):
            row.addWidget(widget)
        row.setStretchFactor(self._search, 1)
        return row

    def _build_left(self) -> QWidget:
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(look.GAP)
        self._table = LibraryTable(self._model)
        self._table.selectionModel().selectionChanged.connect(self._selected)
        self._model.modelReset.connect(self._reselect)
        self._table.activated.connect(lambda _index: self._watch())
        self._nothing = look.faint("No session is like that.", "libraryNothing")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._plot = ProgressPlot()
        self._plot.hide()
        layout.addWidget(self._table, 1)
        layout.addWidget(self._nothing)
        layout.addWidget(self._plot)
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        self._message = QLabel(objectName="libraryMessage", wordWrap=True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._work = QProgressBar(objectName="libraryWork", maximum=1_000)
        self._work.setFixedWidth(160)
        self._undo_button = self._button("Undo", "libraryUndoButton", "Bring back what was moved to the trash (Ctrl+Z)")
        self._undo_button.setProperty("quiet", True)
        self._undo_button.clicked.connect(self._undo)
        row.addWidget(self._message, 1)
        row.addWidget(self._work)
        row.addWidget(self._undo_button)
        layout.addLayout(row)
        return side

    def _build_right(self) -> QWidget:
        side = QWidget()
        side.setMinimumWidth(372)
        layout = QVBoxLayout(side)
        layout.setContentsMargins(8, 0, 0, 0)
        layout.setSpacing(look.GAP)
        self._pane = SessionPane()
        self._pane.seek_requested.connect(self._seek)
        self._pane.span_marked.connect(self._exclude)
        self._pane.span_freed.connect(self._include)
        self._pane.use_changed.connect(self._use)
        self._pane.label_requested.connect(self._label)
        self._pane.words_changed.connect(self._write)
        self._hint = look.faint("Choose a session to see it here.", "libraryHint", wrap=True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._right = QStackedWidget()
        self._right.addWidget(self._pane)
        self._right.addWidget(self._hint)
        layout.addWidget(self._right, 1)
        grid = QGridLayout()
        grid.setSpacing(look.GAP)
        self._train = self._button("Train on this", "libraryTrainButton", "Open the Train page with it chosen")
        self._train.setProperty("primary", True)
        self._watch_button = self._button(
            "Watch it", "libraryWatchButton", "Open the Watch page (double click, or Enter)"
        )
        self._verify = self._button("Verify", "verifyButton", "Simulate it again and compare every tick, bit for bit")
        self._merge = self._button("Merge", "mergeButton", "Join the selected sessions into a new one")
        self._split_button = self._button("Split", "splitButton", "Part it in two before the game that is chosen above")
        self._throw = self._button("To trash", "trashButton", "Take it out of the library (Delete)")
        for button, place, action in (
            (self._train, (0, 0, 1, 2), self._request_training),
            (self._watch_button, (0, 2, 1, 2), self._watch),
            (self._verify, (1, 0), self._start_verifying),
            (self._merge, (1, 1), self._start_merging),
            (self._split_button, (1, 2), self._start_splitting),
            (self._throw, (1, 3), self._trash),
        ):
            button.clicked.connect(action)
            grid.addWidget(button, *place)
        layout.addLayout(grid)
        return side

    @staticmethod
    def _button(text: str, name: str, tip: str) -> QPushButton:
        return QPushButton(text, objectName=name, toolTip=tip)

    def _narrow(self) -> None:
        self._model.narrow(self._search.text(), self._envs.currentData() or "", self._kinds.currentData() or "")
        self._render()

    def _selected(self, *_: QItemSelection) -> None:
        numbers, current = self._chosen_numbers(), self._table.currentIndex().row()
        numbers.sort(key=lambda number: number != current)  # the one under the cursor is shown
        self._number = numbers[0] if numbers else self._number
        self._pane.save_words()
        self.presenter.select([self._model.rows[number].path for number in numbers])
        self._render()

    def _chosen_numbers(self) -> list[int]:
        spans = self._table.selectionModel().selection()
        return sorted({number for span in spans for number in range(span.top(), span.bottom() + 1)})

    def _seek(self, tick: int) -> None:
        self.presenter.seek(tick)
        self._render()

    def _exclude(self, span: range) -> None:
        self.presenter.exclude(span)
        self._render()

    def _include(self, tick: int) -> None:
        self.presenter.include(tick)
        self._render()

    def _use(self, episode: int, use: bool) -> None:
        self.presenter.use_episode(episode, use)
        self._render()

    def _label(self, episode: int, label: str) -> None:
        self.presenter.label_episode(episode, label)
        self._render()

    def _write(self, path: object, words: dict[str, str]) -> None:
        self.presenter.set_words(path, **words)
        self._timer.start()

    def _request_training(self) -> None:
        self.train_requested.emit([row.path for row in self.presenter.chosen if row.ticks])

    def _watch(self) -> None:
        shown = self.presenter.shown
        if shown is not None and shown.ticks:
            self.watch_requested.emit(shown.path)

    def _start_verifying(self) -> None:
        self.presenter.verify()
        self._render()

    def _start_merging(self) -> None:
        self.presenter.merge()
        self._render()

    def _start_splitting(self) -> None:
        if self._pane.game is not None:
            self.presenter.split(self._pane.game)
            self._render()

    def _trash(self) -> None:
        self.presenter.trash()
        self._render()

    def _undo(self) -> None:
        self.presenter.undo()
        self._render()

    def _step_back(self) -> None:
        if not self._pane.forget_mark():
            self._search.clear()
            self._table.setFocus()

    def _open_trash(self) -> None:
        dialog = TrashDialog(self.presenter, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _take_keyboard(self) -> None:
        """The keys of the page work from here."""
        self._table.setFocus()
        self.focus_way_on()

    def _poll(self) -> None:
        if self.presenter.poll():
            self._render()
        if not self._active and not self.presenter.busy:
            self._timer.stop()

    def _fill(self) -> None:
        """Show the list as it is now, with what was selected; with the newest, where nothing was."""
        self._filled = self.presenter.listed
        self._model.show_rows(self.presenter.rows)
        self._fill_box(self._envs, "All games", {row.env: row.env_title for row in self.presenter.rows if row.env})
        kinds = {str(row.player.get("kind")) for row in self.presenter.rows}
        self._fill_box(self._kinds, "Everyone", {kind: name for kind, name in _KINDS.items() if kind in kinds})
        self._model.narrow(self._search.text(), self._envs.currentData() or "", self._kinds.currentData() or "")
        self._reselect()

    def _reselect(self) -> None:
        """Mark what is selected in a list that is in another order, or other; the first, where none of it is there."""
        wanted, selection = set(self.presenter.selected), self._table.selectionModel()
        numbers = [number for number, row in enumerate(self._model.rows) if row.path in wanted]
        if self._chosen_numbers() != numbers:
            blocker = QSignalBlocker(selection)
            flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
            selection.clearSelection()
            for number in numbers:
                selection.select(self._model.index(number, 0), flags)
            blocker.unblock()
            self._table.viewport().update()
        if not numbers and self._model.rows:
            self._table.selectRow(min(self._number, len(self._model.rows) - 1))

    @staticmethod
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

    def _render(self) -> None:
        presenter = self.presenter
        if self._filled != presenter.listed:
            self._fill()
        self.show_problem(presenter.error)
        something = bool(presenter.rows) or presenter.can_undo or presenter.state is LibraryState.FAILED
        before = self._stack.currentIndex()
        self._stack.setCurrentIndex(1 if something else 2 if presenter.state is LibraryState.LOADING else 0)
        if self._active and self._stack.currentIndex() != before:
            self._take_keyboard()
        if not something:
            self._thrown.setVisible(presenter.library.has_trash)
        self._nothing.setVisible(bool(presenter.rows) and not len(self._model.rows))
        self._table.viewport().update()
        shown = presenter.shown
        self._right.setCurrentIndex(0 if shown is not None else 1)
        self._pane.show_details(presenter.details, presenter.moment, presenter.tick)
        self._render_actions(presenter.chosen, shown)
        work = presenter.work
        self._work.setVisible(work is not None)
        if work is not None:
            self._work.setValue(round(1_000 * work.fraction))
        self._message.setText(f"{work.title}…" if work is not None else presenter.message or self._census())
        self._undo_button.setVisible(presenter.can_undo)
        self._render_progress()

    def _render_actions(self, chosen: Sequence[SessionSummary], shown: SessionSummary | None) -> None:
        played = [row for row in chosen if row.ticks]
        several, idle = len(chosen) > 1, self.presenter.work is None
        self._train.setText(f"Train on these {len(chosen)}" if several else "Train on this")
        self._merge.setText(f"Merge {len(chosen)}" if several else "Merge")
        self._train.setEnabled(bool(played) and all(row.state != "recording" for row in chosen))
        self._watch_button.setEnabled(shown is not None and bool(shown.ticks))
        self._verify.setEnabled(idle and bool(played) and any(not row.verified for row in chosen))
        self._verify.setText("Verified" if chosen and all(row.verified for row in chosen) else "Verify")
        self._merge.setEnabled(idle and len(played) > 1 and len({row.env for row in played}) == 1)
        games = len(self.presenter.details.episodes) if self.presenter.details is not None else 0
        self._split_button.setEnabled(idle and not several and games > 1)
        self._throw.setEnabled(any(row.state != "recording" for row in chosen))

    def _census(self) -> str:
        rows = self._model.rows
        minutes, size = sum(row.seconds for row in rows) / 60, sum(row.size_bytes for row in rows) / 1e6
        number = f"{len(rows):,} session{'' if len(rows) == 1 else 's'}"
        return f"{number}, {minutes:,.1f} minutes of play, {size:,.1f} MB"

    def _render_progress(self) -> None:
        wanted = self._progress_button.isChecked()
        self._plot.setVisible(wanted)
        if not wanted:
            return
        rows = self._model.rows
        example = self.presenter.shown or (rows[0] if rows else None)
        wanted_for = (rows, example)
        if self._plotted == wanted_for:
            return
        self._plotted = wanted_for
        if example is not None:
            rows = [
                row
                for row in rows
                if row.env == example.env and player_label(row.player) == player_label(example.player)
            ]
        found = history(rows)
        games = len(found.scores)
        if example is None or not games:
            self._plot.show_history(found, "No game has been finished yet.")
            return
        who = f"{player_label(example.player)}, {example.env_title}"
        first, last = (sum(part) / len(part) for part in (found.scores[:_FEW], found.scores[-_FEW:]))
        told = f" The first {_FEW} average {first:,.1f}, the last {_FEW} {last:,.1f}." if games >= 2 * _FEW else ""
        plural = "game" if games == 1 else "games"
        self._plot.show_history(found, f"{who}: {games:,} {plural}, {found.minutes:,.1f} minutes in all.{told}")
