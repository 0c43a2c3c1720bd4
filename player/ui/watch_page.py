"""The Watch page: two players side by side. A view of player.watch.presenter; it holds no state of its own.

┌────────────────────────────────────────────────────────────────────────┐
│ Left [recording or clone ▾] [game ▾]     Right [clone ▾]  Scores  Save │
│ ┌──────────────────────────────┐ ┌──────────────────────────────────┐  │
│ │            left              │ │              right               │  │
│ └──────────────────────────────┘ └──────────────────────────────────┘  │
│ timeline: points, lost lives, presses, agreement                       │
│ [Play] [Restart] [1×]   [‹] 83 % agree ▾ [›]   [What it looks at]  0:12 │
└────────────────────────────────────────────────────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from player.ui.duel_sides import DuelSides
from player.ui.export_dialog import ExportDialog
from player.ui.failures_dialog import FailuresDialog
from player.ui.pair_choices import PairChoices
from player.ui.score_dialog import ScoreDialog
from player.ui.timeline import Timeline
from player.ui.tour import TourView, place_in
from player.ui.transport_row import TransportRow
from player.watch.presenter import WatchPresenter, WatchState
from player.watch.tour import Subject, Tour
from recorder.ui.kit.fold import Scroll
from recorder.ui.kit.pace import IDLE_MS, set_pace
from recorder.ui.kit.page import Page
from recorder.ui.kit.shortcuts import Shortcut

_POLL_MS = 4  # well under a tick of 60 Hz, so that pictures appear when they are due


class WatchPage(Page):
    """Shows the state of `presenter`. Emits `page_requested` to ask for another page: "record" or "train",
    `play_on_requested(forks, seconds, policy)` to play on from moments on the Record page, `tour_closed` once nobody
    wants to see its hints again.
    """

    page_requested = Signal(str)
    play_on_requested = Signal(object, float, object)
    tour_closed = Signal()

    def __init__(self, presenter: WatchPresenter, parent: QWidget | None = None) -> None:
        super().__init__("watch", parent)
        self.presenter = presenter
        self.body.setSpacing(8)
        self._dialogs: dict[str, QDialog] = {}
        self._choices = PairChoices(presenter)
        self._choices.changed.connect(self._reopen)
        self._choices.scores_requested.connect(lambda: self._open("scores", self._scores))
        self._choices.save_requested.connect(lambda: self._open("export", ExportDialog))
        self.sides = DuelSides(presenter)
        self.sides.installEventFilter(self)
        self._timeline = Timeline()
        self._timeline.seek_requested.connect(self._seek)
        self._transport = TransportRow(presenter)
        self._transport.changed.connect(self._render)
        self._transport.speed_chosen.connect(self.setFocus)  # Space plays, and does not open the list again
        self._transport.explain_toggled.connect(self.sides.explain)
        self._transport.from_here.play_on_requested.connect(self.play_on_requested)
        self._transport.train_requested.connect(lambda: self.page_requested.emit("train"))
        self.tour = Tour()
        self._stack = QStackedWidget()
        self.body.addWidget(self._stack, 1)
        self.lay_banner_over(self.sides)
        self._stack.addWidget(self._build_empty())
        self._stack.addWidget(self._build_duel())
        self._timer = QTimer(self, interval=_POLL_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._poll)
        self._newest = QTimer(self, singleShot=True)  # once the page is there: all at once holds the window up
        self._newest.timeout.connect(self._open_newest)
        self._bind_keys()
        self._render()

    def activate(self) -> None:
        """The page is shown: read the library again and open the newest pair."""
        if self.access.missing:
            self.deactivate()
            return
        self.presenter.refresh()
        state, pair = self.presenter.state, self.presenter.pair
        if state is WatchState.EMPTY:
            self._newest.start()
        elif state is WatchState.FAILED and pair.chosen and not pair.error:
            self.presenter.open()  # what failed may be back
        self._choices.fill()
        self._render()
        self._timer.start()
        self.setFocus()
        self.focus_way_on()

    def _open_newest(self) -> None:
        self.presenter.pair.choose_defaults()
        self.presenter.open()
        self._choices.fill()
        self._render()
        self.focus_way_on()

    def deactivate(self) -> None:
        """The page is hidden: pause."""
        if self.presenter.state is WatchState.PLAYING:
            self.presenter.toggle()
        self._timer.stop()
        self._newest.stop()
        self._render()

    def watch(
        self, session: Path | None, policy: Path | None, against: Path | None = None, *, alike: bool = False
    ) -> None:
        """Play this pair from its start; `against` is a second clone for the left side, in place of a session.

        With `alike` the clone on the right plays like its demonstrator, if it can.
        """
        self._newest.stop()
        self.presenter.refresh()
        self.presenter.pair.set_right(policy)
        self.presenter.pair.set_left(session or against)
        self.presenter.pair.alike = alike and bool(self.presenter.pair.play_choices)
        self.presenter.open(play=True)
        self.activate()

    def watch_policy(self, policy: Path) -> None:
        """Show this clone beside the newest recording of its environment."""
        self.presenter.refresh()
        self.watch(self.presenter.pair.newest_session(policy), policy)

    def begin_tour(self) -> None:
        """Show the hints again."""
        self.tour.begin()
        self._render_tour()

    def shutdown(self) -> None:
        """End the workers; called when the window closes."""
        self._timer.stop()
        self._newest.stop()
        for dialog in list(self._dialogs.values()):
            dialog.close()
        self.presenter.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.sides and event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._render_tour()
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)

    def _build_empty(self) -> QWidget:
        return self.empty_state(
            "Nothing to watch yet",
            "Record a few minutes of play, train a twin on them,\nand watch it play beside you.",
            "Go to Record",
            "goRecordButton",
            lambda: self.page_requested.emit("record"),
        )

    def _build_duel(self) -> QWidget:
        self._seen = Scroll(_column(self.sides, self._choices, self.sides, self._timeline))
        self._seen.verticalScrollBar().valueChanged.connect(self._render_tour)
        # Where a small window scrolls, the buttons stay in sight.
        page = self._board = _column(self._seen, self._seen, self._transport)
        self._hints = TourView(page)
        self._hints.next_pressed.connect(lambda: self._leave_tour() if self.tour.next() else self._render_tour())
        self._hints.close_pressed.connect(self._leave_tour)
        return page

    def _bind_keys(self) -> None:
        presenter, choices, transport = self.presenter, self._choices, self._transport
        self.bind_keys(
            Shortcut("Space", "Play or pause", lambda: self._act(presenter.toggle)),
            Shortcut("R", "Restart", lambda: self._act(presenter.restart)),
            Shortcut("Left", "One frame back", lambda: self._step(-1)),
            Shortcut("Right", "One frame forward", lambda: self._step(1)),
            Shortcut("Shift+Left", "One second back", lambda: self._step(-1, seconds=True)),
            Shortcut("Shift+Right", "One second forward", lambda: self._step(1, seconds=True)),
            Shortcut("Home", "Go to the start", lambda: self._seek(0)),
            Shortcut("-", "Slower", lambda: self._act(lambda: presenter.faster(-1))),
            Shortcut("+ =", "Faster", lambda: self._act(presenter.faster)),
            Shortcut("N", "Next disagreement", lambda: self._act(lambda: presenter.seek_disagreement(1))),
            Shortcut("Shift+N", "Previous disagreement", lambda: self._act(lambda: presenter.seek_disagreement(-1))),
            Shortcut("D", "All disagreements", transport.agreement.list_clearest),
            Shortcut("F", "Play on from here, or let the twin do so", transport.from_here.open),
            Shortcut("L", "What the twin looks at", lambda: self._press(transport.look)),
            Shortcut("W", "What drives a twin that sees no screen", lambda: self._press(transport.why)),
            Shortcut("S", "The scoreboard", lambda: self._press(choices.scores)),
            Shortcut("E", "Export video", lambda: self._press(choices.save)),
        )

    def _reopen(self) -> None:
        playing = self.presenter.state is WatchState.PLAYING
        self._newest.stop()
        self.presenter.refresh()
        self.presenter.open(play=playing)
        self._choices.fill()
        self._render()
        self.setFocus()

    def _scores(self, presenter: WatchPresenter, parent: QWidget) -> QDialog:
        dialog = ScoreDialog(presenter, parent)
        dialog.failures_requested.connect(lambda: self._open("failures", self._failures))
        return dialog

    def _failures(self, presenter: WatchPresenter, parent: QWidget) -> QDialog:
        dialog = FailuresDialog(presenter, parent)
        dialog.play_on_requested.connect(self.play_on_requested)
        return dialog

    def _open(self, name: str, kind: Callable[[WatchPresenter, QWidget], QDialog]) -> None:
        """Show a dialog, one of each kind; one goes on watching beside it."""
        dialog = self._dialogs.get(name)
        if dialog is None:
            dialog = self._dialogs[name] = kind(self.presenter, self)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.finished.connect(lambda _: self._dialogs.pop(name, None))
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    @staticmethod
    def _press(button: QPushButton) -> None:
        if button.isVisible() and button.isEnabled():
            button.click()

    def _leave_tour(self) -> None:
        self.tour.close()
        self._render_tour()
        self.setFocus()
        self.tour_closed.emit()

    def _render_tour(self) -> None:
        hint = None if self.presenter.state is WatchState.FAILED else self.tour.hint(self.presenter.frame)
        if hint is None:
            self._hints.show_nothing()
            return
        above, below = (place_in(self._board, self.sides, band) for band in self.sides.bands)
        sides = place_in(self._board, self.sides).united(place_in(self._board, self._timeline))
        sides &= place_in(self._board, self._seen)
        keys, scores = (place_in(self._board, each) for each in (self._transport, self._choices.scores))
        framed = {Subject.SIDES: sides, Subject.KEYS: keys, Subject.SCORES: scores}[hint.subject]
        self._hints.show_hint(hint, above if hint.subject is Subject.SCORES else below, framed)

    def _act(self, action: Callable[[], object]) -> None:
        action()
        self._render()

    def _seek(self, tick: int) -> None:
        self._act(lambda: self.presenter.seek(tick))

    def _step(self, steps: int, *, seconds: bool = False) -> None:
        rate = self.presenter.frame.rate_hz if seconds and self.presenter.frame is not None else 1
        self._act(lambda: self.presenter.step(round(steps * rate)))

    def _poll(self) -> None:
        if self.presenter.poll():
            self._render()
        self._set_pace()

    def _set_pace(self) -> None:
        set_pace(self._timer, _POLL_MS if self.presenter.busy else IDLE_MS)

    def _render(self) -> None:
        presenter, pair = self.presenter, self.presenter.pair
        failed = presenter.state is WatchState.FAILED and not self.access.missing
        self.show_problem(presenter.error if failed else "")
        something = bool(pair.sessions or pair.policies or pair.chosen)
        self._stack.setCurrentIndex(1 if something else 0)
        self._choices.show_state()
        self.sides.show_state()
        comparison = presenter.comparison
        self._timeline.show_frame(presenter.frame, self.sides.colours, comparison.agreement, comparison.share)
        self._transport.show_state()
        self._render_tour()
        self._set_pace()


def _column(stretched: QWidget, *parts: QWidget) -> QWidget:
    """Parts one below the other; one of them takes the room that is left."""
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    for part in parts:
        layout.addWidget(part, 1 if part is stretched else 0)
    return column
