"""The Library page: all sessions, and what is thought of them. A view of recorder.library.presenter; it holds no state.

┌──────────────────────────────────────────────────────┐
│ search  [what] [who]             [Progress] [Trash…]  │
│ sessions                          │ one of them       │
│ (score over time)                 │ [Train] [Watch]   │
│ what was done last [Undo] [Table] │ [Verify] [Merge]… │
└──────────────────────────────────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from recorder.library.access import LibraryAccess
from recorder.library.presenter import LibraryPresenter, LibraryState
from recorder.ui.kit import look
from recorder.ui.kit.fold import FoldingSplitter
from recorder.ui.kit.pace import IDLE_MS, set_pace
from recorder.ui.kit.page import Page
from recorder.ui.kit.plots import import_ahead
from recorder.ui.kit.shortcuts import Shortcut
from recorder.ui.kit.slots import then
from recorder.ui.library_bar import LibraryBar
from recorder.ui.library_status import LibraryStatus
from recorder.ui.session_actions import SessionActions
from recorder.ui.session_list import SessionList
from recorder.ui.session_pane import SessionPane
from recorder.ui.table_dialog import TableDialog
from recorder.ui.trash_dialog import TrashDialog

if TYPE_CHECKING:
    from recorder.ui.player_progress import PlayerProgress

_POLL_MS = 25
_NARROW = 800  # pixels, below which a session is shown below the list and not beside it


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
        self._stack = QStackedWidget()
        self._stack.addWidget(self._build_empty())
        self._stack.addWidget(self._build_content())
        waiting = QLabel("Reading the library…", alignment=Qt.AlignmentFlag.AlignCenter)
        waiting.setObjectName("libraryWaiting")
        self._stack.addWidget(waiting)
        self.body.addWidget(self._stack, 1)
        self.lay_banner_over(self._list)
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self.bind_keys(
            Shortcut("Del", "Move to the trash", then(presenter.trash, self._render)),
            Shortcut("Ctrl+Z", "Undo", then(presenter.undo, self._render)),
            Shortcut("Ctrl+F", "Search", self._bar.search.setFocus),
            Shortcut("X", "Exclude a part or a finding from training", self._pane.mark),
            Shortcut("Esc", "Cancel or go back", self._step_back),
        )
        self._render()

    def activate(self) -> None:
        """The page is shown: look for what is new."""
        self._active = True
        import_ahead()
        if not self.access.missing:
            self.presenter.refresh()
        self._timer.start()
        self._render()
        self.take_keyboard()

    def deactivate(self) -> None:
        """The page is hidden; what was begun goes on."""
        self._active = False
        self.presenter.dismiss()  # what was done last is told no longer
        self._pane.save_words()

    def show_access(self, access: LibraryAccess) -> None:
        """See Page: sessions of a read-only library can be looked at, and not changed."""
        super().show_access(access)
        self.presenter.refusal = access.keeps_sessions_as_they_are
        self._render()

    def shutdown(self) -> None:
        """The window closes: store what was typed, give up the rest."""
        self._pane.save_words()
        self._timer.stop()
        self.presenter.close()

    def _build_empty(self) -> QWidget:
        page = self.empty_state(
            "No recordings yet",
            "Everything you record is kept here:\nwatch it again, sort it, and train on it.",
            "Go to Record",
            "goRecordFromLibraryButton",
            lambda: self.page_requested.emit("record"),
        )
        self._thrown = QPushButton("Open the trash…", objectName="openTrashFromEmptyButton")
        self._thrown.setToolTip("Restore deleted sessions")
        self._thrown.setProperty("quiet", True)
        self._thrown.clicked.connect(self._open_trash)
        layout = page.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.addWidget(self._thrown, 0, Qt.AlignmentFlag.AlignCenter)
        return page

    def _build_content(self) -> QWidget:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        self._bar = LibraryBar()
        self._bar.narrowed.connect(self._narrow)
        self._bar.progress_toggled.connect(self._render_progress)
        self._bar.trash_requested.connect(self._open_trash)
        layout.addWidget(self._bar)
        split = FoldingSplitter(_NARROW, (220, 440))
        split.setObjectName("librarySplitter")
        split.addWidget(self._build_left())
        split.addWidget(self._build_right())
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([774, 366])
        layout.addWidget(split, 1)
        return content

    def _build_left(self) -> QWidget:
        side = QWidget()
        self._left = layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        self._progress: PlayerProgress | None = None
        self._list = SessionList(self.presenter)
        self._list.selected.connect(self._select)
        self._list.opened.connect(self._watch)
        self._status = LibraryStatus()
        self._status.undo_requested.connect(then(self.presenter.undo, self._render))
        self._status.table_requested.connect(self._open_table)
        layout.addWidget(self._list, 1)
        layout.addWidget(self._status)
        return side

    def _build_right(self) -> QWidget:
        side = QWidget()
        side.setMinimumWidth(364)
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.GAP)
        self._pane = SessionPane()
        edits = self.presenter.edits
        self._pane.seek_requested.connect(then(self.presenter.preview.seek, self._render))
        self._pane.span_marked.connect(then(edits.exclude, self._render))
        self._pane.span_freed.connect(then(edits.include, self._render))
        self._pane.use_changed.connect(then(edits.use_game, self._render))
        self._pane.label_requested.connect(then(edits.label_game, self._render))
        self._pane.words_changed.connect(self._write)
        self._hint = look.faint("Choose a session to see it here.", "libraryHint", wrap=True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._right = QStackedWidget()
        self._right.addWidget(self._pane)
        self._right.addWidget(self._hint)
        layout.addWidget(self._right, 1)
        self._actions = SessionActions()
        self._actions.train_requested.connect(self._request_training)
        self._actions.watch_requested.connect(self._watch)
        self._actions.verify_requested.connect(then(self.presenter.verify, self._render))
        self._actions.merge_requested.connect(then(self.presenter.merge, self._render))
        self._actions.split_requested.connect(self._split)
        self._actions.trash_requested.connect(then(self.presenter.trash, self._render))
        layout.addWidget(self._actions)
        return side

    def _narrow(self) -> None:
        self._list.narrow(*self._bar.wanted)
        self._render()

    def _select(self, paths: Sequence[Path]) -> None:
        self._pane.save_words()
        self.presenter.select(paths)
        self._render()

    def _write(self, path: Path, words: dict[str, str]) -> None:
        self.presenter.edits.set_words(path, **words)
        self._timer.start()
        self._set_pace()

    def _request_training(self) -> None:
        self.train_requested.emit([row.path for row in self.presenter.chosen if row.ticks])

    def _watch(self) -> None:
        shown = self.presenter.shown
        if shown is not None and shown.ticks:
            self.watch_requested.emit(shown.path)

    def _split(self) -> None:
        if self._pane.game is not None:
            self.presenter.split(self._pane.game)
            self._render()

    def _step_back(self) -> None:
        if not self._pane.forget_mark():
            self._bar.search.clear()
            self._list.setFocus()

    def _open_trash(self) -> None:
        dialog = TrashDialog(self.presenter, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _open_table(self) -> None:
        dialog = TableDialog(self.presenter, self._list.rows, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._render)
        dialog.open()

    def take_keyboard(self) -> None:
        """See Page."""
        self._list.setFocus()
        self.focus_way_on()

    def _poll(self) -> None:
        if self.presenter.poll():
            self._render()
        if not self._active and not self.presenter.busy:
            self._timer.stop()
        self._set_pace()

    def _set_pace(self) -> None:
        set_pace(self._timer, _POLL_MS if self.presenter.busy else IDLE_MS)

    def _fill(self) -> None:
        """Show the list as it is now, with what was selected; with the newest, where nothing was."""
        self._filled = self.presenter.listed
        self._list.fill()
        self._bar.fill(self.presenter.rows)
        self._list.narrow(*self._bar.wanted)
        self._list.select_again()

    def _render(self) -> None:
        presenter = self.presenter
        if self._filled != presenter.listed:
            self._fill()
        self.show_problem("" if self.access.missing else presenter.error)
        something = bool(presenter.rows) or presenter.can_undo or presenter.state is LibraryState.FAILED
        before = self._stack.currentIndex()
        self._stack.setCurrentIndex(1 if something else 2 if presenter.state is LibraryState.LOADING else 0)
        if self._active and self._stack.currentIndex() != before:
            self.take_keyboard()
        if not something:
            self._thrown.setVisible(presenter.library.has_trash)
        self._list.show_state()
        shown = presenter.shown
        self._right.setCurrentIndex(0 if shown is not None else 1)
        self._pane.refuse(presenter.refusal)
        preview = presenter.preview
        self._pane.show_details(preview.details, preview.moment, preview.tick, preview.findings)
        self._actions.show_state(presenter, self._pane.game)
        self._status.show_state(presenter, self._list.rows)
        self._render_progress()
        self._set_pace()

    def _render_progress(self) -> None:
        if self._bar.progress:
            if self._progress is None:
                from recorder.ui.player_progress import PlayerProgress

                self._progress = PlayerProgress()
                self._left.insertWidget(1, self._progress.plot)
            self._progress.show_games(self._list.rows, self.presenter.shown)
        if self._progress is not None:
            self._progress.plot.setVisible(self._bar.progress)
