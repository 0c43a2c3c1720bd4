"""Small dialogs of the menu: the player's name, the keyboard shortcuts, about this program."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from player.support.diagnostics import app_version
from player.support.shortcuts import CONTROLLER, TITLES, ListedKeys
from recorder.system.profile import MAX_NAME, clean_name
from recorder.ui.kit import look
from recorder.ui.kit.fold import resize_within_screen
from recorder.ui.kit.icons import app_icon

_GLYPHS = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓", "-": "−"}


class _Dialog(QDialog):
    """A dialog in the window's style that is deleted when closed; subclasses fill `body`."""

    def __init__(self, name: str, title: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setStyleSheet(look.PAGE)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(look.MARGIN, look.MARGIN, look.MARGIN, look.WIDE)
        self.body.setSpacing(look.WIDE)

    def add_buttons(self, *buttons: QPushButton) -> None:
        """A row at the bottom, to the right."""
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        self.body.addLayout(row)


class PlayerDialog(_Dialog):
    """Asks for the player's name; `name` is the answer."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__("playerDialog", "Player", parent)
        self.setMinimumWidth(420)
        self._edit = QLineEdit(name, objectName="playerName", maxLength=MAX_NAME)
        self._edit.setAccessibleName("Name of the player")
        self._edit.selectAll()
        self.body.addWidget(look.heading("Who plays?"))
        self.body.addWidget(self._edit)
        self.body.addWidget(
            look.faint("Shown on the Record page and stored with each session that you play from now on.", wrap=True)
        )
        cancel = QPushButton("Cancel", objectName="playerCancel", autoDefault=False)
        cancel.clicked.connect(self.reject)
        done = QPushButton("Done", objectName="playerDone", default=True)
        done.setProperty("primary", True)
        done.clicked.connect(self.accept)
        self.add_buttons(cancel, done)

    @property
    def name(self) -> str:
        """The name to store; empty for none."""
        return clean_name(self._edit.text())


class ShortcutsDialog(_Dialog):
    """A card of keys for each page, and one for controllers, in two columns."""

    def __init__(self, shortcuts: Mapping[str, ListedKeys], parent: QWidget | None = None) -> None:
        super().__init__("shortcutsDialog", "Keyboard shortcuts", parent)
        columns = QHBoxLayout()
        columns.setSpacing(look.WIDE)
        stacks = (QVBoxLayout(), QVBoxLayout())
        heights = [0, 0]
        cards = {page: tuple((_keys_text(keys), does) for keys, does in entries) for page, entries in shortcuts.items()}
        cards["controller"] = CONTROLLER
        for page, entries in sorted(cards.items(), key=lambda item: -len(item[1])):
            shorter = heights.index(min(heights))
            stacks[shorter].addWidget(self._card(page, entries))
            heights[shorter] += len(entries) + 2
        content = QWidget()
        for stack in stacks:
            stack.setSpacing(look.WIDE)
            stack.addStretch(1)
            columns.addLayout(stack, 1)
        columns.setContentsMargins(0, 0, 0, 0)
        content.setLayout(columns)
        area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        area.setWidget(content)
        self.body.addWidget(area, 1)
        close = QPushButton("Close", objectName="shortcutsClose", default=True)
        close.clicked.connect(self.accept)
        self.add_buttons(close)
        resize_within_screen(self, 920, 620)

    def _card(self, page: str, entries: ListedKeys) -> QWidget:
        card = QFrame(objectName=f"{page}Shortcuts")
        card.setProperty("card", True)
        grid = QGridLayout(card)
        grid.setContentsMargins(look.WIDE, look.GAP, look.WIDE, look.WIDE)
        grid.setHorizontalSpacing(look.WIDE)
        grid.setVerticalSpacing(look.SMALL)
        grid.setColumnStretch(1, 1)
        grid.addWidget(look.heading(TITLES[page], factor=1.1), 0, 0, 1, 2)
        for row, (keys, does) in enumerate(entries, 1):
            grid.addWidget(QLabel(f"<b>{escape(keys)}</b>"), row, 0)
            grid.addWidget(QLabel(does, wordWrap=True), row, 1)
        return card


class AboutDialog(_Dialog):
    """About this program."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("aboutDialog", "About Twinplay", parent)
        top = QHBoxLayout()
        top.setSpacing(look.MARGIN)
        picture = QLabel()
        picture.setPixmap(app_icon().pixmap(72, 72))
        top.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(look.SMALL)
        words.addWidget(look.heading("Twinplay", factor=1.6))
        words.addWidget(QLabel("Play a game. Click Train. Watch your twin play beside you."))
        words.addWidget(
            look.faint(
                f"Version {app_version()}. MIT licence.\nGames run in the Arcade Learning Environment and in MuJoCo;\n"
                "sessions are stored as Zarr, policies as safetensors.",
                "aboutText",
            )
        )
        top.addLayout(words)
        self.body.addLayout(top)
        close = QPushButton("Close", objectName="aboutClose", default=True)
        close.clicked.connect(self.accept)
        self.add_buttons(close)


def _keys_text(keys: str) -> str:
    return " or ".join(map(_key_text, keys.split()))


def _key_text(key: str) -> str:
    parts = [_GLYPHS.get(part, part) for part in key.split("+")] if key != "+" else ["+"]
    native = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    return "+".join(parts) if all(part.isascii() for part in native) else native
