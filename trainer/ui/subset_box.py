"""Which games of the selected sessions to learn from: all, the good ones, the better half, or those with a tag."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox

from trainer.data.subsets import SUBSETS, with_tag
from trainer.runs.selection import Choice

_TIP = "Which games of the selected sessions to learn from; a tag also selects the sessions that have it"
_LONG = 17  # characters that are always seen, as of "Games marked good"


class SubsetBox(QComboBox):
    """Shows and changes the subset of `choice`; tags are offered where sessions have some."""

    changed = Signal()

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.setObjectName("subsetChoice")
        self.setAccessibleName("Games")
        self.setToolTip(_TIP)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_LONG)
        self.view().setObjectName("subsetList")
        self._choice = choice
        self._offered: dict[str, str] = {}
        self.activated.connect(self._choose)

    def show_state(self) -> None:
        """Show what is chosen."""
        offered = SUBSETS | {with_tag(tag): f"Tagged {tag}" for tag in self._choice.tags}
        blocker = QSignalBlocker(self)
        if offered != self._offered:
            self._offered = offered
            self.clear()
            for key, title in offered.items():
                self.addItem(title, key)
            room = self.view().sizeHintForColumn(0) + 2 * self.view().frameWidth()
            self.view().setMinimumWidth(room)
        self.setCurrentIndex(self.findData(self._choice.only))
        blocker.unblock()

    def _choose(self, index: int) -> None:
        self._choice.choose_subset(self.itemData(index))
        self.changed.emit()
