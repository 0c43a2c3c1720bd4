"""The Train page: choose sessions, train, see it learn. A view of trainer.runs.presenter; it holds no state of its own.

┌──────────────────────────────────────────────────────────────────┐
│ [Learn from] [Runs] [Your twins]  │ what is going on, time left   │
│ sessions and their games          │ [Pause] [Stop] / [Resume] …   │
│ what is chosen, shares, warnings  │ [Curves] [Confusion] [Settings] [Log]
│ preset  [Advanced…]       [Train] │                               │
└──────────────────────────────────────────────────────────────────┘
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QAbstractItemView, QMessageBox, QStackedWidget, QWidget

from recorder.ui.kit.fold import FoldingSplitter
from recorder.ui.kit.page import Page
from recorder.ui.kit.plots import import_ahead
from recorder.ui.kit.shortcuts import Shortcut
from recorder.ui.kit.slots import then
from trainer.runs.presenter import TrainPresenter
from trainer.ui.list_panels import RunsPanel, TwinsPanel
from trainer.ui.run_panel import RunPanel
from trainer.ui.segments import Segments
from trainer.ui.sources_panel import SourcesPanel

_POLL_MS = 100
_NARROW = 760  # pixels, below which the run is shown below what it learns from


class TrainPage(Page):
    """Shows what `presenter` says. Signals: `page_requested("record")`, `watch_requested(policy path)`, and
    `run_over(News)` for each run that is done or has failed.
    """

    page_requested = Signal(str)
    watch_requested = Signal(object)
    run_over = Signal(object)

    def __init__(self, presenter: TrainPresenter, parent: QWidget | None = None) -> None:
        super().__init__("train", parent)
        self.presenter = presenter
        self._sources = SourcesPanel(presenter)
        self._runs = RunsPanel(presenter)
        self._twins = TwinsPanel(presenter)
        self._run = RunPanel(presenter)
        self._left = Segments(
            [
                ("sources", "Learn from", self._sources),
                ("runs", "Runs", self._runs),
                ("twins", "Your twins", self._twins),
            ]
        )
        self._left.reserve("runs", "Runs (10 to resume)")
        split = FoldingSplitter(_NARROW, (420, 420))
        split.addWidget(self._left)
        split.addWidget(self._run)
        split.setStretchFactor(0, 6)
        split.setStretchFactor(1, 5)
        split.setSizes([620, 520])
        self._stack = QStackedWidget()
        self._stack.addWidget(self._build_empty())
        self._stack.addWidget(split)
        self.body.addWidget(self._stack, 1)
        self.lay_banner_over(*self._left.findChildren(QAbstractItemView))
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._sources.start_requested.connect(self._start)
        self._sources.start_each_requested.connect(then(presenter.start_each, self._changed))
        for panel in (self._sources, self._runs, self._twins, self._run):
            panel.changed.connect(self._changed)
        self._left.switched.connect(lambda _: self._switched())
        self._run.watch_requested.connect(lambda: self.watch_requested.emit(self.presenter.policy))
        self._twins.watch_requested.connect(self.watch_requested)
        self.bind_keys(
            Shortcut("Ctrl+Return", "Train", self._sources.start_if_possible),
            Shortcut("Ctrl+Z", "Undo", then(presenter.edits.undo, self._changed)),
            Shortcut("F2", "Rename a twin", self._rename),
            Shortcut("Del", "Move a run or a twin to the trash", self._remove),
        )
        self._look_again()

    def _switched(self) -> None:
        self.presenter.messages.clear()  # what was said belongs to the list that is left
        self._render()

    def activate(self) -> None:
        """The page is shown: look for new sessions, runs and clones."""
        import_ahead()
        if not self.access.missing:
            self._look_again()
        self.take_keyboard()

    def take_keyboard(self) -> None:
        """See Page."""
        self._left.take_keyboard()
        self.focus_way_on()

    def deactivate(self) -> None:
        """The page is hidden; training goes on, and what went wrong before was read."""
        self.presenter.messages.clear()

    def choose(self, *sessions: Path) -> None:
        """Tick these sessions alone. Of one in which a twin was corrected, the training is to go on from that twin, and
        what else belongs to it is ticked, too.
        """
        choice = self.presenter.choice
        for row in choice.rows:
            choice.choose(row.path, row.path in sessions)
        self.presenter.further.suggest(sessions)
        if not self.presenter.training:
            self.presenter.again()
        self._left.show_page("sources")
        self._changed()

    def may_close(self) -> bool:
        """Ask what becomes of a training; True when the window may close."""
        if not self.presenter.in_charge:
            return True
        box = QMessageBox(self)
        box.setObjectName("closeWhileTraining")
        box.setWindowTitle("Training in progress")
        box.setText("Your twin is still learning.")
        box.setInformativeText("It can continue in the background, or be paused and resumed later.")
        pause = box.addButton("Pause and close", QMessageBox.ButtonRole.AcceptRole)
        pause.setObjectName("pauseAndCloseButton")
        background = box.addButton("Continue in the background", QMessageBox.ButtonRole.AcceptRole)
        background.setObjectName("goOnInBackgroundButton")
        cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        cancel.setObjectName("cancelCloseButton")
        box.setDefaultButton(background)
        box.exec()
        clicked = box.clickedButton()
        self.presenter.in_background = clicked is background
        box.deleteLater()
        return clicked in (pause, background)

    def shutdown(self) -> None:
        """Pause training, unless it goes on in the background; called when the window closes."""
        self._timer.stop()
        self.presenter.shutdown()

    def _build_empty(self) -> QWidget:
        return self.empty_state(
            "No recordings yet",
            "Your twin learns from watching you play.\nRecord a few minutes first; aim for ten or more.",
            "Go to Record",
            "goRecordButton",
            lambda: self.page_requested.emit("record"),
        )

    def _look_again(self) -> None:
        self.presenter.refresh()
        self._sources.fill()
        self._changed()

    def _start(self) -> None:
        self.presenter.start()
        self._changed()

    def _rename(self) -> None:
        if self._left.current == "twins":
            self._twins.ask_for_name()

    def _remove(self) -> None:
        if self._left.current == "runs":
            self._runs.remove()
        elif self._left.current == "twins":
            self._twins.remove()

    def _changed(self) -> None:
        self._render()
        if self.presenter.busy:
            self._timer.start()

    def _poll(self) -> None:
        if self.access.missing:
            return
        if self.presenter.poll():
            self._render()
        for news in self.presenter.news():
            self.run_over.emit(news)
        if not self.presenter.busy:
            self._timer.stop()

    def _render(self) -> None:
        presenter = self.presenter
        self.show_problem("" if self.access.missing else presenter.messages.error)
        something = bool(presenter.choice.rows or presenter.run_list.runs or presenter.twins)
        self._stack.setCurrentIndex(1 if something else 0)
        waiting = len(presenter.run_list.offered)
        self._left.set_title("runs", f"Runs ({waiting} to resume)" if waiting else "Runs")
        page = self._left.current
        (self._sources if page == "sources" else self._runs if page == "runs" else self._twins).show_state()
        self._run.show_state()
