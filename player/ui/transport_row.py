"""The row below a duel: play, speed, what the clone looks at, and the current position."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QSizePolicy, QWidget

from player.ui.agreement_buttons import AgreementButtons
from player.ui.from_here import FromHereButton
from player.watch.frames import DuelFrame
from player.watch.presenter import SPEEDS, WatchPresenter, WatchState
from recorder.system.texts import duration_text
from recorder.ui.kit.fold import FoldingRow


class TransportRow(FoldingRow):
    """Shows the state of `presenter`. Emits `changed` after an action, `speed_chosen` after a choice from the list,
    `explain_toggled(wanted)` to show or hide what drives the clone, and `train_requested`.
    """

    changed = Signal()
    speed_chosen = Signal()
    explain_toggled = Signal(bool)
    train_requested = Signal()

    def __init__(self, presenter: WatchPresenter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.presenter = presenter
        self._play = QPushButton(objectName="playButton", toolTip="Play or pause (Space)")
        self._play.setMinimumWidth(104)
        self._play.setProperty("primary", True)
        self._play.clicked.connect(lambda: self._act(presenter.toggle))
        self._restart = QPushButton("Restart", objectName="restartButton", toolTip="From the start (R)")
        self._restart.clicked.connect(lambda: self._act(presenter.restart))
        self._speed = QComboBox(objectName="speedChoice", toolTip="Speed (+ and -)", accessibleName="Speed")
        for speed in SPEEDS:
            self._speed.addItem(f"{speed:g}×", speed)
        self._speed.activated.connect(self._choose_speed)
        self.agreement = AgreementButtons(presenter)
        self.agreement.changed.connect(self.changed)
        self.look = QPushButton("What it looks at", objectName="lookButton", checkable=True)
        self.look.setToolTip("Highlight what on the screen speaks for or against the twin's action (L)")
        self.look.toggled.connect(presenter.look)
        self.why = QPushButton("What drives it?", objectName="whyButton", checkable=True)
        self.why.setToolTip("How strongly each action depends on each value that the twin observes, at this moment (W)")
        self.why.toggled.connect(self.explain_toggled)
        self.from_here = FromHereButton(presenter)
        self.from_here.changed.connect(self.changed)
        self._train = QPushButton("Train a twin", objectName="goTrainButton", toolTip="Go to the Train page")
        self._train.clicked.connect(self.train_requested)
        self._clock = QLabel(objectName="clock", alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._clock.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        for button in (self._play, self._restart, self.look, self.why):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._arrange()

    def show_state(self) -> None:
        """Show what plays, and where."""
        state, frame = self.presenter.state, self.presenter.frame
        self._play.setText({WatchState.PLAYING: "Pause", WatchState.OVER: "Play again"}.get(state, "Play"))
        ready = state in (WatchState.PLAYING, WatchState.PAUSED, WatchState.OVER, WatchState.FAILED)
        self._play.setEnabled(ready)
        self._restart.setEnabled(ready and state is not WatchState.FAILED)
        self._speed.setCurrentIndex(SPEEDS.index(self.presenter.speed))
        self._train.setVisible(not self.presenter.pair.policies)
        self.look.setVisible(frame is not None and frame.can_look)
        self.why.setVisible(frame is not None and any(side.drives for side in frame.sides))
        self.agreement.show_state()
        self.from_here.show_state()
        self._clock.setToolTip("" if frame is None or not frame.note else f"Note: {frame.note}.")
        self._clock.setText("" if frame is None else self._time_of(frame))

    def _time_of(self, frame: DuelFrame) -> str:
        """The time, and what more there is room for."""
        behind = f"the twin is catching up: {frame.behind:,} frames to go   " if frame.behind else ""
        time = duration_text(frame.seconds)
        whole = f"{time}   frame {frame.tick:,}"
        advance, room = self._clock.fontMetrics().horizontalAdvance, self._clock.width()
        return next((text for text in (behind + whole, whole) if advance(text) <= room), time)

    def _arrange(self) -> None:
        # What is known later comes last, and moves nothing.
        self.add_part(self._play, self._restart, self._speed, self.from_here, self.look, self.why).addStretch(1)
        compared = self.add_part(self.agreement, self._train, self._clock, stretch=1)
        compared.setStretchFactor(self._clock, 1)

    def _choose_speed(self, index: int) -> None:
        self._act(lambda: self.presenter.set_speed(SPEEDS[index]))
        self.speed_chosen.emit()

    def _act(self, action: Callable[[], object]) -> None:
        action()
        self.changed.emit()
