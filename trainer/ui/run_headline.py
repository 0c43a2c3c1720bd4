"""What is said of a run above its curves; once it is over, large and with a picture.

┌───────┐  Your twin scores 61, you 48;
│ play  │  it does as you do in 73 % of moments.
└───────┘  Means of 3 test games and 6 of your games, each up to 1 min 07 s. …
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from recorder.library.preview import THUMB_HEIGHT, THUMB_WIDTH, Picture
from recorder.ui.kit import look
from trainer.runs.presenter import TrainPresenter
from trainer.runs.train_state import TrainState

_PLAIN, _LARGE = 1.2, 1.5


class RunPicture(QWidget):
    """A small picture on black; only black before it is drawn."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runPicture")
        self.setAccessibleName("The play that it learned from")
        self.setToolTip("The play that it learned from")
        self.setFixedSize(QSize(THUMB_WIDTH, THUMB_HEIGHT))
        self._picture: Picture | None = None

    def show_picture(self, picture: Picture | None) -> None:
        """Show this picture, uint8 RGB (height, width, 3)."""
        if picture is not self._picture:
            self._picture = picture
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(self.rect()), look.RADIUS, look.RADIUS)
        painter.setClipPath(shape)
        painter.fillRect(self.rect(), QColor(0, 0, 0))
        if self._picture is not None:
            painter.drawImage(QRectF(self.rect()), look.image_of(self._picture))


class RunHeadline(QWidget):
    """Shows what `presenter` says of the run that it shows."""

    def __init__(self, presenter: TrainPresenter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.presenter = presenter
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(look.WIDE)
        self._picture = RunPicture()
        self._picture.hide()
        self._headline = look.heading("", "trainHeadline", _PLAIN)
        self._headline.setWordWrap(True)
        self._large = look.scaled(look.faint().font(), _LARGE, bold=True)
        self._plain = self._headline.font()
        self._basis = look.faint(name="runBasis", wrap=True)
        words = QVBoxLayout()
        words.setSpacing(look.SMALL)
        words.addWidget(self._headline)
        words.addWidget(self._basis)
        words.addStretch(1)
        row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)

    def show_state(self) -> None:
        """Show the run as it stands."""
        presenter = self.presenter
        over = presenter.state is TrainState.DONE
        self._headline.setFont(self._large if over and presenter.twin is not None else self._plain)
        self._headline.setText(presenter.headline)
        self._basis.setText(presenter.basis)
        self._basis.setVisible(bool(presenter.basis))
        run = presenter.run_list.run
        session = presenter.pictures.session(run) if over and run is not None else None
        self._picture.setVisible(session is not None)
        if session is not None and self._picture.isVisible():  # a game on another page has better use for the time
            self._picture.show_picture(presenter.pictures.of(session))
