"""The buttons below a session: what can be done with it, or with all that are selected."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from recorder.library.possible_actions import why_not
from recorder.library.presenter import LibraryPresenter
from recorder.ui.kit import look
from recorder.ui.kit.focus import deletes
from recorder.ui.kit.steady import reserve_width


class SessionActions(QWidget):
    """A button for each signal."""

    train_requested = Signal()
    watch_requested = Signal()
    verify_requested = Signal()
    merge_requested = Signal()
    split_requested = Signal()
    trash_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._train = _button("Train on this", "libraryTrainButton", "Open the Train page with this session selected")
        self._train.setProperty("primary", True)
        self._watch = _button("Watch", "libraryWatchButton", "Open the Watch page (double click, or Enter)")
        self._verify = _button("Verify", "verifyButton", "Simulate it again and compare every frame exactly")
        self._merge = _button("Merge", "mergeButton", "Join the selected sessions into a new one")
        self._split = _button("Split", "splitButton", "Split into two sessions before the selected game")
        self._trash = deletes(_button("Delete", "trashButton", "Move it to the trash (Del)"))
        reserve_width(self._train, "Train on these 100")
        reserve_width(self._verify, "Verify", "Verified")
        reserve_width(self._merge, "Merge 100")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(look.GAP)
        for button, place, action in (
            (self._train, (0, 0, 1, 2), self.train_requested),
            (self._watch, (0, 2, 1, 2), self.watch_requested),
            (self._verify, (1, 0), self.verify_requested),
            (self._merge, (1, 1), self.merge_requested),
            (self._split, (1, 2), self.split_requested),
            (self._trash, (1, 3), self.trash_requested),
        ):
            button.clicked.connect(action)
            grid.addWidget(button, *place)
        self._tips = {button: button.toolTip() for button in self.findChildren(QPushButton)}

    def show_state(self, presenter: LibraryPresenter, game: int | None) -> None:
        """Offer what can be done with the sessions that are selected; a tooltip says why something cannot."""
        chosen = presenter.chosen
        several = len(chosen) > 1
        self._train.setText(f"Train on these {len(chosen)}" if several else "Train on this")
        self._merge.setText(f"Merge {len(chosen)}" if several else "Merge")
        self._verify.setText("Verified" if chosen and all(row.verified for row in chosen) else "Verify")
        reasons = why_not(presenter, game)
        for button, name in (
            (self._train, "train"),
            (self._watch, "watch"),
            (self._verify, "verify"),
            (self._merge, "merge"),
            (self._split, "split"),
            (self._trash, "delete"),
        ):
            button.setEnabled(not reasons[name])
            button.setToolTip(reasons[name] or self._tips[button])


def _button(text: str, name: str, tip: str) -> QPushButton:
    return QPushButton(text, objectName=name, toolTip=tip)
