"""What stands beside the game on the Record page: what is played, the figures, the buttons, and the takes of today."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from recorder.envs.registry import get_spec
from recorder.recording.player_name import NameQuestion
from recorder.recording.presenter import RecordPresenter
from recorder.recording.take_control import RecordState
from recorder.system.texts import duration_text
from recorder.ui.hud import Hud
from recorder.ui.kit import look
from recorder.ui.kit.focus import deletes
from recorder.ui.kit.icons import show_icon
from recorder.ui.kit.steady import reserve_width
from recorder.ui.limit_box import LimitBox
from recorder.ui.pace_box import PaceBox
from recorder.ui.partner_box import PartnerBox
from recorder.ui.player_box import PlayerBox
from recorder.ui.takes_list import TakesList

_LABELS = {"success": "good", "failure": "bad"}
_SOUND = ("Sound: on", "Sound: off", "No sound card")
_SOUND_TIP = "The game's sound, on or off (M)"
_RECORD_TIP = "Start recording (Space, Ctrl+R)"
_HOLDABLE = (RecordState.COUNTDOWN, RecordState.RECORDING, RecordState.PAUSED)


class RecordSide(QWidget):
    """`game` gets the keyboard back once something was pressed.

    Signals say what is wished; `env_chosen` carries the name of an environment. Those about takes, in `takes`, carry
    the path of one. `changed` says that something in `presenter` was changed here.
    """

    changed = Signal()
    env_chosen = Signal(str)
    games_requested = Signal()
    start_requested = Signal()
    pause_requested = Signal()
    stop_requested = Signal()
    discard_requested = Signal()
    keys_requested = Signal()
    sound_requested = Signal()

    def __init__(self, presenter: RecordPresenter, game: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._game = game
        self._drawn: tuple[object, ...] = ()  # of the environments
        self.takes = TakesList(game)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.SMALL)
        layout.addLayout(self._build_envs())
        self._player, self._limit = PlayerBox(presenter, game), LimitBox(presenter, game)
        self._partner, self._pace = PartnerBox(presenter, game), PaceBox(presenter, game)
        for box in (self._player, self._limit, self._partner, self._pace):
            box.changed.connect(self.changed)
        layout.addWidget(self._player)
        self._hud = Hud()
        layout.addWidget(self._hud)
        self._build_buttons(layout)
        layout.addWidget(self._limit)
        layout.addWidget(self._partner)
        layout.addWidget(self._pace)
        self._summary = QLabel(objectName="takeSummary", wordWrap=True, visible=False)
        self._summary.setFont(look.scaled(self._summary.font(), 0.9))  # how a take was timed fits in one line
        layout.addWidget(self._summary)
        layout.addLayout(self._build_heading())
        layout.addWidget(self.takes, 1)

    def show_state(self, presenter: RecordPresenter, room: str) -> None:
        """Show what is under way; `room` says for how much play the disk has room."""
        self._player.show_state()
        self._limit.show_state()
        self._partner.show_state()
        self._pace.show_state()
        self._show_envs(presenter)
        self._show_buttons(presenter)
        self._space.setText(f"Disk space for {room}" if room else "")
        self._hud.show_texts(_figures(presenter), playing=presenter.state is RecordState.RECORDING)
        self._summary.setVisible(not presenter.busy and bool(presenter.finished.last_summary))
        self._summary.setText(presenter.finished.last_summary)
        self.takes.setEnabled(self.takes.there and not presenter.busy)
        takes = presenter.finished.today.takes
        players = {presenter.player.name, *(take.player for take in takes)}
        someone_else = presenter.player.question is NameQuestion.NEXT
        self.takes.show_takes(takes, whose=someone_else or len(players) > 1)

    def _build_envs(self) -> QHBoxLayout:
        self._envs = QComboBox(objectName="envBox", accessibleName="Environment", toolTip="What to record")
        self._envs.currentIndexChanged.connect(lambda index: self.env_chosen.emit(self._envs.itemData(index)))
        self._envs.activated.connect(lambda _index: self._game.setFocus())  # also if it is the one that was chosen
        self._games = self._button(
            "All games…", "gamesButton", "Choose from all games (Ctrl+G)", self.games_requested.emit
        )
        row = QHBoxLayout()
        row.setSpacing(look.SMALL)
        row.addWidget(self._envs, 1)
        row.addWidget(self._games)
        return row

    def _show_envs(self, presenter: RecordPresenter) -> None:
        specs = presenter.env_choice.specs
        if self._drawn == (drawn := (id(specs), presenter.env, presenter.busy)):
            return  # as in every tick of a game
        self._drawn = drawn
        blocker = QSignalBlocker(self._envs)  # a controller chooses, too
        if [spec.name for spec in specs] != [self._envs.itemData(index) for index in range(self._envs.count())]:
            self._envs.clear()
            for spec in specs:
                self._envs.addItem(spec.title, spec.name)
        self._envs.setCurrentIndex(self._envs.findData(presenter.env))
        blocker.unblock()
        for each in (self._envs, self._games):
            each.setEnabled(not presenter.busy)

    def _build_heading(self) -> QHBoxLayout:
        self._space = look.faint(name="spaceFigure")
        self._space.setToolTip("How much more play fits on the disk")
        row = QHBoxLayout()
        row.addWidget(look.heading("Today", factor=1.1))
        row.addStretch(1)
        row.addWidget(self._space)
        return row

    def _build_buttons(self, layout: QVBoxLayout) -> None:
        self._record = self._button("Record", "recordButton", _RECORD_TIP, self.start_requested.emit)
        self._record.setProperty("primary", True)
        self._pause = self._button("Pause", "pauseButton", "Pause or resume (P)", self.pause_requested.emit)
        self._stop = self._button("Stop", "stopButton", "Stop and save (Esc)", self.stop_requested.emit)
        self._discard = self._button(
            "Delete", "discardButton", "Move this take to the trash (Ctrl+Backspace)", self.discard_requested.emit
        )
        deletes(self._discard)
        self._keys = self._button(
            "Keys…", "keysButton", "Choose the keys and the controller to play with", self.keys_requested.emit
        )
        self._sound = self._button("Sound", "soundButton", _SOUND_TIP, self.sound_requested.emit)
        for button, picture in (
            (self._record, "record"),
            (self._pause, "pause"),
            (self._stop, "stop"),
            (self._discard, "trash"),
        ):
            show_icon(button, picture)
        for button in (self._pause, self._stop, self._discard):
            button.setProperty("tight", True)  # so that a scroll bar beside them covers nothing
        reserve_width(self._pause, "Pause", "Resume")
        reserve_width(self._sound, *_SOUND)
        layout.addWidget(self._record)
        for row in ((self._pause, self._stop, self._discard), (self._keys, self._sound)):
            row_layout = QHBoxLayout()
            row_layout.setSpacing(look.SMALL)
            for button in row:
                row_layout.addWidget(button)
            layout.addLayout(row_layout)

    def _button(self, text: str, name: str, tip: str, action: Callable[[], None]) -> QPushButton:
        # Space serves the ball and must not press whatever button was clicked last. One that Tab led to may be pressed,
        # and hands the keyboard back to the game.
        button = QPushButton(text, objectName=name, toolTip=tip, focusPolicy=Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self._game.setFocus())
        button.clicked.connect(lambda: action())
        return button

    def _show_buttons(self, presenter: RecordPresenter) -> None:
        state, sound = presenter.state, presenter.sound
        finishing, waiting = state is RecordState.FINISHING, presenter.partner.awaited
        skipping = presenter.spec is not get_spec(presenter.env)  # the one as its file says
        for button, enabled in (
            (self._record, not presenter.busy and not waiting and not presenter.refusal),
            (self._pause, state in _HOLDABLE and not presenter.take.trouble),
            (self._stop, (presenter.busy and not finishing) or waiting),
            (self._discard, not finishing and (presenter.busy or presenter.finished.last_take is not None)),
            (self._keys, presenter.by_hand and not presenter.busy),
            (self._sound, presenter.by_hand and sound.available and not skipping),
        ):
            button.setEnabled(enabled)
        self._record.setToolTip(presenter.refusal or _RECORD_TIP)
        self._sound.setToolTip("There is no sound with a frame skip" if skipping else _SOUND_TIP)
        self._pause.setText("Resume" if state is RecordState.PAUSED else "Pause")
        self._sound.setText(_SOUND[2] if not sound.available else _SOUND[sound.muted])


def _figures(presenter: RecordPresenter) -> dict[str, str]:
    """What the Hud shows, by name."""
    status = presenter.status if presenter.busy else None
    if status is None:
        return {}
    limit, whole = presenter.limit.limit, f" of {duration_text(60 * presenter.limit.limit.minutes)}"
    texts = {
        "score": f"{status.score:,.0f}",
        "lives": "●" * status.lives,
        "games": f"{status.games} of {limit.games}" if limit.games else str(status.games),
        "time": duration_text((status.ticks - status.undone_ticks) / presenter.spec.rate_hz)
        + (whole if limit.minutes else ""),
        "speed": f"{status.speed / 100 * steps:g} steps/s"
        if (steps := presenter.pace.steps_hz)
        else f"{status.speed} %",
    }
    if status.label:
        texts["label"] = _LABELS[status.label]
    if presenter.by_hand:
        texts["late"] = f"{status.late_ticks:,} of {status.ticks:,}"
        texts["actions"] = f"{status.actions_hz:.1f}"
        texts["presses"] = f"{status.presses_hz:.1f}"
    return texts
