"""How often the clone agrees with the recording, and buttons that go from one disagreement to the next."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from player.watch.background import BackgroundJobState
from player.watch.clone_comparison import moment_of
from player.watch.presenter import WatchPresenter
from recorder.system.texts import duration_text
from recorder.ui.kit import look
from recorder.ui.kit.clicks import repeats
from recorder.ui.kit.steady import reserve_width
from recorder.ui.kit.words import window_words

_COLUMN = "\t"  # what follows it stands at the right of a menu
_MOST = 12  # disagreements in the list


class AgreementButtons(QWidget):
    """Shows `presenter.comparison`; hidden if nothing is compared. Emits `changed` after going to a disagreement."""

    changed = Signal()

    def __init__(self, presenter: WatchPresenter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.presenter = presenter
        back = QPushButton("‹", objectName="previousDisagreement", accessibleName="Previous disagreement")
        back.setToolTip("Go to the previous moment where the twin would have acted differently (Shift+N)")
        back.clicked.connect(lambda: self._go(-1))
        on = QPushButton("›", objectName="nextDisagreement", accessibleName="Next disagreement")
        on.setToolTip("Go to the next moment where the twin would have acted differently (N)")
        on.clicked.connect(lambda: self._go(1))
        self._agree = QPushButton(objectName="agreementButton")
        self._clearest = QMenu(self._agree, objectName="clearestMenu", toolTipsVisible=True)
        self._clearest.aboutToShow.connect(self._fill_clearest)
        self._agree.setMenu(self._clearest)
        reserve_width(self._agree, "Comparing 100 %     ")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(look.GAP)
        for button in (repeats(back), self._agree, repeats(on)):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)

    def list_clearest(self) -> None:
        """Open the menu of the clearest disagreements, if there are any."""
        if self._agree.isVisible() and self._agree.isEnabled():
            self._agree.showMenu()

    def show_state(self) -> None:
        """Show how far the comparison is."""
        comparison = self.presenter.comparison
        agreement, share = comparison.agreement, comparison.share
        failed = comparison.job.state is BackgroundJobState.FAILED
        self.setVisible(agreement is not None or share is not None or failed)
        self.setEnabled(agreement is not None)
        if agreement is not None:
            self._agree.setText(agreement.headline)
            apart = ", ".join(f"{n} {d:.3f}" for n, d in zip(agreement.names, agreement.mean_difference, strict=False))
            self._agree.setToolTip(
                "How often the twin would have acted the same on the recorded screens. "
                "Click for the clearest disagreements (D)"
                if agreement.discrete
                else f"Mean absolute difference of each action over the recording: {apart}. "
                "Click for the clearest disagreements (D)"
            )
        elif failed:
            self._agree.setText("Not compared")
            self._agree.setToolTip(window_words(comparison.job.error))
        else:
            self._agree.setText(f"Comparing {100 * (share or 0.0):.0f} %")
            self._agree.setToolTip("Comparing the twin's actions with the recorded ones")

    def _fill_clearest(self) -> None:
        self._clearest.clear()
        agreement, frame = self.presenter.comparison.agreement, self.presenter.frame
        if agreement is None or frame is None or frame.left is None:
            return
        who = frame.left.name.removeprefix("the ")
        if agreement.disagreements:
            heading = self._clearest.addAction(
                f"Time   Recorded, and what the twin would do{_COLUMN}Twin's certainty"
                if agreement.discrete
                else "Time   Recorded, and what the twin would do"
            )
            heading.setEnabled(False)
        for each in agreement.clearest[:_MOST]:
            at = duration_text(each.tick / agreement.rate_hz)
            sure = f"{100 * each.sure:.0f} %" if agreement.discrete else ""
            told = f"{at}   {who} {each.recorded}, twin {each.clone}{_COLUMN}{sure}"
            action = QAction(told.rstrip(), self._clearest)
            action.triggered.connect(self._jump_to(moment_of(each)))
            self._clearest.addAction(action)
        if not agreement.disagreements:
            none = self._clearest.addAction("The twin would always have acted the same")
            none.setEnabled(False)

    def _go(self, steps: int) -> None:
        self.presenter.seek_disagreement(steps)
        self.changed.emit()

    def _jump_to(self, tick: int) -> Callable[[], None]:
        def jump() -> None:
            self.presenter.seek(tick)
            self.changed.emit()

        return jump
