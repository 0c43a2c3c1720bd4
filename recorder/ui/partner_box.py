"""Who plays with the person: nobody, or a twin that is corrected or raced; when a corrected one goes on, how many races
are a series, and how races against the twin have ended so far.
"""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from recorder.recording.partner import HAND_BACK_S, SERIES, Company
from recorder.recording.presenter import RecordPresenter
from recorder.recording.race_series import so_far
from recorder.ui.kit import look

_ALONE = "Play alone"
_VERBS = {Company.CORRECT: "Correct", Company.RACE: "Race"}
_TIPS = {
    Company.ALONE: "Choose a twin to correct it while it plays, or to race it",
    Company.CORRECT: "Your twin plays, and any game key takes over; what you do then is what it can learn from",
    Company.RACE: "You and your twin play the same game side by side",
}
_HAND_BACK_TIP = "After so long without a key your twin goes on"
_SERIES_TIP = "Single races, or a series that ends once one of you has won two; a draw is raced again"
_WIDTH = 82  # pixels: "0.25 s" and the arrow
_SERIES_WIDTH = 118  # "Best of 3"


class PartnerBox(QWidget):
    """Shows and changes `presenter.partner`; `game` gets the keyboard back once something was chosen.

    It is hidden where there is no twin.
    """

    changed = Signal()

    def __init__(self, presenter: RecordPresenter, game: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presenter, self._game = presenter, game
        self._drawn: tuple[object, ...] = ()
        self._offered: tuple[object, ...] | None = None
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(look.SMALL)
        self._box = QComboBox(objectName="partnerBox", accessibleName="Who plays with you")
        self._box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._box.activated.connect(self._choose)
        self._hand_back = QComboBox(objectName="handBackBox", accessibleName="When your twin goes on")
        for seconds in HAND_BACK_S:
            self._hand_back.addItem(f"{seconds:g} s", seconds)
        self._hand_back.setFixedWidth(_WIDTH)
        self._hand_back.activated.connect(self._set_hand_back)
        self._series = QComboBox(objectName="seriesBox", accessibleName="How many races", toolTip=_SERIES_TIP)
        for games in SERIES:
            self._series.addItem(f"Best of {games}" if games else "Single", games)
        self._series.setFixedWidth(_SERIES_WIDTH)
        self._series.activated.connect(self._set_series)
        row.addWidget(self._box, 1)
        row.addWidget(self._hand_back)
        row.addWidget(self._series)
        rows.addLayout(row)
        self._so_far = look.faint(name="racesSoFar")
        self._so_far.setTextFormat(Qt.TextFormat.PlainText)
        self._so_far.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._so_far.setToolTip("The races that you have won and lost against this twin; draws do not count")
        rows.addWidget(self._so_far)

    def show_state(self) -> None:
        """Show who plays in the next take, or in the one under way."""
        presenter, partner = self._presenter, self._presenter.partner
        steps, busy = presenter.pace.steps_hz, presenter.busy
        chosen_now = (partner.twins, partner.company, partner.twin, partner.hand_back_s, partner.best_of)
        drawn = (*chosen_now, steps, busy, presenter.finished.today.races if not busy else ())
        if self._drawn == drawn:
            return  # as in every tick of a game
        self._drawn = drawn
        self.setVisible(bool(partner.twins))
        blocker = QSignalBlocker(self._box)
        if self._offered != tuple(partner.twins):
            self._offer()
        chosen = [self._box.itemData(index) for index in range(self._box.count())]
        self._box.setCurrentIndex(chosen.index((partner.company, partner.twin)))
        blocker.unblock()
        self._box.setEnabled(not busy and not steps)
        tip = "Step by step, you play alone; choose real time below" if steps else _TIPS[partner.company]
        self._box.setToolTip("The next take can be played otherwise" if busy else tip)
        self._hand_back.setCurrentIndex(self._hand_back.findData(partner.hand_back_s))
        self._hand_back.setVisible(partner.company is Company.CORRECT)
        self._hand_back.setEnabled(not busy)
        self._hand_back.setToolTip(_HAND_BACK_TIP)
        racing = partner.company is Company.RACE
        self._series.setCurrentIndex(self._series.findData(partner.best_of))
        self._series.setVisible(racing)
        self._series.setEnabled(not busy)
        told = so_far(presenter) if racing else ""
        self._so_far.setText(told)
        self._so_far.setVisible(bool(told))

    def _offer(self) -> None:
        twins = self._presenter.partner.twins
        self._offered = tuple(twins)
        self._box.clear()
        self._box.addItem(_ALONE, (Company.ALONE, None))
        for company, verb in _VERBS.items():
            for twin in twins:
                self._box.addItem(f"{verb} {twin.title}", (company, twin))

    def _choose(self, index: int) -> None:
        self._presenter.partner.choose(*self._box.itemData(index))
        self.changed.emit()
        self._game.setFocus()

    def _set_series(self, index: int) -> None:
        self._presenter.partner.set_series(self._series.itemData(index))
        self.changed.emit()
        self._game.setFocus()

    def _set_hand_back(self, index: int) -> None:
        self._presenter.partner.set_hand_back(self._hand_back.itemData(index))
        self.changed.emit()
        self._game.setFocus()
