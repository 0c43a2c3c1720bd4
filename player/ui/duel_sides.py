"""The two players of a duel side by side, with the verdict over them once both games have ended."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from player.ui.duel_view import DuelSide
from player.watch.presenter import WatchPresenter, WatchState
from recorder.ui.kit import look


class DuelSides(QWidget):
    """Shows the `left` and `right` sides of the presenter's frame."""

    def __init__(self, presenter: WatchPresenter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.presenter = presenter
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        self.left = DuelSide(True, "Choose a recording above.")
        self.right = DuelSide(False, "Choose a twin above.")
        row.addWidget(self.left)
        row.addWidget(self.right)
        self._verdict = QLabel(
            self, objectName="verdict", alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True, visible=False
        )
        self._verdict.setProperty("card", True)
        self._verdict.setFont(look.scaled(self._verdict.font(), 1.3, bold=True))
        self._verdict.setMargin(look.WIDE)

    @property
    def colours(self) -> tuple[QColor, QColor]:
        """The colours of the left and of the right side."""
        return self.left.accent(), self.right.accent()

    @property
    def bands(self) -> tuple[QRect, QRect]:
        """Where the names are, above both games, and where the keycaps or traces are, below them."""
        stage = self.left.stage.toAlignedRect()
        above, below = self.rect(), self.rect()
        above.setBottom(stage.top() - 1)
        below.setTop(stage.bottom() + 1)
        return above, below

    def explain(self, wanted: bool) -> None:
        """Show or hide what drives each side."""
        for side in (self.left, self.right):
            side.explains = wanted
            side.update()

    def show_state(self) -> None:
        """Show the present moment."""
        pair, frame = self.presenter.pair, self.presenter.frame
        waiting = self.presenter.state is WatchState.OPENING
        no_clone = "No twin yet.\nTrain one, and it plays here." if not pair.policies else "No twin chosen."
        nobody = "Nothing chosen for the left side."
        if self.presenter.state is WatchState.FAILED:
            no_clone = nobody = "Nothing to show."  # the page says what is wrong
        self.left.show_frame(frame, "Opening…" if waiting and pair.left else nobody)
        self.right.show_frame(frame, "Loading the twin…" if waiting and pair.policy else no_clone)
        verdict = "" if frame is None else frame.verdict
        if frame is not None and verdict and frame.note:
            verdict = f"{verdict}\nNote: {frame.note}."
        self._verdict.setText(verdict)
        self._verdict.setVisible(bool(verdict))
        self._place_verdict()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_verdict()

    def _place_verdict(self) -> None:
        """Centre the verdict between both sides."""
        room = self.size()
        width = min(560, room.width() - 80)
        height = self._verdict.heightForWidth(width)
        self._verdict.setGeometry((room.width() - width) // 2, (room.height() - height) // 2 + 90, width, height)
