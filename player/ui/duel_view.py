"""One side of a duel on screen: who plays, score and lives, the game, and the action as keycaps or traces.

▌Scripted player [SCRIPTED]      ●●●  32
│              the game                │   scaled by whole numbers, true aspect
     [ LEFT ]  [ FIRE ]  [ RIGHT ]
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from player.watch.frames import WAYS, DuelFrame, Side, score_text
from recorder.ui.kit import look

_HEADER, _KEYS, _TRACES, _PAD = 58, 56, 104, 14
_PUSHES, _PULLS = (176, 42, 48), (26, 111, 173)
_LOOKED_AT = (255, 60, 220)  # a hue that Breakout's screen has nowhere


class DuelSide(QWidget):
    """Shows the left or the right side of a DuelFrame; its only state is that frame."""

    def __init__(self, left: bool, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._left = left
        self._placeholder = placeholder
        self._frame: DuelFrame | None = None
        self._side: Side | None = None
        self.explains = False  # whether it shows what drives the actions, where that is known
        self.setObjectName("leftSide" if left else "rightSide")
        self.setMinimumSize(270, 240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(520, 560)

    def show_frame(self, frame: DuelFrame | None, placeholder: str = "") -> None:
        """Show this side of `frame`, or `placeholder` if there is none."""
        self._frame = frame
        self._side = None if frame is None else frame.left if self._left else frame.right
        self._placeholder = placeholder or self._placeholder
        side = self._side
        name = (
            self._placeholder if side is None else f"{side.title}, score {score_text(side.score)}, {side.action_label}"
        )
        self.setAccessibleName(name if side is None or side.looks is None else f"{name}, with what it looks at")
        self.update()

    def accent(self) -> QColor:
        """This side's colour for the current theme."""
        return look.tone(self.palette(), "person" if self._left else "clone")

    @property
    def stage(self) -> QRectF:
        """Where the game is; above it is the header, below it the keycaps or traces."""
        below = _KEYS if self._frame is None or self._frame.discrete else _TRACES
        return QRectF(_PAD, _HEADER, self.width() - 2 * _PAD, self.height() - _HEADER - below)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        palette = self.palette()
        text, window = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window)
        painter.setBrush(look.mix(window, text, 0.06))
        painter.drawRoundedRect(self.rect(), 12, 12)
        stage = self.stage
        if self._side is None or self._frame is None:
            painter.setPen(look.mix(window, text, 0.7))
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(QRectF(self.rect()).adjusted(24, 24, -24, -24), flags, self._placeholder)
            return
        self._paint_header(painter, self._side, text, window)
        self._paint_picture(painter, stage)
        keys = QRectF(_PAD, stage.bottom() + 12, stage.width(), self.height() - stage.bottom() - 24)
        if self._frame.discrete:
            self._paint_keycaps(painter, keys, text, window)
        else:
            self._paint_traces(painter, keys, text, window)

    def _paint_header(self, painter: QPainter, side: Side, text: QColor, window: QColor) -> None:
        accent = self.accent()
        painter.setBrush(accent)
        painter.drawRoundedRect(QRectF(_PAD, 11, 4, 36), 2, 2)
        self._font(painter, 2.2, bold=True)
        painter.setPen(accent)
        score = score_text(side.score)
        painter.drawText(
            QRectF(0, 5, self.width() - _PAD, 46),
            int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
            score,
        )
        taken = painter.fontMetrics().horizontalAdvance(score)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(text)
        lives = side.lives if self._frame is not None and self._frame.has_lives else 0
        for life in range(lives):
            painter.drawEllipse(QPointF(self.width() - _PAD - taken - 18 - 14 * life, 29), 4, 4)
        room = self.width() - 2 * _PAD - taken - 14 * lives - 34
        self._paint_name(painter, side, room, text)
        self._font(painter, 0.9)
        painter.setPen(look.mix(window, text, 0.7))
        subtitle = painter.fontMetrics().elidedText(side.subtitle, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(QPointF(_PAD + 14, 47), subtitle)

    def _paint_name(self, painter: QPainter, side: Side, room: int, text: QColor) -> None:
        """Who plays, and a badge for the kind of player where there is room for both."""
        assert self._frame is not None
        title = self._frame.title_of(side)
        self._font(painter, 1.25, bold=True)
        wide = painter.fontMetrics().horizontalAdvance(title)
        self._font(painter, max(0.9, 1.25 * min(1.0, room / max(1, wide))), bold=True)
        painter.setPen(text)
        x = _PAD + 14.0
        title = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(x, 27), title)
        x += painter.fontMetrics().horizontalAdvance(title) + 10
        self._font(painter, 0.75, bold=True)
        wide = painter.fontMetrics().horizontalAdvance(side.badge) + 14
        if x + wide <= _PAD + 14 + room:
            painter.setPen(self.accent())
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(x, 12.5, wide, 18), 9, 9)
            painter.drawText(QRectF(x, 12.5, wide, 18), Qt.AlignmentFlag.AlignCenter, side.badge)

    def _paint_picture(self, painter: QPainter, stage: QRectF) -> None:
        side = self._side
        assert side is not None
        painter.setPen(Qt.PenStyle.NoPen)
        place = stage
        if side.picture is not None:
            height, width = side.picture.shape[:2]
            pixel_aspect = 0.0 if self._frame is None else self._frame.pixel_aspect
            place = look.place_picture(stage, width, height, pixel_aspect, self.devicePixelRatioF())
            if pixel_aspect:  # whole-number scaling leaves a margin, as black as the screen's own
                place, picture_place = stage, place
                painter.setBrush(QColor(0, 0, 0))
                painter.drawRect(stage)
                look.draw_picture(painter, picture_place, side.picture, pixel_aspect)
                if side.looks is not None:
                    self._paint_looks(painter, picture_place, side.looks)
            else:
                look.draw_picture(painter, place, side.picture, pixel_aspect)
        if side.distance is not None:
            self._font(painter, 1.1, bold=True)
            painter.setPen(QColor(255, 255, 255))
            flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            painter.drawText(place.adjusted(12, 8, -12, -8), flags, f"{side.distance:z.1f} m")
            painter.setPen(Qt.PenStyle.NoPen)
        if self.explains and side.drives and self._frame is not None:
            self._paint_drives(painter, place, side, self._frame)
        if side.over:
            painter.setBrush(QColor(0, 0, 0, 165))
            painter.drawRect(place)
            self._font(painter, 1.5, bold=True)
            painter.setPen(QColor(255, 255, 255))
            painter.drawText(stage, Qt.AlignmentFlag.AlignCenter, side.ending[:1].upper() + side.ending[1:])

    @staticmethod
    def _paint_looks(painter: QPainter, place: QRectF, looks: npt.NDArray[np.uint8]) -> None:
        """Dim the screen, and highlight what speaks for the clone's action."""
        height, width = looks.shape
        pixels = np.empty((height, width, 4), np.uint8)
        # A ball of few pixels adds less than a paddle; it should be seen all the same. What adds nearly nothing, not.
        glow = ((looks / 255.0 - 0.04) / 0.96).clip(0) ** 0.6
        pixels[..., :3] = _LOOKED_AT[::-1]
        pixels[..., 3] = np.round(210 * glow)
        image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32)
        painter.fillRect(place, QColor(0, 0, 0, 110))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, image)

    def _paint_drives(self, painter: QPainter, place: QRectF, side: Side, frame: DuelFrame) -> None:
        """A table over the picture: a row per observed value, a column per action; red is positive, blue negative."""
        names, actions = frame.observation_names, frame.action_names
        self._font(painter, 0.8)
        metrics = painter.fontMetrics()
        row = metrics.height() + 3.0
        first = max(metrics.horizontalAdvance(name) for name in names) + 16.0
        cell = max(metrics.horizontalAdvance(name) for name in (*actions, "+0.00")) + 12.0
        board = QRectF(0, 0, first + cell * len(actions), row * (len(names) + 1) + 12)
        board.moveTopRight(place.topRight() + QPointF(-8, 8))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 190))
        painter.drawRoundedRect(board, 6, 6)
        painter.setPen(QColor(255, 255, 255))
        centred, left = Qt.AlignmentFlag.AlignCenter, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        strongest = max(1e-6, max(abs(value) for line in side.drives for value in line))
        for column, action in enumerate(actions):
            painter.drawText(QRectF(board.left() + first + column * cell, board.top() + 4, cell, row), centred, action)
        for index, name in enumerate(names):
            top = board.top() + 4 + row * (index + 1)
            painter.setPen(QColor(255, 255, 255))
            painter.drawText(QRectF(board.left() + 10, top, first, row), left, name)
            for column, line in enumerate(side.drives):
                box = QRectF(board.left() + first + column * cell + 1, top + 1, cell - 2, row - 2)
                hue = _PUSHES if line[index] > 0 else _PULLS
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(*hue, round(255 * abs(line[index]) / strongest)))
                painter.drawRoundedRect(box, 3, 3)
                painter.setPen(QColor(255, 255, 255))
                painter.drawText(box, centred, f"{line[index]:+.2f}")
        painter.setPen(Qt.PenStyle.NoPen)

    def _paint_keycaps(self, painter: QPainter, area: QRectF, text: QColor, window: QColor) -> None:
        side, frame = self._side, self._frame
        assert side is not None
        assert frame is not None
        order = frame.keycaps
        gap = 10.0
        wide = min(112.0, (area.width() - gap * (len(order) - 1)) / len(order))
        x = area.center().x() - (len(order) * wide + (len(order) - 1) * gap) / 2
        for name in order:
            held = frame.holds(side, name)
            box = QRectF(x, area.top(), wide, area.height())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.accent() if held else look.mix(window, text, 0.14))
            painter.drawRoundedRect(box, 8, 8)
            ink = window if held else look.mix(window, text, 0.75)
            painter.setBrush(ink)
            self._font(painter, 0.9, bold=True)
            if name in WAYS and painter.fontMetrics().horizontalAdvance(name) + 2 * 24 <= wide:
                way = WAYS[name]
                tip, y = box.center().x() + way * (wide / 2 - 12), box.center().y()
                painter.drawPolygon(
                    QPolygonF([QPointF(tip, y), QPointF(tip - way * 8, y - 6), QPointF(tip - way * 8, y + 6)])
                )
            painter.setPen(ink)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)
            x += wide + gap

    def _paint_traces(self, painter: QPainter, area: QRectF, text: QColor, window: QColor) -> None:
        side, frame = self._side, self._frame
        assert side is not None
        assert frame is not None
        values = side.action if isinstance(side.action, tuple) else (0.0,) * len(frame.action_names)
        cell = area.width() / len(values)
        self._font(painter, 0.9)
        for index, (name, value) in enumerate(zip(frame.action_names, values, strict=True)):
            box = QRectF(area.left() + index * cell + 4, area.top(), cell - 8, area.height())
            painter.setPen(look.mix(window, text, 0.75))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), name)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop), f"{value:+.2f}")
            well = box.adjusted(0, 20, 0, 0)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.mix(window, text, 0.1))
            painter.drawRoundedRect(well, 5, 5)
            middle, reach = well.center().y(), well.height() / 2 - 3
            painter.setPen(look.mix(window, text, 0.35))
            painter.drawLine(QPointF(well.left() + 4, middle), QPointF(well.right() - 4, middle))
            # The present is at the right, a second ago at the left.
            step = (well.width() - 8) / max(1, round(frame.rate_hz) - 1)
            line = [
                QPointF(well.right() - 4 - step * age, middle - reach * values[index])
                for age, values in enumerate(reversed(side.trace))
            ]
            painter.setPen(QPen(self.accent(), 1.6))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(line)

    def _font(self, painter: QPainter, factor: float, *, bold: bool = False) -> None:
        font = QFont(self.font())
        size = self.font().pointSizeF()
        font.setPointSizeF((size if size > 0 else 10.0) * factor)
        font.setBold(bold)
        painter.setFont(font)
