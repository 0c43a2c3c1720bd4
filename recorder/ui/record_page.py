"""The Record page: play, and have it recorded. A view of recorder.recording.presenter; it holds no state of its own.

┌ banner ─────────────────────────────┐
│                     │ environment   │
│      the game       │ score … ticks │
│                     │ [Record] …    │
│ [LEFT][FIRE][RIGHT] │ today's takes │
└─────────────────────────────────────┘
"""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from recorder.agents.bindings import bindings_file
from recorder.agents.keyboard import PLACE
from recorder.envs.registry import usable_specs
from recorder.play.sound import Speaker
from recorder.recording.presenter import RecordPresenter, RecordState
from recorder.ui.game_keys import RESERVED, HeldKeys, rows, usual
from recorder.ui.game_view import GameView, Keycap
from recorder.ui.hud import Hud
from recorder.ui.keys_dialog import KeysDialog
from recorder.ui.kit import look
from recorder.ui.kit.icons import show_icon
from recorder.ui.kit.keys import Keyboard, codes, is_command, key_label
from recorder.ui.kit.page import Page
from recorder.ui.takes_list import TakesList

# A Qt timer counts whole milliseconds, so it only wakes us; the presenter's pacer decides whether a tick is due. The
# last bit is slept through, or a tick would come up to a wake-up late.
_WAKE_MS = 1
_NAP_NS = 1_200_000
_LABELS = {"success": "good", "failure": "bad"}
_RUNNING = (RecordState.COUNTDOWN, RecordState.RECORDING)


