"""Whether the game runs in real time or waits for the player's keys."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QSizePolicy, QVBoxLayout, QWidget

from recorder.recording.pace import STEP_RATES
from recorder.recording.presenter import RecordPresenter

_TIP = "Step by step, the game stands still until you hold a key; . lets one frame pass without one"


class PaceBox(QWidget):
    """Shows and changes `presenter.pace`; `game` gets the keyboard back once something was chosen."""

    changed = Signal()

    def __init__(self, presenter: RecordPresenter, game: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presenter, self._game = presenter, game
        self._drawn: tuple[object, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._box = QComboBox(objectName="paceBox", accessibleName="Pace of the game")
        self._box.addItem("Real time", 0.0)
        for rate in STEP_RATES:
            self._box.addItem(f"Step by step, {rate:g} frames a second", rate)
        self._box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._box.activated.connect(self._choose)
        column.addWidget(self._box)

    def show_state(self) -> None:
        """Show the pace of the next take, or of the one under way."""
        presenter = self._presenter
        alone = presenter.partner.twin is None
        if self._drawn == (drawn := (presenter.pace.steps_hz, presenter.by_hand, presenter.busy, alone)):
            return  # as in every tick of a game
        self._drawn = drawn
        self._box.setCurrentIndex(self._box.findData(presenter.pace.steps_hz))
        self._box.setEnabled(presenter.by_hand and alone and not presenter.busy)
        tip = _TIP if not presenter.busy else "The next take can run otherwise"
        tip = tip if alone else "With your twin the game runs in real time"
        self._box.setToolTip(tip if presenter.by_hand else "Nobody plays this environment by hand")

    def _choose(self, index: int) -> None:
        self._presenter.pace.choose(self._box.itemData(index))
        self.changed.emit()
        self._game.setFocus()
