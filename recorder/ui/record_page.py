"""The Record page: play, and have it recorded. A view of recorder.recording.presenter; it holds no state of its own.

┌─────────────────────────────────────┐
│                     │ environment   │
│      the game       │ score … ticks │
│                     │ [Record] …    │
│ [LEFT][FIRE][RIGHT] │ today's takes │
└─────────────────────────────────────┘
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from recorder.agents.bindings import bindings_file
from recorder.agents.keyboard import PLACE
from recorder.library.access import LibraryAccess, has_sessions
from recorder.play.sound import Speaker
from recorder.recording.partner import TwinPlayers
from recorder.recording.presenter import RecordPresenter
from recorder.recording.race_series import next_game
from recorder.recording.recordings import Picture
from recorder.recording.settings import RecordSettings
from recorder.recording.take_control import RecordState
from recorder.ui.game_keys import HeldKeys, usual
from recorder.ui.game_view import GameView, Keycap
from recorder.ui.game_words import game_words
from recorder.ui.games_dialog import in_front, open_games
from recorder.ui.key_captions import KeyCaptions
from recorder.ui.keys_dialog import keys_dialog
from recorder.ui.kit.fold import Scroll
from recorder.ui.kit.keys import Keyboard, codes, is_command
from recorder.ui.kit.pace import IDLE_MS, set_pace
from recorder.ui.kit.page import Page
from recorder.ui.kit.shortcuts import Shortcut
from recorder.ui.kit.slots import then
from recorder.ui.record_side import RecordSide
from recorder.ui.turn_words import rival_of, turn_of

# A Qt timer counts whole milliseconds, so it only wakes us shortly before a tick; the presenter's pacer decides whether
# it is due. The last bit is slept through, or a tick would come up to a wake-up late.
_NAP_NS = 1_200_000
_SIDE = 316  # the width of what stands beside the game, with room for a scroll bar
_LIFTED_MS = 2  # while a release waits to be told from the repeat of a key
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
        presenter.key_choice.name_keys = self.keyboard.names
        presenter.open_games = self._choose_game
        columns = QHBoxLayout()
        columns.setSpacing(20)
        self._view = GameView()
        self._view.installEventFilter(self)
        self._view.painted.connect(self._note_picture, Qt.ConnectionType.QueuedConnection)
        columns.addWidget(self._view, 1)
        self.lay_banner_over(self._view)
        self._side = self._build_side()
        self._scroll = _scrolled(self._side)
        self._busy = False
        columns.addWidget(self._scroll)
        self.body.addLayout(columns, 1)
        self.captions = KeyCaptions(presenter, self.keyboard)
        self._timer = QTimer(self, interval=IDLE_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._wake)
        self._disk_space = ""
        self._counted = 0  # the figure of the count-down that is shown
        self._held = HeldKeys(presenter.controls.release, self.keyboard.is_down)
        self.bind_keys(*_shortcuts(self))
        self._render()

    def activate(self) -> None:
        """The page is shown."""
        self.presenter.page.show()
        self.presenter.finished.today.look()
        if not self.access.missing:
            self.presenter.finished.check()
        self._side.takes.offers_sample = not (self.presenter.refusal or has_sessions(self.presenter.library))
        self._disk_space = self.presenter.disk_space
        if not self.presenter.busy:
            self.presenter.partner.look(self.presenter.spec)
        self._timer.start()
        QTimer.singleShot(0, self.keyboard, self.keyboard.open)  # once the window is there
        self._view.setFocus()
        self._render()

    def take_keyboard(self) -> None:
        """See Page."""
        self._view.setFocus()

    def deactivate(self) -> None:
        """The page is hidden: hold the game."""
        self._held.forget()
        self.presenter.page.hide()
        self._render()

    def shutdown(self) -> None:
        """The window closes: keep what was played."""
        self._timer.stop()
        self.keyboard.close()
        self.presenter.shutdown()

    def lose_keyboard(self) -> None:
        """The window is no longer active."""
        self._held.forget()
        self.presenter.take.lose_keyboard()
        self._render()

    def show_access(self, access: LibraryAccess) -> None:
        """See Page: the game is shown whatever becomes of the library, but it cannot be recorded."""
        self.access = access
        self.presenter.refuse(access.refusal)
        self._side.takes.there = not access.missing
        self._side.takes.unchangeable = access.keeps_sessions_as_they_are
        self._disk_space = self.presenter.disk_space
        self._render()

    def name_player(self, name: str) -> None:
        """Who plays, from the next take on."""
        self.presenter.player.use(name)
        self._render()

    def event(self, event: QEvent) -> bool:
        # A key that was chosen on one layout may be a shortcut's on another: whoever chose it means to play by it.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and not is_command(event):
            code = self.presenter.key_choice.bindings.code_of(*codes(event))
            if self.presenter.by_hand and code is not None and code >= PLACE:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.keyboard.learn(event)
        if self._held.is_repeat(event):
            event.accept()
            return
        code = self.presenter.key_choice.bindings.code_of(*codes(event))
        begins = event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if begins and self.presenter.state is RecordState.GAME_OVER:
            next_game(self.presenter)
            self._view.setFocus()
        elif begins and self.presenter.state is RecordState.IDLE:
            self._start()
        elif code is not None and self.presenter.controls.press(code):
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
        self._set_pace()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._view and event.type() == QEvent.Type.FocusOut:
            self._held.forget()
            self.presenter.controls.lose_keyboard()
        return super().eventFilter(watched, event)

    @property
    def keycaps(self) -> list[Keycap]:
        """The keys that play, as they are shown below the game; none where nobody plays by hand."""
        return self.captions.keycaps

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Tab would take the keyboard away from the game in the middle of a rally.
        return self.presenter.state in _RUNNING or super().focusNextPrevChild(forward)

    def _build_side(self) -> RecordSide:
        if self.presenter.env_choice.problems:
            self.presenter.error = self.presenter.env_choice.problems[0]
        side = RecordSide(self.presenter, self._view)
        side.changed.connect(self._render)
        side.env_chosen.connect(self._choose)
        side.games_requested.connect(self._choose_game)
        side.start_requested.connect(self._start)
        side.pause_requested.connect(self._toggle_pause)
        side.stop_requested.connect(self._stop)
        side.discard_requested.connect(self._discard)
        side.keys_requested.connect(self._choose_keys)
        side.sound_requested.connect(then(self.presenter.sound.toggle, self._render))
        side.takes.train_requested.connect(self.train_requested)
        side.takes.watch_requested.connect(self.watch_requested)
        side.takes.discard_requested.connect(self._discard)
        side.takes.restore_requested.connect(then(self.presenter.undo_discard, self._render))
        side.takes.sample_requested.connect(self.sample_requested)
        side.takes.label_requested.connect(then(self.presenter.finished.label, self._render))
        return side

    def _choose(self, env: str) -> None:
        self.presenter.choose(env)
        self._disk_space = self.presenter.disk_space
        self._view.setFocus()
        self._render()

    def _choose_game(self) -> None:
        open_games(self.presenter, self._choose, self)

    def _start(self) -> None:
        self.presenter.start(wait=False)
        self._view.setFocus()
        self._render()

    def _toggle_pause(self) -> None:
        self._held.settle(0)
        (self.presenter.take.resume if self.presenter.state is RecordState.PAUSED else self.presenter.take.pause)()
        self._view.setFocus()
        self._render()

    def _stop(self) -> None:
        self.presenter.stop(wait=False)
        self._disk_space = self.presenter.disk_space
        self._view.setFocus()
        self._render()

    def _discard(self, path: Path | None = None) -> None:
        self.presenter.discard(path, wait=False)
        self._render()

    def _advance(self) -> None:
        self._held.settle(0)
        self.presenter.take.advance()
        self._render()

    def _restart(self) -> None:
        self.presenter.restart()
        self._view.setFocus()
        self._render()

    def _wake(self) -> None:
        if self._held.settle():
            self._render()
        self.presenter.controls.listening = in_front(self.presenter, self)
        wait = self.presenter.take.wait_ns
        if wait is not None and wait <= _NAP_NS:
            time.sleep(wait * 1e-9)
        if self.presenter.poll() or self.presenter.take.countdown != self._counted:
            self._render()
        self._set_pace()
        if self.presenter.page.rests:
            self._timer.stop()

    def _set_pace(self) -> None:
        wait_ms = self.presenter.wait_ns(_NAP_NS) // 1_000_000
        set_pace(self._timer, max(1, min(wait_ms, _LIFTED_MS if self._held.unsettled else IDLE_MS)))

    def _render(self) -> None:
        presenter = self.presenter
        state, status = presenter.state, presenter.status
        self.show_problem(presenter.error or ("" if self.access.missing else presenter.take.trouble))
        picture = None if status is None else status.picture
        self._view.show_rival(rival_of(presenter))
        self._view.show_game(picture, presenter.spec.pixel_aspect, recording=state is RecordState.RECORDING)
        self._counted = presenter.take.countdown
        self._view.show_overlay(*game_words(presenter, self.captions), large=state is RecordState.COUNTDOWN)
        self._view.show_turn(turn_of(presenter))
        self._view.show_keycaps(self.keycaps)
        self._side.show_state(presenter, self._disk_space)
        self._turn_side()
        self._set_pace()

    def _turn_side(self) -> None:
        """In a small window: show the figures once a take begins, and the take once it is saved."""
        before, self._busy = self._busy, self.presenter.busy
        if self._busy and not before:
            self._scroll.verticalScrollBar().setValue(0)
        elif before and not self._busy and self.presenter.finished.just_kept:
            QTimer.singleShot(0, self, lambda: self._scroll.ensureWidgetVisible(self._side.takes))

    def _note_picture(self, picture: Picture) -> None:
        self.presenter.take.shown(picture)

    def _choose_keys(self) -> None:
        dialog = keys_dialog(self.presenter, self.keyboard, self)
        dialog.accepted.connect(lambda: self.presenter.rebind(dialog.bindings))
        dialog.finished.connect(lambda: self._view.setFocus())
        dialog.finished.connect(self._render)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()


def _shortcuts(page: RecordPage) -> tuple[Shortcut, ...]:
    """The keys that command, and what each does."""
    presenter, take = page.presenter, page.presenter.take
    return (
        Shortcut("Ctrl+R", "Start a take (also Space)", page._start),
        Shortcut("Ctrl+G", "Choose from all games", page._choose_game),
        Shortcut("P", "Pause or resume", page._toggle_pause),
        Shortcut("Esc", "Stop and save the take", page._stop),
        Shortcut("Ctrl+Backspace", "Delete the take", page._discard),
        Shortcut("Ctrl+Z", "Undo", then(presenter.undo_discard, page._render)),
        Shortcut("Ctrl+Shift+R", "Delete the take and start again", page._restart),
        Shortcut("Backspace", "Rewind 3 seconds", then(take.rewind, page._render)),
        Shortcut(
            "Shift+Backspace", "Rewind but keep the discarded part", then(partial(take.rewind, keep=True), page._render)
        ),
        Shortcut(".", "One frame forward, while paused", page._advance),
        Shortcut("-", "Slower", then(partial(take.change_speed, -1), page._render)),
        Shortcut("+ =", "Faster", then(partial(take.change_speed, 1), page._render)),
        Shortcut("G", "Mark the game as good", then(partial(take.mark, "success"), page._render)),
        Shortcut("B", "Mark the game as bad", then(partial(take.mark, "failure"), page._render)),
        Shortcut("M", "Sound on or off", then(presenter.sound.toggle, page._render)),
    )


def open_presenter(
    library: Path, settings: RecordSettings, countdown_s: float, twins: TwinPlayers | None = None
) -> RecordPresenter:
    """A presenter with the player's own keys, or the usual ones, and `twins` that can play along."""
    return RecordPresenter(
        library,
        bindings_file=bindings_file(),
        usual_keys=usual,
        speaker=Speaker(),
        settings=settings,
        countdown_s=countdown_s,
        twins=twins,
    )


def _scrolled(side: RecordSide) -> Scroll:
    """What stands beside the game, which scrolls in a small window."""
    scroll = Scroll(side)
    scroll.setFixedWidth(_SIDE)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return scroll
