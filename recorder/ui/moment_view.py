"""The picture of a moment of a session."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from recorder.library.preview import Moment
from recorder.ui.kit import look

_LEAST, _SHAPE = 226, 0.63  # pixels of height, and height per width


class MomentView(QWidget):
    """The picture of a moment, or a sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("previewPicture")
        self._moment: Moment | None = None
        self._words = ""
        self.setMinimumSize(280, _LEAST)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        return QSize(360, _LEAST)

    def heightForWidth(self, width: int) -> int:
        """It grows with its pane."""
        return max(_LEAST, round(width * _SHAPE))

    def show_moment(self, moment: Moment | None, words: str) -> None:
        """Show this, and `words` where there is no picture."""
        self._moment, self._words = moment, words
        self.setAccessibleName(words or "The game at this moment")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0))
        stage = QRectF(self.rect())
        painter.drawRoundedRect(stage, look.RADIUS, look.RADIUS)
        if self._moment is not None and self._moment.picture is not None:
            height, width = self._moment.picture.shape[:2]
            place = look.place_picture(
                stage.adjusted(4, 4, -4, -4), width, height, self._moment.pixel_aspect, self.devicePixelRatioF()
            )
            look.draw_picture(painter, place, self._moment.picture, self._moment.pixel_aspect)
        elif self._words:
            painter.setPen(QColor(255, 255, 255))
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(stage.adjusted(20, 12, -20, -12), flags, self._words)