class RecordPage(Page):
    """Shows what `presenter` says. Signals: `train_requested` and `watch_requested` with a session's path."""

    train_requested = Signal(object)
    watch_requested = Signal(object)

    def __init__(self, presenter: RecordPresenter, parent: QWidget | None = None) -> None:
        super().__init__("record", parent)
        self.presenter = presenter
        self.keyboard = Keyboard(self)
        self.keyboard.changed.connect(self._render)
        presenter.name_keys = self.keyboard.names
        columns = QHBoxLayout()
        columns.setSpacing(20)
        self._view = GameView()
        self._view.installEventFilter(self)
        columns.addWidget(self._view, 1)
        columns.addWidget(self._build_side())
        self.body.addLayout(columns, 1)
        self._timer = QTimer(self, interval=_WAKE_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._wake)
        self._room = ""
        self._counted = 0  # the figure of the count-down that is shown
        self._held = HeldKeys(presenter.release, self.keyboard.is_down)
        self.bind_keys(
            (
                ("Ctrl+R", self._start),
                ("P", self._toggle_pause),
                ("Esc", self._stop),
                ("Ctrl+Backspace", self._discard),
                ("Ctrl+Z", self._undo),
                ("Ctrl+Shift+R", self._restart),
                ("-", lambda: self._change_speed(-1)),
                ("+", lambda: self._change_speed(1)),
                ("=", lambda: self._change_speed(1)),
                (".", self._advance),
                ("Backspace", self._rewind),
                ("Shift+Backspace", lambda: self._rewind(keep=True)),
                ("G", lambda: self._mark("success")),
                ("B", lambda: self._mark("failure")),
                ("M", self._toggle_sound),
            )
        )
        self._render()

    def activate(self) -> None:
        """The page is shown."""
        self.presenter.today.look()
        self._room = self.presenter.room
        self._timer.start()
        QTimer.singleShot(0, self.keyboard, self.keyboard.open)  # once the window is there
        self._view.setFocus()
        self._render()

    def deactivate(self) -> None:
        """The page is hidden: hold the game."""
        self._held.forget()
        self.presenter.pause()
        self.presenter.lose_keyboard()
        self._timer.stop()
        self._render()

    def shutdown(self) -> None:
        """The window closes: keep what was played."""
        self._timer.stop()
        self.keyboard.close()
        self.presenter.shutdown()

    def lose_keyboard(self) -> None:
        """The window is no longer active."""
        self._held.forget()
        self.presenter.lose_keyboard()
        self._render()

    def name_player(self, name: str) -> None:
        """Who plays, from the next take on."""
        self.presenter.keys.name = name
        self._render()

    def event(self, event: QEvent) -> bool:
        # A key that was chosen on one layout may be a shortcut's on another: whoever chose it means to play by it.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and not is_command(event):
            code = self.presenter.bindings.code_of(*codes(event))
            if self.presenter.by_hand and code is not None and code >= PLACE:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.keyboard.learn(event)
        if self._held.is_repeat(event):
            event.accept()
            return
        code = self.presenter.bindings.code_of(*codes(event))
        begins = event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if begins and self.presenter.state is RecordState.GAME_OVER:
            self.presenter.next_game()
            self._view.setFocus()
        elif begins and self.presenter.state is RecordState.IDLE:
            self._start()
        elif code is not None and self.presenter.press(code):
            self._held.press(event, code)
            self._view.setFocus()  # whose loss tells when a release may go unseen
        else:
            super().keyPressEvent(event)
        self._render()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            event.accept()
            return
        if not self._held.release(event):
            super().keyReleaseEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._view and event.type() == QEvent.Type.FocusOut:
            self._held.forget()
            self.presenter.controls.lose_keyboard()
        return super().eventFilter(watched, event)

    def _build_side(self) -> QWidget:
        side = QWidget()
        side.setFixedWidth(300)
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        self._envs = QComboBox(objectName="envBox", accessibleName="Environment")
        specs, problems = usable_specs()
        for spec in specs:
            self._envs.addItem(spec.title, spec.name)
        if problems:
            self.presenter.error = problems[0]
        self._envs.setToolTip("What to record")
        self._envs.currentIndexChanged.connect(self._choose)
        layout.addWidget(self._envs)
        self._player = look.faint(name="playerLabel", wrap=True)
        layout.addWidget(self._player)
        self._hud = Hud()
        layout.addWidget(self._hud)
        layout.addSpacing(look.SMALL)
        self._record = self._button("Record", "recordButton", "Start a take (Space, Ctrl+R)", self._start, primary=True)
        self._pause = self._button("Pause", "pauseButton", "Hold the game, or go on (P)", self._toggle_pause)
        self._finish = self._button("Stop", "stopButton", "Finish the take and keep it (Esc)", self._stop)
        self._drop = self._button(
            "Discard", "discardButton", "Take this one out of the library (Ctrl+Backspace)", self._discard
        )
        for button, picture in (
            (self._record, "record"),
            (self._pause, "pause"),
            (self._finish, "stop"),
            (self._drop, "trash"),
        ):
            show_icon(button, picture)
        layout.addWidget(self._record)
        self._choose_keys_button = self._button(
            "Keys…", "keysButton", "Choose which keys and which controller play", self._choose_keys
        )
        self._sound = self._button("Sound", "soundButton", "The game's sound, on or off (M)", self._toggle_sound)
        for row in ((self._pause, self._finish, self._drop), (self._choose_keys_button, self._sound)):
            row_layout = QHBoxLayout()
            row_layout.setSpacing(look.SMALL)
            for button in row:
                row_layout.addWidget(button)
            layout.addLayout(row_layout)
        self._summary = QLabel(objectName="takeSummary", wordWrap=True, visible=False)
        layout.addWidget(self._summary)
        layout.addSpacing(look.SMALL)
        layout.addWidget(look.heading("Today", factor=1.1))
        self._takes = TakesList(self._view)
        self._takes.train_requested.connect(self.train_requested)
        self._takes.watch_requested.connect(self.watch_requested)
        self._takes.discard_requested.connect(self._discard)
        self._takes.restore_requested.connect(self._undo)
        self._takes.label_requested.connect(self._label)
        layout.addWidget(self._takes, 1)
        return side

    def _button(self, text: str, name: str, tip: str, action: object, *, primary: bool = False) -> QPushButton:
        # Space serves the ball and must not press whatever button was clicked last. One that Tab led to may be pressed,
        # and hands the keyboard back to the game.
        button = QPushButton(text, objectName=name, toolTip=tip, focusPolicy=Qt.FocusPolicy.TabFocus)
        button.setProperty("primary", primary)
        button.clicked.connect(lambda: self._view.setFocus())
        button.clicked.connect(action)
        return button

    def _choose(self, index: int) -> None:
        self.presenter.choose(self._envs.itemData(index))
        self._room = self.presenter.room
        self._view.setFocus()
        self._render()

    def _start(self) -> None:
        self.presenter.start(wait=False)
        self._view.setFocus()
        self._render()

    def _toggle_pause(self) -> None:
        self._held.settle(0)
        (self.presenter.resume if self.presenter.state is RecordState.PAUSED else self.presenter.pause)()
        self._view.setFocus()
        self._render()

    def _stop(self) -> None:
        self.presenter.stop(wait=False)
        self._room = self.presenter.room
        self._render()

    def _discard(self, path: Path | bool | None = None) -> None:
        self.presenter.discard(path if isinstance(path, Path) else None, wait=False)
        self._render()

    def _change_speed(self, steps: int) -> None:
        self.presenter.change_speed(steps)
        self._render()

    def _advance(self) -> None:
        self._held.settle(0)
        self.presenter.advance()
        self._render()

    def _rewind(self, keep: bool = False) -> None:
        self.presenter.rewind(keep)
        self._render()

    def _mark(self, label: str) -> None:
        self.presenter.mark(label)
        self._render()

    def _undo(self, path: Path | None = None) -> None:
        self.presenter.undo_discard(path)
        self._render()

    def _label(self, path: Path, label: str) -> None:
        self.presenter.label(path, label)
        self._render()

    def _toggle_sound(self) -> None:
        self.presenter.mute(not self.presenter.muted)
        self._render()

    def _restart(self) -> None:
        self.presenter.restart()
        self._view.setFocus()
        self._render()

    def _wake(self) -> None:
        if self._held.settle():
            self._render()
        # A menu leaves the window active, and takes the keyboard all the same.
        self.presenter.controls.listening = self.isActiveWindow() and QApplication.activePopupWidget() is None
        wait = self.presenter.wait_ns
        if wait is not None and wait <= _NAP_NS:
            time.sleep(wait * 1e-9)
        if self.presenter.poll() or self.presenter.countdown != self._counted:
            self._render()

    def _render(self) -> None:
        presenter = self.presenter
        state, status, spec = presenter.state, presenter.status, presenter.spec
        finishing = state is RecordState.FINISHING
        self.show_problem(presenter.error or presenter.trouble)
        picture = None if status is None else status.picture
        self._view.show_game(picture, spec.pixel_aspect, recording=state is RecordState.RECORDING)
        self._counted = presenter.countdown
        self._view.show_overlay(*self._overlay(), large=state is RecordState.COUNTDOWN)
        self._view.show_keycaps(self.keycaps)
        name = presenter.keys.name
        kind = (f"{name} plays" if name else "You play") if presenter.by_hand else "A scripted expert demonstrates"
        hint = "" if presenter.by_hand else "; + and − change the speed"
        self._player.setText(f"{kind} at {spec.rate_hz:g} ticks a second{hint}")
        self._player.setToolTip(
            "A tick is one step of the game: one screen, one action. The menu (F10) changes the player's name."
        )
        self._envs.setEnabled(not presenter.busy)
        for button, enabled in (
            (self._record, not presenter.busy),
            (self._pause, state in (*_RUNNING, RecordState.PAUSED) and not presenter.trouble),
            (self._finish, presenter.busy and not finishing),
            (self._drop, not finishing and (presenter.busy or presenter.last_take is not None)),
            (self._sound, presenter.by_hand and presenter.has_sound),
        ):
            button.setEnabled(enabled)
        self._choose_keys_button.setEnabled(presenter.by_hand and not presenter.busy)
        self._pause.setText("Go on" if state is RecordState.PAUSED else "Pause")
        self._render_figures()
        self._sound.setText(
            "No sound card" if not presenter.has_sound else "Sound: off" if presenter.muted else "Sound: on"
        )
        self._summary.setVisible(not presenter.busy and bool(presenter.last_summary))
        self._summary.setText(presenter.last_summary)
        self._takes.setEnabled(not presenter.busy)
        self._takes.show_takes(presenter.today.takes)

    @property
    def keycaps(self) -> list[Keycap]:
        """The keys that play, as they are shown below the game; none where nobody plays by hand."""
        held = self.presenter.keys.held_actions
        return [Keycap(name, self._keys_of(action), action in held) for action, name in rows(self.presenter.spec)]

    def _what_keys_do(self) -> str:
        keys = {name: self._keys_of(action).split(" or ")[0] for action, name in rows(self.presenter.spec)}
        serve = keys.pop(self.presenter.spec.serve_action, "")
        *others, last = keys.values()
        moving = f"{', '.join(others)} and {last} move." if others else f"{last} plays."
        return f"{serve} serves, {moving}" if serve else moving

    def _keys_of(self, action: int) -> str:
        names = self.presenter.bindings.names
        own = [key for key in self.presenter.bindings.keys_of(action) if key > 0]
        return " or ".join(key_label(self.keyboard.name(key, names[key])) for key in own)

    def _choose_keys(self) -> None:
        spec = self.presenter.spec
        reserved = {int(key): does for key, does in RESERVED.items()}
        dialog = KeysDialog(
            self.presenter.bindings,
            usual(spec),
            rows(spec),
            reserved,
            self.keyboard,
            lambda: self.presenter.controls.devices,
            self,
        )
        dialog.accepted.connect(lambda: self.presenter.rebind(dialog.bindings))
        dialog.finished.connect(lambda: self._view.setFocus())
        dialog.finished.connect(self._render)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _render_figures(self) -> None:
        status = self.presenter.status if self.presenter.busy else None
        texts = {"space": self._room} if self._room else {}
        if status is not None:
            minutes, seconds = divmod(int(status.ticks / self.presenter.spec.rate_hz), 60)
            texts |= {
                "score": f"{status.score:,.0f}",
                "lives": "●" * status.lives,
                "games": str(status.games),
                "time": f"{minutes}:{seconds:02d}",
                "speed": f"{status.speed} %",
            }
            if status.label:
                texts["label"] = _LABELS[status.label]
            if self.presenter.by_hand:
                texts["late"] = f"{status.late_ticks:,} of {status.ticks:,}"
                texts["actions"] = f"{status.actions_hz:.1f}"
                texts["presses"] = f"{status.presses_hz:.1f}"
        self._hud.show_texts(texts)

    def _overlay(self) -> tuple[str, str]:
        presenter = self.presenter
        if presenter.state is RecordState.PAUSED and presenter.trouble:
            return "Waiting", "The recording cannot be written; the line above says why."
        if presenter.state is RecordState.PAUSED and presenter.recovered:
            return "Paused", "The recording can be written again, and nothing was lost. P goes on."
        if presenter.state is RecordState.FINISHING:
            return "Saving…", ""
        if presenter.state is RecordState.COUNTDOWN:
            return str(presenter.countdown or ""), self._what_keys_do()
        if presenter.state is RecordState.PAUSED and presenter.lost_keyboard:
            return "Paused", "The window lost the keyboard, and no key is held. Click here, then P goes on."
        if presenter.state is RecordState.PAUSED:
            return "Paused", "P goes on, Backspace goes back 3 seconds, a dot plays one tick, − and + change the speed."
        if presenter.state is RecordState.GAME_OVER:
            score = presenter.status.score if presenter.status else 0
            return (
                f"Game over: {score:,.0f}",
                "Space plays another game in this take. G or B marks it good or bad. Esc stops and keeps the take.",
            )
        if presenter.state is RecordState.IDLE:
            if presenter.just_kept:
                again = "Space plays another." if presenter.by_hand else "Space records another."
                return "Your take is kept", f"“Train on it”, at the right, makes a twin of it. {again}"
            if presenter.by_hand:
                return (
                    "Press Space to play",
                    f"{self._what_keys_do()} All of it is recorded, for your twin to learn from.",
                )
            return "Press Space to begin", "An expert demonstrates, and all of it is recorded."
        if not presenter.by_hand and presenter.status is not None and not presenter.status.ticks:
            return "Waking the expert…", ""
        return "", ""

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Tab would take the keyboard away from the game in the middle of a rally.
        return self.presenter.state in _RUNNING or super().focusNextPrevChild(forward)


def open_presenter(library: Path, player_name: str, countdown_s: float) -> RecordPresenter:
    """A presenter with the player's own keys, or the usual ones."""
    return RecordPresenter(
        library,
        bindings_file=bindings_file(),
        usual_keys=usual,
        speaker=Speaker(),
        player_name=player_name,
        countdown_s=countdown_s,
    )
