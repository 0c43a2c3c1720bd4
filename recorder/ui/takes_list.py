"""The takes of today: a card each, with a picture, what came of it, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from recorder.recording.recent import RecentRecording
from recorder.recording.recordings import Picture
from recorder.system.texts import count, duration_text
from recorder.ui.kit import look
from recorder.ui.kit.focus import deletes
from recorder.ui.kit.words import tip_of

_LABELS = {"success": "Good", "failure": "Bad"}
_MOST = 20  # cards; each takes a millisecond to make, and the Library shows every take
_NAME_WIDTH = 170  # pixels beside the thumbnail
_SIZE = QSize(66, 51)  # of a thumbnail: an Atari screen in its true shape


class Thumbnail(QWidget):
    """A small picture of a take, or the name of the game where there is none."""

    def __init__(self, picture: Picture | None, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._picture = None if picture is None else np.ascontiguousarray(picture)
        self.setFixedSize(_SIZE)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        palette = self.palette()
        if self._picture is None:
            painter.fillRect(self.rect(), palette.color(QPalette.ColorRole.Midlight))
            painter.setFont(look.scaled(self.font(), 0.85))
            painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, self._name)
        else:
            painter.drawImage(QRectF(self.rect()), look.image_of(self._picture))


class TakesList(QScrollArea):
    """Shows lines of recorder.recording.recent; `game` gets the keyboard back once something was pressed.

    Signals carry the path of the take that is meant.
    """

    train_requested = Signal(object)
    watch_requested = Signal(object)
    discard_requested = Signal(object)
    restore_requested = Signal(object)
    label_requested = Signal(object, str)
    sample_requested = Signal()

    def __init__(self, game: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._game = game
        self.setObjectName("takesList")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.there = True  # not so while the library's folder is missing
        self.unchangeable = ""  # why takes can be neither labelled nor deleted, if so
        self.offers_sample = False  # to whoever has not recorded anything yet
        self._shown: tuple[object, ...] = ()
        self.show_takes([])

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.minimumHeight())  # the others need no room of their own

    def show_takes(self, takes: Sequence[RecentRecording], *, whose: bool = False) -> None:
        """A card for each of these, the first on top; for the first ones, where there are many.

        With `whose` each says who played.
        """
        keys = (self.offers_sample, self.unchangeable, len(takes), whose, *(take.key for take in takes[:_MOST]))
        if keys == self._shown and self.widget() is not None:
            return
        self._shown = keys
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, look.SMALL, 0)
        layout.setSpacing(look.SMALL)
        for index, take in enumerate(takes[:_MOST]):
            layout.addWidget(self._card(take, "" if index == 0 else str(index + 1), whose))
        if not takes:
            layout.addWidget(look.faint("What you record today is listed here.", wrap=True))
            if self.offers_sample:
                tip = "Add a short scripted session, and a twin trained on such play, to your library, and watch them"
                sample = self._button("See a twin play first", "recordSampleButton", tip, self.sample_requested.emit)
                layout.addWidget(sample, 0, Qt.AlignmentFlag.AlignLeft)
        if len(takes) > _MOST:
            layout.addWidget(look.faint(f"{len(takes) - _MOST} more are in the Library.", "moreTakes", wrap=True))
        layout.addStretch(1)
        card = content.findChild(QFrame, "takeCard")
        wide = self.viewport().width() - look.SMALL
        high = 120 if card is None else max(card.sizeHint().height(), card.heightForWidth(wide))
        self.setMinimumHeight(high + look.GAP)
        old = self.takeWidget()  # a click on it may be what brought us here, so it goes later
        self.setWidget(content)
        if old is not None:
            old.deleteLater()

    def _card(self, take: RecentRecording, suffix: str, whose: bool) -> QFrame:
        card = QFrame(objectName=f"takeCard{suffix}")
        card.setProperty("card", True)
        outer = QVBoxLayout(card)
        outer.setContentsMargins(8, 8, 8, 4)
        outer.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(look.GAP)
        row.addWidget(Thumbnail(take.picture, take.env_title))
        words = QVBoxLayout()
        words.setSpacing(2)
        title = look.heading(f"{take.score:,.0f}", factor=1.15)
        games = count(take.games, "game")
        top = QHBoxLayout()
        top.addWidget(title)
        top.addStretch(1)
        if take.discarded:
            top.addWidget(look.faint("deleted"))
        else:
            top.setSpacing(0)
            for label, text in _LABELS.items():
                top.addWidget(self._label_button(take, label, text, suffix))
        words.addLayout(top)
        words.addWidget(look.faint(f"{take.clock} · {games} · {duration_text(take.seconds)}"))
        if whose or take.together:
            words.addWidget(_line(take.player or "no name", f"takePlayer{suffix}"))
        if take.together:
            together = look.faint(take.together, f"takeTogether{suffix}", wrap=True)
            together.setTextFormat(Qt.TextFormat.PlainText)
            words.addWidget(together)
        title.setToolTip(f"{take.env_title}: the best score of the take\n{take.path.name}")
        row.addLayout(words, 1)
        outer.addLayout(row)
        buttons = QHBoxLayout()
        buttons.setSpacing(0)
        if take.discarded:
            buttons.addWidget(
                self._button(
                    "Restore",
                    f"undoButton{suffix}",
                    "Undo (Ctrl+Z)",
                    lambda: self.restore_requested.emit(take.path),
                )
            )
        else:
            for text, name, tip, signal in (
                ("Train on it", "trainTakeButton", "Open the Train page with this take selected", self.train_requested),
                ("Watch", "watchTakeButton", "Open the Watch page with this take", self.watch_requested),
                ("Delete", "discardTakeButton", "Move this take to the trash", self.discard_requested),
            ):
                button = self._button(text, f"{name}{suffix}", tip, partial(signal.emit, take.path))
                buttons.addWidget(self._changing(deletes(button)) if signal is self.discard_requested else button)
        buttons.addStretch(1)
        outer.addLayout(buttons)
        return card

    def _label_button(self, take: RecentRecording, label: str, text: str, suffix: str) -> QPushButton:
        button = self._button(
            text,
            f"{label}TakeButton{suffix}",
            f"Label all games of this take as {text.lower()}, or remove the label",
            lambda: self.label_requested.emit(take.path, label),
        )
        button.setCheckable(True)
        button.setChecked(label in take.labels)
        return self._changing(button)

    def _changing(self, button: QPushButton) -> QPushButton:
        """A button that changes a take; returns it."""
        if self.unchangeable:
            button.setEnabled(False)
            button.setToolTip(self.unchangeable)
        return button

    def _button(self, text: str, name: str, tip: str, does: Callable[[], None]) -> QPushButton:
        # Reached by Tab alone: Space serves the ball and must not press whatever was clicked last.
        button = QPushButton(text, objectName=name, toolTip=tip, focusPolicy=Qt.FocusPolicy.TabFocus)
        button.setProperty("quiet", True)
        button.clicked.connect(lambda: self._game.setFocus())
        button.clicked.connect(lambda: does())
        return button


def _line(text: str, name: str) -> QLabel:
    """A text in one line: names may be longer than a card."""
    label = look.faint(name=name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(label.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, _NAME_WIDTH))
    label.setToolTip(tip_of(text))
    return label
