"""The button "From here…" of the Watch page: what can be done from the moment that is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from player.watch.frames import Side
from player.watch.from_here import PRACTICE_S, FromHere
from player.watch.presenter import WatchPresenter, WatchState
from recorder.errors import TwinplayError
from recorder.play.fork import Fork
from recorder.recording.play_on import play_on_from
from recorder.system.texts import duration_text
from recorder.ui.kit.words import window_words

if TYPE_CHECKING:
    from player.ui.window import Window

_OPEN = (WatchState.PLAYING, WatchState.PAUSED, WatchState.OVER)


def play_on(window: Window, forks: Sequence[Fork], seconds: float, policy: Path | None) -> None:
    """Play on from moments of earlier games, on the Record page of the window; with a policy, its twin is corrected."""
    if window.record.presenter.busy:
        window.notice.warn("A recording is in progress. Stop it first (Esc on the Record page).")
        return
    try:
        play_on_from(window.record.presenter, forks, seconds, policy)
    except TwinplayError as error:
        window.notice.warn(window_words(str(error)))
        return
    window.show_page("record")
    window.activateWindow()


class FromHereButton(QPushButton):
    """Emits `play_on_requested(forks, seconds, policy)`, or `changed` after the twin was told to play on. The menu says
    why something cannot be done.
    """

    play_on_requested = Signal(object, float, object)
    changed = Signal()

    def __init__(self, presenter: WatchPresenter, parent: QWidget | None = None) -> None:
        super().__init__("From here", parent)
        self.setObjectName("fromHereButton")
        self.setToolTip("Play on from this moment, or let the twin do so (F)")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.presenter, self._here = presenter, FromHere(presenter)
        self._menu = QMenu(self, objectName="fromHereMenu", toolTipsVisible=True)
        self._menu.aboutToShow.connect(self._fill)
        self.setMenu(self._menu)
        self._waiting: list[tuple[QAction, str]] = []  # entries for when the twin has caught up, and their words

    def open(self) -> None:
        """Open the menu, if a duel is shown."""
        if self.isEnabled():
            self.showMenu()

    def show_state(self) -> None:
        """Enabled while a duel is shown; entries of an open menu that wait for the twin, once it has caught up."""
        self.setEnabled(self.presenter.state in _OPEN)
        clone = self._here.clone if self._waiting else None
        if clone is not None:
            for action, words in self._waiting:
                action.setText(self._at(words, clone))
                action.setEnabled(True)
            self._waiting.clear()

    def _fill(self) -> None:
        if self.presenter.state is WatchState.PLAYING:
            self.presenter.toggle()  # the moment that was chosen stays
            self.changed.emit()
        self._menu.clear()
        self._waiting.clear()
        try:
            self._offer()
        except TwinplayError as error:
            self._menu.addAction(window_words(str(error))).setEnabled(False)

    def _offer(self) -> None:
        here, frame = self._here, self.presenter.frame
        recorded = here.recorded
        if here.by_hand:
            self._play_on("playOnFromRecording", "Play on from the recording", recorded)
            self._play_on_from_twin("playOnFromTwin", "Play on from the twin's game")
            policy = self.presenter.pair.policy
            if policy is not None:
                self._play_on("correctFromRecording", "Correct the twin from the recording", recorded, policy)
                self._play_on_from_twin("correctFromTwin", "Correct the twin from its game", policy)
        if recorded is not None and frame is not None and frame.right is not None:
            at = duration_text(recorded.ticks / frame.rate_hz)
            self._add(
                "letTwin", f"Let the twin play on from the recording, {at}", lambda: self._let_twin(recorded.ticks)
            )
        if frame is not None and frame.right is not None and frame.right.led:
            self._add("letTwinAgain", "Let the twin play from the start again", lambda: self._let_twin(0))
        if self._menu.isEmpty():
            self._menu.addAction("Go to a moment within a game first").setEnabled(False)
        points = here.points() if here.by_hand else []
        if points:
            self._menu.addSeparator()
            what = "moment" if len(points) == 1 else f"{len(points)} moments"
            action = self._add(
                "practise", f"Practise the {what} of this game", lambda: self._request(here.practice(), PRACTICE_S)
            )
            action.setToolTip(
                f"{PRACTICE_S:g} seconds from each: lost lives, what is excluded or was rewound, and where the twin "
                "differs"
            )

    def _play_on(self, name: str, words: str, side: Side | None, policy: Path | None = None) -> None:
        if side is not None:
            self._add(name, self._at(words, side), lambda: self._request([self._here.fork(side)], 0.0, policy))

    def _play_on_from_twin(self, name: str, words: str, policy: Path | None = None) -> None:
        frame, clone = self.presenter.frame, self._here.clone
        if clone is not None:
            self._play_on(name, words, clone, policy)
        elif frame is not None and frame.right is not None and frame.behind:

            def act() -> None:
                side = self._here.clone
                if side is not None:
                    self._request([self._here.fork(side)], 0.0, policy)

            action = self._add(name, f"{words}, once it has caught up", act)
            action.setEnabled(False)
            self._waiting.append((action, words))

    def _at(self, words: str, side: Side) -> str:
        assert self.presenter.frame is not None
        return f"{words}, {duration_text(side.ticks / self.presenter.frame.rate_hz)}"

    def _add(self, name: str, words: str, act: Callable[[], None]) -> QAction:
        action = self._menu.addAction(words)
        action.setObjectName(name)
        action.triggered.connect(lambda _=False: self._try(act))
        return action

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except TwinplayError as error:
            self.presenter.error = str(error)
            self.changed.emit()

    def _request(self, forks: list[Fork], seconds: float, policy: Path | None = None) -> None:
        self.play_on_requested.emit(forks, seconds, policy)

    def _let_twin(self, tick: int) -> None:
        self.presenter.play_on(tick)
        self.changed.emit()
