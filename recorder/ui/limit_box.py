"""When a take ends: when it is stopped, or after a number of minutes or games, of the usual ones or one's own."""

from __future__ import annotations

from PySide6.QtCore import QRegularExpression, QSignalBlocker, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from recorder.recording.presenter import RecordPresenter
from recorder.recording.take_limit import LimitKind
from recorder.ui.kit import look
from recorder.ui.kit.steady import keep_room

_KINDS = {
    LimitKind.NONE: "Take ends when I stop it",
    LimitKind.MINUTES: "Minutes per take",
    LimitKind.GAMES: "Games per take",
}
_USUAL = {LimitKind.MINUTES: ("1", "2", "5", "10", "15", "20", "30"), LimitKind.GAMES: ("1", "2", "3", "5", "10")}
_NUMBERS = {LimitKind.MINUTES: r"\d{1,3}([.,]\d{0,2})?", LimitKind.GAMES: r"\d{1,4}"}
_WIDTH = 70  # pixels: three digits and the arrow


class LimitBox(QWidget):
    """Shows and changes `presenter.limit`; `game` gets the keyboard back once something was chosen."""

    changed = Signal()

    def __init__(self, presenter: RecordPresenter, game: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presenter, self._game = presenter, game
        self._offered: LimitKind | None = None  # what the numbers count
        self._drawn: tuple[object, ...] = ()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(look.SMALL)
        self._kind = QComboBox(objectName="limitKind", accessibleName="When a take ends")
        for kind, text in _KINDS.items():
            self._kind.addItem(text, kind.value)
        self._kind.activated.connect(self._count)
        self._number = QComboBox(objectName="limitNumber", accessibleName="How many", editable=True)
        self._number.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._number.setFixedWidth(_WIDTH)
        self._number.activated.connect(self._choose)
        self._typed = QLineEdit()
        self._number.setLineEdit(self._typed)
        self._typed.textEdited.connect(self._set_number)  # at once: Record may be clicked next
        self._typed.editingFinished.connect(self.changed)
        self._typed.returnPressed.connect(game.setFocus)
        keep_room(self._number)
        self._kind.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # it takes the room that is left
        row.addWidget(self._kind, 1)
        row.addWidget(self._number)

    def show_state(self) -> None:
        """Show the limit of the next take, or of the one under way."""
        limit, busy, typing = self._presenter.limit.limit, self._presenter.busy, self._typed.hasFocus()
        if self._drawn == (drawn := (limit, busy, typing)):
            return  # as in every tick of a game
        self._drawn = drawn
        self._kind.setCurrentIndex(list(_KINDS).index(limit.kind))
        self._number.setVisible(limit.kind is not LimitKind.NONE)
        if limit.kind is not self._offered:
            self._offer(limit.kind)
        if not typing:
            self._number.setEditText(f"{limit.minutes or limit.games:g}")
        tip = "The next take can end otherwise" if busy else "The take then stops by itself and is saved"
        for box in (self._kind, self._number):
            box.setEnabled(not busy)
            box.setToolTip(tip)

    def _offer(self, kind: LimitKind) -> None:
        self._offered = kind
        blocker = QSignalBlocker(self._number)
        self._number.clear()
        self._number.addItems(_USUAL.get(kind, ()))
        blocker.unblock()
        numbers = QRegularExpression(_NUMBERS.get(kind, ""))
        self._number.setValidator(QRegularExpressionValidator(numbers, self._number))

    def _count(self, index: int) -> None:
        self._presenter.limit.count(LimitKind(self._kind.itemData(index)))
        self.changed.emit()
        self._game.setFocus()

    def _choose(self, index: int) -> None:
        self._presenter.limit.set_number(self._number.itemText(index))
        self.changed.emit()
        self._game.setFocus()

    def _set_number(self, text: str) -> None:
        self._presenter.limit.set_number(text)
        self.changed.emit()
