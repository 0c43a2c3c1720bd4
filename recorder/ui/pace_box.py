"""Whether the game runs in real time or waits for the player's keys, and its frame skip."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QWidget

from recorder.envs.registry import get_spec
from recorder.recording.pace import FRAME_SKIPS, STEP_RATES
from recorder.recording.presenter import RecordPresenter
from recorder.ui.kit import look

_TIP = "Step by step, the game stands still until you hold a key; . lets one frame pass without one"
_SKIP_TIP = "Frame skip: an action is held for so many frames. Takes of different ones are not mixed in a training"
_WITH_TWIN = "With your twin the game runs in real time, as it learned it"
_LATER = "The next take can run otherwise"


class PaceBox(QWidget):
    """Shows and changes `presenter.pace`; `game` gets the keyboard back once something was chosen."""

    changed = Signal()

    def __init__(self, presenter: RecordPresenter, game: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presenter, self._game = presenter, game
        self._drawn: tuple[object, ...] = ()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(look.SMALL)
        self._box = QComboBox(objectName="paceBox", accessibleName="Pace of the game")
        self._box.addItem("Real time", 0.0)
        for rate in STEP_RATES:
            self._box.addItem(f"Step by step, {rate:g} a second", rate)
        self._box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._box.activated.connect(self._choose)
        self._skip = QComboBox(objectName="skipBox", accessibleName="Frame skip")
        for frames in FRAME_SKIPS:
            self._skip.addItem("No skip" if frames == 1 else f"Skip {frames}", frames)
        self._skip.activated.connect(self._choose_skip)
        row.addWidget(self._box, 1)
        row.addWidget(self._skip)

    def show_state(self) -> None:
        """Show the pace of the next take, or of the one under way."""
        presenter = self._presenter
        pace, skips = presenter.pace, presenter.pace.skips(get_spec(presenter.env)) and presenter.by_hand
        alone, busy = presenter.partner.twin is None, presenter.busy
        if self._drawn == (drawn := (pace.steps_hz, pace.frame_skip, skips, presenter.by_hand, busy, alone)):
            return  # as in every tick of a game
        self._drawn = drawn
        self._skip.setVisible(skips)
        self._skip.setEnabled(alone and not busy)
        self._skip.setCurrentIndex(self._skip.findData(pace.frame_skip))
        self._skip.setToolTip(_LATER if busy else _SKIP_TIP if alone else _WITH_TWIN)
        self._box.setCurrentIndex(self._box.findData(presenter.pace.steps_hz))
        self._box.setEnabled(presenter.by_hand and alone and not busy)
        tip = _LATER if busy else _TIP if alone else _WITH_TWIN
        self._box.setToolTip(tip if presenter.by_hand else "Nobody plays this environment by hand")

    def _choose(self, index: int) -> None:
        self._presenter.pace.choose(self._box.itemData(index))
        self.changed.emit()
        self._game.setFocus()

    def _choose_skip(self, index: int) -> None:
        self._presenter.pace.skip(self._skip.itemData(index))
        self._presenter.partner.look(self._presenter.spec)
        self.changed.emit()
        self._game.setFocus()
