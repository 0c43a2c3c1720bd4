"""Whether a training begins anew, or goes on from a twin."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QSizePolicy

from trainer.runs.presenter import TrainPresenter


class OriginBox(QComboBox):
    """Shows and changes `presenter.further`; it is hidden where there is no twin to go on from."""

    changed = Signal()

    def __init__(self, presenter: TrainPresenter) -> None:
        super().__init__()
        self.setObjectName("originBox")
        self.setAccessibleName("What the training begins with")
        self.setToolTip("Train a new twin, or let one learn on: from corrections, say")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._presenter = presenter
        self._offered: list[tuple[object, str]] = []
        self.activated.connect(self._choose)

    def show_state(self, env: str) -> None:
        """Show what a training of this environment begins with."""
        further = self._presenter.further
        twins, chosen = further.twins(env), further.twin(env)
        offered: list[tuple[object, str]] = [(None, "Train a new twin")]
        offered += [(twin.path, f"Go on from {twin.title}") for twin in twins]
        blocker = QSignalBlocker(self)
        if offered != self._offered:
            self._offered = offered
            self.clear()
            for path, text in offered:
                self.addItem(text, path)
        paths = [path for path, _ in offered]
        self.setCurrentIndex(0 if chosen is None else paths.index(chosen.path))
        blocker.unblock()
        self.setVisible(bool(twins))

    def _choose(self, index: int) -> None:
        self._presenter.further.choose(self.itemData(index))
        self.changed.emit()
