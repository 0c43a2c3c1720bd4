"""Choose a game among all of them: pictures and a search; those played last come first."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from recorder.envs.spec import EnvSpec
from recorder.library.stored_pictures import Picture
from recorder.recording.game_pictures import SIZE, GamePictures
from recorder.recording.presenter import RecordPresenter
from recorder.ui.kit import look

_POLL_MS = 100
_NAME = Qt.ItemDataRole.UserRole
_WORDS = Qt.ItemDataRole.UserRole + 1  # what a search looks in
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class GamesDialog(QDialog):
    """Offers `specs` in this order; `chosen` is called with the name of the one to play. `current` is selected."""

    def __init__(
        self, specs: list[EnvSpec], current: str, chosen: Callable[[str], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._chosen = chosen
        self._specs = {spec.name: spec for spec in specs}
        self._pictures = GamePictures()
        self.setObjectName("gamesDialog")
        self.setWindowTitle("Choose a game")
        self.setMinimumSize(480, 360)
        self.resize(840, 640)
        self.setStyleSheet(look.PAGE)
        column = QVBoxLayout(self)
        column.setContentsMargins(look.MARGIN, look.WIDE, look.MARGIN, look.WIDE)
        column.setSpacing(look.GAP)
        self._search = QLineEdit(objectName="gamesSearch", accessibleName="Search games", clearButtonEnabled=True)
        self._search.setPlaceholderText(f"Search {len(specs)} games")
        self._search.textChanged.connect(self._filter)
        self._search.installEventFilter(self)
        column.addWidget(self._search)
        self._list = self._build_list(specs)
        column.addWidget(self._list, 1)
        self._words = look.faint("", "gameWords", wrap=True)
        self._words.setMinimumHeight(2 * self._words.fontMetrics().lineSpacing())
        column.addWidget(self._words)
        column.addLayout(self._build_buttons())
        self._select(current)
        self._list.currentItemChanged.connect(self._tell)
        self._tell()
        self._pictures.want([spec.name for spec in specs])
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self._poll)
        if self._pictures.drawing:
            self._timer.start()
        self._search.setFocus()

    def go(self, across: int, down: int) -> None:
        """See GameChooser."""
        key = {(-1, 0): Qt.Key.Key_Left, (1, 0): Qt.Key.Key_Right, (0, -1): Qt.Key.Key_Up}.get((across, down))
        press = QKeyEvent(QEvent.Type.KeyPress, key or Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier)
        self._list.keyPressEvent(press)

    def choose(self) -> None:
        """See GameChooser."""
        item = self._list.currentItem()
        if item is not None and not item.isHidden():
            self.accept()
            self._chosen(item.data(_NAME))

    def leave(self) -> None:
        """See GameChooser."""
        self.reject()

    def done(self, result: int) -> None:
        """Closes it."""
        self._timer.stop()
        self._pictures.close()
        super().done(result)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The search keeps the keyboard, and the arrows go through what it found.
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress or event.key() not in _MOVES:
            return super().eventFilter(watched, event)
        self._list.keyPressEvent(event)
        return True

    def _build_list(self, specs: list[EnvSpec]) -> QListWidget:
        games = QListWidget(objectName="gamesList", accessibleName="Games")
        games.setViewMode(QListView.ViewMode.IconMode)
        games.setResizeMode(QListView.ResizeMode.Adjust)
        games.setMovement(QListView.Movement.Static)
        games.setUniformItemSizes(True)
        games.setWordWrap(True)
        games.setIconSize(QSize(SIZE[0] * 3 // 4, SIZE[1] * 3 // 4))
        line = games.fontMetrics().lineSpacing()
        games.setGridSize(QSize(games.iconSize().width() + look.WIDE, games.iconSize().height() + 2 * line))
        games.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for spec in specs:
            item = QListWidgetItem(_icon(self._pictures.picture(spec.name)), spec.title)
            item.setData(_NAME, spec.name)
            item.setData(_WORDS, f"{spec.title} {spec.name}".casefold())
            item.setToolTip(spec.title)
            item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
            games.addItem(item)
        games.itemActivated.connect(lambda _: self.choose())
        return games

    def _build_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        row.addStretch(1)
        cancel = QPushButton("Cancel", objectName="cancelGameButton", toolTip="Close (Esc)", autoDefault=False)
        cancel.clicked.connect(self.reject)
        self._play = QPushButton(
            "Choose", objectName="chooseGameButton", default=True, toolTip="Play this game (Enter)"
        )
        self._play.setProperty("primary", True)
        self._play.clicked.connect(self.choose)
        row.addWidget(cancel)
        row.addWidget(self._play)
        return row

    def _poll(self) -> None:
        drawn = set(self._pictures.poll())
        for index in range(self._list.count()):
            item = self._list.item(index)
            if item.data(_NAME) in drawn:
                item.setIcon(_icon(self._pictures.picture(item.data(_NAME))))
        if not self._pictures.drawing:
            self._timer.stop()

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        first = None
        for index in range(self._list.count()):
            item = self._list.item(index)
            item.setHidden(not all(word in item.data(_WORDS) for word in words))
            if first is None and not item.isHidden():
                first = item
        current = self._list.currentItem()
        if first is not None and (current is None or current.isHidden()):
            self._list.setCurrentItem(first)
        self._tell()

    def _select(self, name: str) -> None:
        for index in range(self._list.count()):
            if self._list.item(index).data(_NAME) == name:
                self._list.setCurrentRow(index)

    def _tell(self) -> None:
        item = self._list.currentItem()
        shown = item is not None and not item.isHidden()
        self._play.setEnabled(shown)
        spec = self._specs[item.data(_NAME)] if shown else None
        self._words.setText(_words(spec) if spec is not None else "No game has these words in its name.")


def open_games(presenter: RecordPresenter, chosen: Callable[[str], None], parent: QWidget) -> None:
    """Offer all games, between takes."""

    def closed() -> None:
        presenter.chooser = None

    if not presenter.busy and presenter.chooser is None:
        dialog = GamesDialog(presenter.env_choice.every(), presenter.env, chosen, parent)
        presenter.chooser = dialog
        dialog.finished.connect(closed)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()


def in_front(presenter: RecordPresenter, page: QWidget) -> bool:
    """Whether the page, or its list of all games, has the keyboard. A menu takes it, and leaves the window active."""
    active: object = QApplication.activeWindow()
    listed = active is not None and active is presenter.chooser
    return (page.isActiveWindow() or listed) and QApplication.activePopupWidget() is None


def _words(spec: EnvSpec) -> str:
    """What a person does in it."""
    if not spec.playable:
        return f"{spec.title}: its scripted player demonstrates; nobody plays it by hand."
    held = ", ".join(control.capitalize() for control in spec.controls)
    does = f"{len(spec.action_names)} actions" if spec.discrete else "continuous"
    return f"{spec.title}: {does}, played with {held}."


def _icon(picture: Picture | None) -> QIcon:
    if picture is None:
        blank = QPixmap(*SIZE)
        blank.fill(Qt.GlobalColor.black)
        return QIcon(blank)
    return QIcon(QPixmap.fromImage(look.image_of(picture)))
