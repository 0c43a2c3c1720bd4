"""The Watch page: two players side by side. A view of player.watch.presenter; it holds no state of its own.

┌ banner ───────────────────────────────────────────────────────────────┐
│ Left [recording or clone ▾] [episode ▾]  Right [clone ▾]  Scores  Save │
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

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from player.ui.choice_box import SEPARATOR, ChoiceBox
from player.ui.duel_view import DuelSide
from player.ui.export_dialog import ExportDialog
from player.ui.score_dialog import ScoreDialog
from player.ui.timeline import Timeline
from player.watch.background import BackgroundJobState
from player.watch.frames import duration_text
from player.watch.pairing import Choice
from player.watch.presenter import SPEEDS, WatchPresenter, WatchState, moment_of
from recorder.ui.kit import look
from recorder.ui.kit.page import Page

_POLL_MS = 4  # well under a tick of 60 Hz, so that pictures appear when they are due
_NO_RECORDING = "Nothing: the clone alone"
_NO_CLONE = "Nothing: the recording alone"
_BROWSE = "Open another file…"
_MOST = 12  # disagreements in the list


class WatchPage(Page):
    """Shows what `presenter` says. `page_requested` asks the window for another page: "record" or "train"."""

    page_requested = Signal(str)

    def __init__(self, presenter: WatchPresenter, parent: QWidget | None = None) -> None:
        super().__init__("watch", parent)
        self.presenter = presenter
        self.body.setSpacing(8)
        self._dialogs: dict[str, QDialog] = {}
        self._stack = QStackedWidget()
        self.body.addWidget(self._stack, 1)
        self._stack.addWidget(self._build_empty())
        self._stack.addWidget(self._build_duel())
        self._timer = QTimer(self, interval=_POLL_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._poll)
        self._newest = QTimer(self, singleShot=True)  # once the page is there: all at once holds the window up
        self._newest.timeout.connect(self._open_newest)
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
                ("N", lambda: self._disagreement(1)),
                ("Shift+N", lambda: self._disagreement(-1)),
                ("D", self._list_disagreements),
                ("L", lambda: self._press(self._look)),
                ("W", lambda: self._press(self._why)),
                ("S", lambda: self._press(self._scores)),
                ("E", lambda: self._press(self._export)),
            )
        )
        self._render()

    def activate(self) -> None:
        """The page is shown: look for what is new and open the newest pair."""
        self.presenter.refresh()
        if self.presenter.state is WatchState.EMPTY:
            self._newest.start()
        self._fill()
        self._render()
        self._timer.start()
        self.setFocus()
        self.focus_way_on()

    def _open_newest(self) -> None:
        self.presenter.pair.choose_defaults()
        self.presenter.open()
        self._fill()
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
        """Show this pair from its start, playing; `against` is a second clone, for the left, in place of a session.

        With `alike` the clone on the right plays like its demonstrator, where it can.
        """
        self._newest.stop()
        self.presenter.refresh()
        self.presenter.pair.set_right(policy)
        self.presenter.pair.set_left(session or against)
        self.presenter.pair.alike = alike and bool(self.presenter.pair.manners)
        self.presenter.open(play=True)
        self.activate()

    def watch_policy(self, policy: Path) -> None:
        """Show this clone beside the newest recording of its environment."""
        self.presenter.refresh()
        self.watch(self.presenter.pair.newest_session(policy), policy)

    def shutdown(self) -> None:
        """End the workers; called when the window closes."""
        self._timer.stop()
        self._newest.stop()
        for dialog in list(self._dialogs.values()):
            dialog.close()
        self.presenter.close()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_verdict()

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
        layout.setSpacing(8)
        layout.addLayout(self._build_choices())
        self._sides = QWidget()
        sides = QHBoxLayout(self._sides)
        sides.setContentsMargins(0, 0, 0, 0)
        sides.setSpacing(14)
        self.left = DuelSide(True, "Choose a recording above.")
        self.right = DuelSide(False, "Choose a clone above.")
        sides.addWidget(self.left)
        sides.addWidget(self.right)
        layout.addWidget(self._sides, 1)
        self._verdict = QLabel(
            self._sides, objectName="verdict", alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True, visible=False
        )
        self._verdict.setProperty("card", True)
        self._verdict.setFont(look.scaled(self._verdict.font(), 1.3, bold=True))
        self._verdict.setMargin(look.WIDE)
        self._timeline = Timeline()
        self._timeline.seek_requested.connect(self._seek)
        layout.addWidget(self._timeline)
        layout.addLayout(self._build_transport())
        return page

    def _build_choices(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        self._left_choice = ChoiceBox("sessionChoice", "On the left: a recording, or another clone")
        self._episode = ChoiceBox("episodeChoice", "Which game of the recording")
        self._policy = ChoiceBox("policyChoice", "On the right: a clone")
        self._manner = ChoiceBox("mannerChoice", "How the clone plays")
        self._manner.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for box in (self._left_choice, self._policy):
            box.setMinimumContentsLength(14)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._episode.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._scores = QPushButton(
            "Scores…", objectName="scoresButton", toolTip="Many games: the recorded player, the clone, chance (S)"
        )
        self._export = QPushButton("Save…", objectName="saveButton", toolTip="Save as a video or an animation (E)")
        row.addWidget(QLabel("Left"))
        row.addWidget(self._left_choice, 3)
        row.addWidget(self._episode)
        row.addSpacing(look.SMALL)
        row.addWidget(QLabel("Right"))
        row.addWidget(self._policy, 2)
        row.addWidget(self._manner)
        row.addSpacing(look.SMALL)
        row.addWidget(self._scores)
        row.addWidget(self._export)
        self._left_choice.activated.connect(lambda index: self._chosen(self._left_choice.itemData(index), left=True))
        self._episode.activated.connect(self._episode_chosen)
        self._policy.activated.connect(lambda index: self._chosen(self._policy.itemData(index), left=False))
        self._manner.activated.connect(lambda index: self._choose_manner(bool(self._manner.itemData(index))))
        self._scores.clicked.connect(lambda: self._open("scores", ScoreDialog))
        self._export.clicked.connect(lambda: self._open("export", ExportDialog))
        return row

    def _build_transport(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        self._play = QPushButton(objectName="playButton", toolTip="Play or pause (Space)")
        self._play.setMinimumWidth(104)
        self._play.setProperty("primary", True)
        self._restart_button = QPushButton("Restart", objectName="restartButton", toolTip="From the start (R)")
        self._speed = QComboBox(objectName="speedChoice", toolTip="Speed (+ and -)", accessibleName="Speed")
        for speed in SPEEDS:
            self._speed.addItem(f"{speed:g}×", speed)
        self._build_agreement()
        self._look = QPushButton("What it looks at", objectName="lookButton", checkable=True)
        self._look.setToolTip("Let glow what on the screen speaks for or against the clone's action (L)")
        self._look.toggled.connect(self.presenter.look)
        self._why = QPushButton("What drives it?", objectName="whyButton", checkable=True)
        self._why.setToolTip("How much each torque answers to each thing the clone sees, at this moment (W)")
        self._why.toggled.connect(self._explain)
        self._train = QPushButton("Train a clone", objectName="goTrainButton", toolTip="Go to the Train page")
        self._train.clicked.connect(lambda: self.page_requested.emit("train"))
        self._clock = QLabel(objectName="clock", alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._clock.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._play.clicked.connect(self._toggle)
        self._restart_button.clicked.connect(self._restart)
        self._speed.activated.connect(lambda index: self._set_speed(SPEEDS[index]))
        buttons = (self._play, self._restart_button, self._back, self._agree, self._on, self._look, self._why)
        for button in (*buttons, self._scores, self._export):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addWidget(self._play)
        row.addWidget(self._restart_button)
        row.addWidget(self._speed)
        row.addSpacing(look.SMALL)
        row.addWidget(self._back)
        row.addWidget(self._agree)
        row.addWidget(self._on)
        row.addSpacing(look.SMALL)
        row.addWidget(self._look)
        row.addWidget(self._why)
        row.addWidget(self._train)
        row.addWidget(self._clock, 1)
        return row

    def _build_agreement(self) -> None:
        self._back = QPushButton("‹", objectName="previousDisagreement", accessibleName="Previous disagreement")
        self._back.setToolTip("The moment before at which the clone would have done something else (Shift+N)")
        self._on = QPushButton("›", objectName="nextDisagreement", accessibleName="Next disagreement")
        self._on.setToolTip("The next moment at which the clone would have done something else (N)")
        self._back.clicked.connect(lambda: self._disagreement(-1))
        self._on.clicked.connect(lambda: self._disagreement(1))
        self._agree = QPushButton(objectName="agreementButton")
        self._clearest = QMenu(self._agree, objectName="clearestMenu", toolTipsVisible=True)
        self._clearest.aboutToShow.connect(self._fill_clearest)
        self._agree.setMenu(self._clearest)

    def _fill(self) -> None:
        pair = self.presenter.pair
        clones = [Choice(f"Clone · {choice.label}", choice.value, choice.env) for choice in pair.policies]
        groups = [pair.sessions, clones, [Choice(_NO_RECORDING, None), Choice(_BROWSE, self._browse_left)]]
        entries = [entry for group in groups if group for entry in (*group, SEPARATOR)][:-1]
        self._left_choice.show_choices(entries, pair.left)
        self._episode.show_choices(pair.episodes, pair.episode)
        last = [SEPARATOR] if clones else []
        last += [Choice(_NO_CLONE, None), Choice(_BROWSE, self._browse_right)]
        self._policy.show_choices([*clones, *last], pair.policy)
        self._manner.show_choices(pair.manners, pair.alike)
        if pair.manners_text:
            self._manner.setToolTip(pair.manners_text)

    def _chosen(self, value: object, *, left: bool) -> None:
        if callable(value):
            value()
        elif left:
            self._choose_left(value)
        else:
            self._choose_right(value)

    def _choose_left(self, path: Path | None) -> None:
        self.presenter.pair.set_left(path)
        self._reopen()

    def _choose_right(self, path: Path | None) -> None:
        self.presenter.pair.set_right(path)
        self._reopen()

    def _choose_manner(self, alike: bool) -> None:
        self.presenter.pair.alike = alike
        self._reopen()

    def _episode_chosen(self, index: int) -> None:
        self.presenter.pair.episode = self._episode.itemData(index)
        self._reopen()

    def _browse_left(self) -> None:
        self._browse(self._choose_left)

    def _browse_right(self) -> None:
        self._browse(self._choose_right)

    def _browse(self, choose: Callable[[Path], None]) -> None:
        folder = str(self.presenter.pair.library.policies)
        name, _ = QFileDialog.getOpenFileName(self, "Open a clone", folder, "Clones (*.safetensors)")
        if name:
            choose(Path(name))
        else:
            self._fill()

    def _reopen(self) -> None:
        playing = self.presenter.state is WatchState.PLAYING
        self._newest.stop()
        self.presenter.refresh()
        self.presenter.open(play=playing)
        self._fill()
        self._render()
        self.setFocus()

    def _open(self, name: str, kind: type[QDialog]) -> None:
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

    def _toggle(self) -> None:
        self._act(self.presenter.toggle)

    def _restart(self) -> None:
        self._act(self.presenter.restart)

    def _change_speed(self, steps: int) -> None:
        self._act(lambda: self.presenter.faster(steps))

    def _set_speed(self, speed: float) -> None:
        self._act(lambda: self.presenter.set_speed(speed))
        self.setFocus()  # Space plays, and does not open the list again

    def _act(self, action: Callable[[], object]) -> None:
        action()
        self._render()

    def _seek(self, tick: int) -> None:
        self._act(lambda: self.presenter.seek(tick))

    def _step(self, steps: int, *, seconds: bool = False) -> None:
        rate = self.presenter.frame.rate_hz if seconds and self.presenter.frame is not None else 1
        self._act(lambda: self.presenter.step(round(steps * rate)))

    def _disagreement(self, steps: int) -> None:
        self._act(lambda: self.presenter.seek_disagreement(steps))

    def _list_disagreements(self) -> None:
        if self._agree.isVisible() and self._agree.isEnabled():
            self._agree.showMenu()

    def _fill_clearest(self) -> None:
        self._clearest.clear()
        agreement, frame = self.presenter.agreement, self.presenter.frame
        if agreement is None or frame is None or frame.left is None:
            return
        who = frame.left.name.removeprefix("the ")
        for each in agreement.clearest[:_MOST]:
            at = duration_text(each.tick / agreement.rate_hz)
            sure = f"{100 * each.sure:.0f} %" if agreement.discrete else ""
            action = QAction(f"{at}   {who} {each.recorded}, clone {each.clone}   {sure}".rstrip(), self._clearest)
            action.triggered.connect(self._jump_to(moment_of(each)))
            self._clearest.addAction(action)
        if not agreement.disagreements:
            none = self._clearest.addAction("The clone would have done the same all along")
            none.setEnabled(False)

    def _jump_to(self, tick: int) -> Callable[[], None]:
        return lambda: self._seek(tick)

    def _explain(self, wanted: bool) -> None:
        for side in (self.left, self.right):
            side.explains = wanted
            side.update()

    def _poll(self) -> None:
        if self.presenter.poll():
            self._render()

    def _render(self) -> None:
        presenter, pair = self.presenter, self.presenter.pair
        self.show_problem(presenter.error if presenter.state is WatchState.FAILED else "")
        something = bool(pair.sessions or pair.policies or pair.chosen)
        self._stack.setCurrentIndex(1 if something else 0)
        frame = presenter.frame
        waiting = presenter.state is WatchState.OPENING
        no_clone = "No clone yet.\nTrain one, and it plays here." if not pair.policies else "No clone chosen."
        self.left.show_frame(frame, "Opening…" if waiting and pair.left else "Nothing chosen for the left.")
        self.right.show_frame(frame, "Waking the clone…" if waiting and pair.policy else no_clone)
        record = presenter.comparing.record if presenter.comparing.running else None
        share = None if not presenter.comparing.running else record.done / max(1, record.total) if record else 0.0
        self._timeline.show_frame(frame, (self.left.accent(), self.right.accent()), presenter.agreement, share)
        playing = presenter.state is WatchState.PLAYING
        over = presenter.state is WatchState.OVER
        self._play.setText("Pause" if playing else "Play again" if over else "Play")
        ready = presenter.state in (WatchState.PLAYING, WatchState.PAUSED, WatchState.OVER, WatchState.FAILED)
        self._play.setEnabled(ready)
        self._restart_button.setEnabled(ready and presenter.state is not WatchState.FAILED)
        self._speed.setCurrentIndex(SPEEDS.index(presenter.speed))
        self._train.setVisible(not pair.policies)
        self._scores.setEnabled(presenter.can_score)
        self._export.setEnabled(frame is not None)
        self._look.setVisible(frame is not None and frame.can_look)
        self._why.setVisible(frame is not None and any(side.drives for side in frame.sides))
        self._render_agreement(share)
        verdict, note = ("", "") if frame is None else (frame.verdict, frame.note and f"Note: {frame.note}.")
        self._verdict.setText(f"{verdict}\n{note}".strip() if verdict else "")
        self._clock.setToolTip(note)
        self._verdict.setVisible(bool(self._verdict.text()))
        self._place_verdict()
        behind = f"the clone thinks: {frame.behind:,} ticks to go   " if frame is not None and frame.behind else ""
        time = "" if frame is None else f"{behind}{duration_text(frame.seconds)}   tick {frame.tick:,}"
        self._clock.setText(time)

    def _render_agreement(self, share: float | None) -> None:
        presenter, agreement = self.presenter, self.presenter.agreement
        failed = presenter.comparing.state is BackgroundJobState.FAILED
        for widget in (self._back, self._agree, self._on):
            widget.setVisible(agreement is not None or share is not None or failed)
            widget.setEnabled(agreement is not None)
        if agreement is not None:
            self._agree.setText(agreement.headline)
            apart = ", ".join(f"{n} {d:.3f}" for n, d in zip(agreement.names, agreement.mean_difference, strict=False))
            self._agree.setToolTip(
                "How often the clone would have done the same on the recording's own screens. "
                "Press for the clearest disagreements (D)"
                if agreement.discrete
                else f"Mean absolute difference of each torque on what was recorded: {apart}. "
                "Press for the clearest disagreements (D)"
            )
        elif failed:
            self._agree.setText("Not compared")
            self._agree.setToolTip(presenter.comparing.error)
        else:
            self._agree.setText(f"Comparing {100 * (share or 0.0):.0f} %")
            self._agree.setToolTip("What would the clone have done on the recording's own screens?")

    def _place_verdict(self) -> None:
        """In the middle of both sides, where they meet."""
        room = self._sides.size()
        width = min(560, room.width() - 80)
        height = self._verdict.heightForWidth(width)
        self._verdict.setGeometry((room.width() - width) // 2, (room.height() - height) // 2 + 90, width, height)
