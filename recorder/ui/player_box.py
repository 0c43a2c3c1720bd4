"""Who plays, beside the game, and the question for a name in the same place.

Player: Ada · 60 frames per second          What is your name?
                                            [                 ] [Save]
[Change…] [Next participant]                [Play without a name]
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from recorder.recording.player_name import NameQuestion
from recorder.recording.presenter import RecordPresenter
from recorder.system.profile import MAX_NAME
from recorder.ui.kit import look
from recorder.ui.kit.words import tip_of

_QUESTIONS = {
    NameQuestion.FIRST: "What is your name?",
    NameQuestion.CHANGE: "Who plays?",
    NameQuestion.NEXT: "Who plays next?",
}
_WITHOUT, _CANCEL = "Play without a name", "Cancel"


class PlayerBox(QStackedWidget):
    """Shows and changes `presenter.player`; `game` gets the keyboard back. `changed` after every change."""

    changed = Signal()

    def __init__(self, presenter: RecordPresenter, game: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presenter, self._game = presenter, game
        self._shown: NameQuestion | None = None  # the question that is drawn
        self._drawn: tuple[object, ...] = ()
        self.addWidget(self._build_name())
        self.addWidget(self._build_question())

    def show_state(self) -> None:
        """Show who plays, or the open question."""
        presenter, player = self._presenter, self._presenter.player
        drawn = (player.question, player.draft, player.name, presenter.env, presenter.spec.rate_hz, presenter.busy)
        if drawn == self._drawn:
            return  # as in every tick of a game
        self._drawn, question = drawn, player.question
        if not presenter.by_hand or presenter.busy:
            question = NameQuestion.NONE
        if question is not self._shown:
            self._turn(question)
        if self._field.text() != player.draft:
            self._field.setText(player.draft)
        who = player.name or "you" if presenter.by_hand else "scripted expert"
        hint = "" if presenter.by_hand else " · − / +: speed"
        self._name.setText(f"Player: {who}")
        self._name.setToolTip(tip_of(who))
        unit = "frames" if presenter.spec.frame_skip in (None, 1) else "actions"
        self._rate.setText(f"{presenter.spec.rate_hz:g} {unit} per second{hint}")
        for button, tip in self._tips.items():
            button.setVisible(presenter.by_hand)
            button.setEnabled(not presenter.busy)
            button.setToolTip("The next take can have another name" if presenter.busy else tip)

    def _turn(self, question: NameQuestion) -> None:
        had_keyboard = self.isAncestorOf(self.focusWidget() or self._game)
        self._shown = question
        self.setCurrentIndex(0 if question is NameQuestion.NONE else 1)
        if question is not NameQuestion.NONE:
            self._field.setPlaceholderText(_QUESTIONS[question])
            self._field.setAccessibleName(_QUESTIONS[question])
            self._skip.setText(_WITHOUT if question is NameQuestion.FIRST else _CANCEL)
        elif had_keyboard:
            self._game.setFocus()

    def _build_name(self) -> QWidget:
        page, layout = _page()
        self._name = look.faint(name="playerLabel")
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._rate = look.faint(name="rateLabel")
        self._rate.setToolTip("Each frame is recorded with the action taken")
        change = self._button("Change…", "changeNameButton", self._change)
        following = self._button("Next participant", "nextParticipantButton", self._ask_next)
        self._tips = {
            change: "Change the name that your takes are saved with",
            following: "Somebody else plays now: asks for the name, and clears the page for them",
        }
        for label, button in ((self._name, change), (self._rate, following)):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            _add_row(layout, label, button)
        return page

    def _build_question(self) -> QWidget:
        page, layout = _page()
        self._field = _NameField(objectName="nameField", maxLength=MAX_NAME)
        self._field.setAccessibleName(_QUESTIONS[NameQuestion.FIRST])
        self._field.setToolTip("Saved with each take, so that takes and twins can be told apart; it may be empty")
        self._field.textEdited.connect(self._type)
        self._field.entered.connect(self._save)
        self._field.left.connect(self._cancel)
        save = self._button("Save", "saveNameButton", self._save)
        save.setProperty("quiet", False)
        save.setToolTip("Save takes under this name (Enter)")
        self._skip = self._button(_WITHOUT, "skipNameButton", self._cancel)
        _add_row(layout, self._field, save)
        _add_row(layout, QWidget(), self._skip)
        return page

    def _button(self, text: str, name: str, action: Callable[[], None]) -> QPushButton:
        # Reached by Tab alone, as all buttons beside the game.
        button = QPushButton(text, objectName=name, focusPolicy=Qt.FocusPolicy.TabFocus)
        button.setProperty("quiet", True)
        button.clicked.connect(lambda: action())
        return button

    def _type(self, text: str) -> None:
        self._presenter.player.draft = text

    def _change(self) -> None:
        self._presenter.player.change()
        self._ask()

    def _ask_next(self) -> None:
        self._presenter.next_participant()
        self._ask()

    def _ask(self) -> None:
        self.changed.emit()
        self._field.setFocus()
        self._field.selectAll()

    def _save(self) -> None:
        self._presenter.player.save()
        self.changed.emit()
        self._game.setFocus()

    def _cancel(self) -> None:
        self._presenter.player.cancel()
        self.changed.emit()
        self._game.setFocus()


class _NameField(QLineEdit):
    """Keeps every key to itself: they may play. `entered` with Enter, `left` with Esc."""

    entered = Signal()
    left = Signal()

    def event(self, event: QEvent) -> bool:
        overrides = event.type() == QEvent.Type.ShortcutOverride
        if overrides and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)
        event.accept()


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    return page, layout


def _add_row(layout: QVBoxLayout, wide: QWidget, button: QPushButton) -> None:
    row = QHBoxLayout()
    row.setSpacing(look.SMALL)
    row.addWidget(wide, 1)
    row.addWidget(button)
    layout.addLayout(row)
