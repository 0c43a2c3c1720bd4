"""The Watch page: a recording and a clone side by side. A view of player.watch_desk; it holds no state of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from player.scene import duration_text
from player.ui.duel_view import DuelSide
from player.ui.timeline import Timeline
from player.watch_desk import SPEEDS, Choice, WatchDesk, WatchState
from recorder.ui.page import Page

_POLL_MS = 4  # well under a tick of 60 Hz, so that pictures appear when they are due
_NO_RECORDING = "No recording: the clone alone"
_NO_CLONE = "No clone: the recording alone"
_BROWSE = "Open another file…"


class WatchPage(Page):
    """Shows what `desk` says. `page_requested` asks the window for another page: "record" or "train"."""

    page_requested = Signal(str)

    def __init__(self, desk: WatchDesk, parent: QWidget | None = None) -> None:
        super().__init__("watch", parent)
        self.desk = desk
        self._stack = QStackedWidget()
        self.body.addWidget(self._stack, 1)
        self._stack.addWidget(self._build_empty())
        self._stack.addWidget(self._build_duel())
        self._timer = QTimer(self, interval=_POLL_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._poll)
        self.bind_keys(
            (
                ("Space", self._toggle),
                ("R", self._restart),
                ("+", lambda: self._change_speed(1)),
                ("=", lambda: self._change_speed(1)),
                ("-", lambda: self._change_speed(-1)),
                ("Left", lambda: self._step(-1)),
                ("Right", lambda: self._step(1)),
                ("Shift+Left", lambda: self._step(-1, seconds=True)),
                ("Shift+Right", lambda: self._step(1, seconds=True)),
                ("Home", lambda: self._seek(0)),
                ("W", lambda: self._why.click() if self._why.isVisible() else None),
            )
        )
        self._render()

    def activate(self) -> None:
        """The page is shown: look for what is new and open the newest pair."""
        self.desk.refresh()
        if self.desk.state is WatchState.EMPTY:
            self.desk.choose_defaults()
            if self.desk.error == "":
                self.desk.open()
        self._fill()
        self._render()
        self._timer.start()
        self.setFocus()

    def deactivate(self) -> None:
        """The page is hidden: pause."""
        if self.desk.state is WatchState.PLAYING:
            self.desk.toggle()
        self._timer.stop()
        self._render()

    def watch(self, session: Path | None, policy: Path | None) -> None:
        """Show this pair from its start, playing."""
        self.desk.refresh()
        self.desk.policy = policy
        self.desk.set_session(session)
        if self.desk.state is not WatchState.FAILED:
            self.desk.open(play=True)
        self.activate()

    def watch_policy(self, policy: Path) -> None:
        """Show this clone beside the newest recording of its environment."""
        self.desk.refresh()
        env = next((choice.env for choice in self.desk.policies if choice.value == policy), "")
        match = [choice.value for choice in self.desk.sessions if choice.env == env]
        self.watch(match[0] if match else None, policy)

    def shutdown(self) -> None:
        """End the worker; called when the window closes."""
        self._timer.stop()
        self.desk.close()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)

    def _build_empty(self) -> QWidget:
        return self.empty_state(
            "Nothing to watch yet",
            "Record a few minutes of play, train a clone on them,\nand watch it play beside you.",
            "Go to Record",
            "goRecordButton",
            lambda: self.page_requested.emit("record"),
        )

    def _build_duel(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        choices = QGridLayout()
        choices.setHorizontalSpacing(14)
        self._session = QComboBox(objectName="sessionChoice", toolTip="The recording on the left")
        self._episode = QComboBox(objectName="episodeChoice", toolTip="The episode of the recording")
        self._policy = QComboBox(objectName="policyChoice", toolTip="The clone on the right")
        self._session.setMinimumContentsLength(18)
        self._policy.setMinimumContentsLength(18)
        for box in (self._session, self._policy):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._episode.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        left, right = QHBoxLayout(), QHBoxLayout()
        for row in (left, right):
            row.setSpacing(10)
        left.addWidget(QLabel("Recording"))
        left.addWidget(self._session, 1)
        left.addWidget(self._episode)
        right.addWidget(QLabel("Clone"))
        right.addWidget(self._policy, 1)
        choices.addLayout(left, 0, 0)
        choices.addLayout(right, 0, 1)
        choices.setColumnStretch(0, 1)
        choices.setColumnStretch(1, 1)
        layout.addLayout(choices)
        self._session.activated.connect(self._session_chosen)
        self._episode.activated.connect(self._episode_chosen)
        self._policy.activated.connect(self._policy_chosen)
        sides = QHBoxLayout()
        sides.setSpacing(14)
        self.left = DuelSide(True, "Choose a recording above.")
        self.right = DuelSide(False, "Choose a clone above.")
        sides.addWidget(self.left)
        sides.addWidget(self.right)
        layout.addLayout(sides, 1)
        self._verdict = QLabel(objectName="verdict", alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        font = self._verdict.font()
        font.setPointSizeF(font.pointSizeF() * 1.25)
        font.setBold(True)
        self._verdict.setFont(font)
        layout.addWidget(self._verdict)
        self._timeline = Timeline()
        self._timeline.seek_requested.connect(self._seek)
        layout.addWidget(self._timeline)
        layout.addLayout(self._build_transport())
        return page

    def _build_transport(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(10)
        self._play = QPushButton(objectName="playButton", toolTip="Play or pause (Space)")
        self._play.setMinimumWidth(110)
        self._play.setProperty("primary", True)
        self._restart_button = QPushButton("Restart", objectName="restartButton", toolTip="From the start (R)")
        self._speed = QComboBox(objectName="speedChoice", toolTip="Speed (+ and -)")
        for speed in SPEEDS:
            self._speed.addItem(f"{speed:g}×", speed)
        self._why = QPushButton(
            "What drives it?", objectName="whyButton", checkable=True, focusPolicy=Qt.FocusPolicy.TabFocus
        )
        self._why.setToolTip("How much each torque answers to each thing the clone sees, at this moment (W)")
        self._why.toggled.connect(self._explain)
        self._train = QPushButton("Train a clone", objectName="goTrainButton")
        self._train.clicked.connect(lambda: self.page_requested.emit("train"))
        self._clock = QLabel(objectName="clock")
        self._play.clicked.connect(self._toggle)
        self._restart_button.clicked.connect(self._restart)
        self._speed.activated.connect(lambda index: self._set_speed(SPEEDS[index]))
        for button in (self._play, self._restart_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addWidget(self._play)
        row.addWidget(self._restart_button)
        row.addWidget(QLabel("Speed"))
        row.addWidget(self._speed)
        row.addWidget(self._why)
        row.addStretch(1)
        row.addWidget(self._train)
        row.addWidget(self._clock)
        return row

    def _fill(self) -> None:
        desk = self.desk
        self._fill_box(self._session, [*desk.sessions, Choice(_NO_RECORDING, None)], desk.session)
        self._fill_box(self._episode, desk.episodes, desk.episode)
        browse = [Choice(_NO_CLONE, None), Choice(_BROWSE, self._browse)]
        self._fill_box(self._policy, [*desk.policies, *browse], desk.policy)

    @staticmethod
    def _fill_box(box: QComboBox, choices: Sequence[Choice], chosen: object) -> None:
        blocker = QSignalBlocker(box)
        box.clear()
        for index, choice in enumerate(choices):
            box.addItem(choice.label, choice.value)
            if choice.value == chosen:
                box.setCurrentIndex(index)
        blocker.unblock()
        box.setVisible(bool(choices))

    def _session_chosen(self, index: int) -> None:
        self.desk.set_session(self._session.itemData(index))
        self._reopen()

    def _episode_chosen(self, index: int) -> None:
        self.desk.episode = self._episode.itemData(index)
        self._reopen()

    def _policy_chosen(self, index: int) -> None:
        chosen = self._policy.itemData(index)
        if callable(chosen):
            chosen()
            return
        self.desk.policy = chosen
        self._reopen()

    def _browse(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "Open a clone", str(self.desk.library.policies), "Clones (*.safetensors)"
        )
        if name:
            self.desk.policy = Path(name)
            self.desk.refresh()
            self._reopen()
        else:
            self._fill()

    def _reopen(self) -> None:
        self.desk.open(play=self.desk.state is WatchState.PLAYING)
        self._fill()
        self._render()
        self.setFocus()

    def _toggle(self) -> None:
        self._act(self.desk.toggle)

    def _restart(self) -> None:
        self._act(self.desk.restart)

    def _change_speed(self, steps: int) -> None:
        self._act(lambda: self.desk.faster(steps))

    def _set_speed(self, speed: float) -> None:
        self._act(lambda: self.desk.set_speed(speed))

    def _act(self, action: Callable[[], None]) -> None:
        action()
        self._render()

    def _seek(self, tick: int) -> None:
        self._act(lambda: self.desk.seek(tick))

    def _step(self, steps: int, *, seconds: bool = False) -> None:
        rate = self.desk.frame.rate_hz if seconds and self.desk.frame is not None else 1
        self._act(lambda: self.desk.step(round(steps * rate)))

    def _explain(self, wanted: bool) -> None:
        self.right.explains = wanted
        self.right.update()

    def _poll(self) -> None:
        if self.desk.poll():
            self._render()

    def _render(self) -> None:
        desk = self.desk
        self.show_problem(desk.error if desk.state is WatchState.FAILED else "")
        something = bool(desk.sessions or desk.policies or desk.policy or desk.session)
        self._stack.setCurrentIndex(1 if something else 0)
        frame = desk.frame
        waiting = desk.state is WatchState.OPENING
        no_clone = "No clone yet.\nTrain one, and it plays here." if not desk.policies else "No clone chosen."
        self.left.show_frame(frame, "Opening…" if waiting and desk.session else "No recording chosen.")
        self.right.show_frame(frame, "Waking the clone…" if waiting and desk.policy else no_clone)
        self._timeline.show_frame(frame, (self.left.accent(), self.right.accent()))
        playing = desk.state is WatchState.PLAYING
        over = desk.state is WatchState.OVER
        self._play.setText("Pause" if playing else "Play again" if over else "Play")
        ready = desk.state in (WatchState.PLAYING, WatchState.PAUSED, WatchState.OVER, WatchState.FAILED)
        self._play.setEnabled(ready)
        self._restart_button.setEnabled(ready and desk.state is not WatchState.FAILED)
        self._speed.setCurrentIndex(SPEEDS.index(desk.speed))
        self._train.setVisible(not desk.policies)
        self._why.setVisible(frame is not None and frame.right is not None and bool(frame.right.drives))
        self._verdict.setText(frame.verdict if frame is not None else "")
        self._verdict.setVisible(bool(self._verdict.text()))
        behind = f"the clone thinks: {frame.behind:,} ticks to go   " if frame is not None and frame.behind else ""
        time = "" if frame is None else f"{behind}{duration_text(frame.seconds)}   tick {frame.tick:,}"
        self._clock.setText(time)
