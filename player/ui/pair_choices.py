"""The row above a duel: who plays on the left, who on the right, and buttons for scores and export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QPushButton, QWidget

from player.ui.choice_box import SEPARATOR, ChoiceBox
from player.watch.pairing import Choice
from player.watch.presenter import WatchPresenter
from recorder.ui.kit.fold import FoldingRow

_NO_RECORDING = "Twin alone"
_NO_CLONE = "Recording alone"
_BROWSE = "Open another file…"


class PairChoices(FoldingRow):
    """Shows `presenter.pair`. Emits `changed` after a choice, `scores_requested` and `save_requested`."""

    changed = Signal()
    scores_requested = Signal()
    save_requested = Signal()

    def __init__(self, presenter: WatchPresenter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.presenter, self._pair = presenter, presenter.pair
        self._left = ChoiceBox("sessionChoice", "On the left: a recording, or another twin")
        self._game = ChoiceBox("gameChoice", "Which game of the recording")
        self._right = ChoiceBox("policyChoice", "On the right: a twin")
        self._play = ChoiceBox("playChoice", "How the twin plays")
        for box, letters in ((self._left, 14), (self._game, 16), (self._right, 14)):
            box.setMinimumContentsLength(letters)  # whatever is chosen: what stands beside it stays in place
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._play.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.scores = QPushButton(
            "Scores…",
            objectName="scoresButton",
            toolTip="Many games: the recorded player, the twin, a random player (S)",
        )
        self.save = QPushButton("Export…", objectName="saveButton", toolTip="Export as a video or an animation (E)")
        for button in (self.scores, self.save):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._arrange()
        self._left.activated.connect(lambda index: self._take(self._left.itemData(index), self._choose_left))
        self._game.activated.connect(lambda index: self._choose_game(self._game.itemData(index)))
        self._right.activated.connect(lambda index: self._take(self._right.itemData(index), self._choose_right))
        self._play.activated.connect(lambda index: self._choose_play(bool(self._play.itemData(index))))
        self.scores.clicked.connect(self.scores_requested)
        self.save.clicked.connect(self.save_requested)

    def fill(self) -> None:
        """List what the library has, and show what is chosen."""
        pair = self._pair
        clones = [Choice(f"Twin · {choice.label}", choice.value, choice.env) for choice in pair.policies]
        groups = [pair.sessions, clones, [Choice(_NO_RECORDING, None), Choice(_BROWSE, self._browse_left)]]
        entries = [entry for group in groups if group for entry in (*group, SEPARATOR)][:-1]
        self._left.show_choices(entries, pair.left)
        self._game.show_choices(pair.games, pair.game)
        last = [SEPARATOR] if clones else []
        last += [Choice(_NO_CLONE, None), Choice(_BROWSE, self._browse_right)]
        self._right.show_choices([*clones, *last], pair.policy)
        self._play.show_choices(pair.play_choices, pair.alike)
        if pair.play_choices_text:
            self._play.setToolTip(pair.play_choices_text)

    def show_state(self) -> None:
        """Enable what can be done with the two."""
        self.scores.setEnabled(self.presenter.can_score)
        self.save.setEnabled(self.presenter.frame is not None)

    def _arrange(self) -> None:
        left = self.add_part(QLabel("Left"), self._left, self._game, stretch=4)
        right = self.add_part(QLabel("Right"), self._right, self._play, self.scores, self.save, stretch=5)
        for part, box in ((left, self._left), (right, self._right)):
            part.setStretchFactor(box, 1)

    @staticmethod
    def _take(value: Path | Callable[[], None] | None, choose: Callable[[Path | None], None]) -> None:
        """Choose what an entry stands for; one that stands for an action acts."""
        if callable(value):
            value()
        else:
            choose(value)

    def _choose_left(self, path: Path | None) -> None:
        self._pair.set_left(path)
        self.changed.emit()

    def _choose_right(self, path: Path | None) -> None:
        self._pair.set_right(path)
        self.changed.emit()

    def _choose_play(self, alike: bool) -> None:
        self._pair.alike = alike
        self.changed.emit()

    def _choose_game(self, game: int | None) -> None:
        self._pair.forget_lost()
        self._pair.game = game
        self.changed.emit()

    def _browse_left(self) -> None:
        self._browse(self._choose_left)

    def _browse_right(self) -> None:
        self._browse(self._choose_right)

    def _browse(self, choose: Callable[[Path], None]) -> None:
        folder = str(self._pair.library.policies)
        name, _ = QFileDialog.getOpenFileName(self, "Open a policy file", folder, "Policies (*.safetensors)")
        if name:
            choose(Path(name))
        else:
            self.fill()
