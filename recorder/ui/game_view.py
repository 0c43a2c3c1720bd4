"""The game on screen: the picture, sharp and in its true shape, what to do next over it, and the keys below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from recorder.recording.recordings import Picture
from recorder.ui.kit import look
from recorder.ui.turn_words import Rival, Turn

_CAP_HEIGHT, _GAP, _RADIUS = 54, 12, 10
_TURN_HEIGHT, _FRAME = 44, 4  # of the line that says who plays, and of the frame in its colour
_BESIDE = 0.9  # a stage that is at least so wide for its height has both pictures of a race beside each other


@dataclass(frozen=True)
class Keycap:
    """A key as it is drawn: what it does, what is printed on it, and whether it is held."""

    name: str
    keys: str
    held: bool = False


class GameView(QWidget):
    """Shows what it is given; keyboard focus belongs here while one plays.

    `painted` carries the picture that was painted. Queued, it arrives once Qt has handed it over to the window system,
    which follows the painting of all widgets within the same event.
    """

    painted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: Picture | None = None
        # What is drawn, own and rival's: copies, since whoever gave a picture may write the next one into its memory.
        self._drawn: list[Picture | None] = [None, None]
        self._pixel_aspect = 0.0
        self._title = self._hint = ""
        self._large = False
        self._caps: tuple[Keycap, ...] = ()
        self._recording = False
        self._turn: Turn | None = None
        self._rival: Rival | None = None
        self.setObjectName("gameView")
        self.setAccessibleName("The game")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(250, 220)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(700, 720)

    def show_game(self, picture: Picture | None, pixel_aspect: float, *, recording: bool) -> None:
        """Show this picture, uint8 RGB (height, width, 3); see EnvSpec for `pixel_aspect`."""
        around = (self._pixel_aspect, self._recording)
        same, self._picture = picture is self._picture, picture
        self._pixel_aspect, self._recording = pixel_aspect, recording
        if around != (pixel_aspect, recording):
            self.update()
        if not same:
            self._draw(0, picture)

    def show_overlay(self, title: str, hint: str, *, large: bool = False) -> None:
        """Words over the dimmed picture; none when both are empty. `large` is for a figure to be seen from afar."""
        if (title, hint, large) != (self._title, self._hint, self._large):
            self._title, self._hint, self._large = title, hint, large
            self.setAccessibleDescription(f"{title}. {hint}")
            self.update()

    def show_rival(self, rival: Rival | None) -> None:
        """Both sides of a race, in place of the one picture; None if there is none."""
        before, self._rival = self._rival, rival
        words = [None if each is None else (each.own, each.other, each.picture is None) for each in (before, rival)]
        if words[0] != words[1]:
            self.update()
        picture = None if rival is None else rival.picture
        if (None if before is None else before.picture) is not picture:
            self._draw(1, picture)

    def show_turn(self, turn: Turn | None) -> None:
        """Who plays at the moment, below the picture, which is framed in that colour; None if nobody else may."""
        if turn != self._turn:
            self._turn = turn
            self.update()

    def show_keycaps(self, caps: Sequence[Keycap]) -> None:
        """The keys below the picture."""
        if tuple(caps) == self._caps:
            return
        as_many = len(caps) == len(self._caps)
        self._caps = tuple(caps)
        if as_many:
            self.update(self._keyboard.toAlignedRect())  # not the picture: the one that a key changes comes sooner
        else:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for part in event.region():  # type: ignore[attr-defined]
            painter.setClipRect(part)  # a picture is drawn more quickly into one rectangle than into several
            self._paint(painter, part)
        if self._picture is not None:
            self.painted.emit(self._picture)

    def _paint(self, painter: QPainter, part: QRect) -> None:
        """Paint what lies in a part of the widget."""
        stage = self._stage
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0))
        painter.drawRoundedRect(stage, _RADIUS, _RADIUS)
        if self._drawn[0] is not None:
            self._paint_picture(painter, self._own, self._drawn[0])
        if self._rival is not None:
            self._paint_race(painter, self._rival)
        if self._recording:
            painter.setBrush(look.LIVE)
            painter.drawEllipse(QRectF(18, 17, 12, 12))
            self._write(painter, QRectF(38, 10, 100, 26), "REC", 1.0, Qt.AlignmentFlag.AlignVCenter)
        if self._title or self._hint:
            self._paint_overlay(painter, stage)
        if self._turn is not None:
            self._paint_turn(painter, stage, self._turn)
        if self._caps and part.bottom() > stage.bottom():
            self._paint_caps(painter, self._keyboard)

    def _draw(self, side: int, picture: Picture | None) -> None:
        """Take over a picture, one's own or the rival's, and have painted what is different in it."""
        before, self._drawn[side] = self._drawn[side], None if picture is None else picture.copy()
        if picture is None or before is None or before.shape != picture.shape:
            self.update()
        else:
            place = self._place(self._sides[1] if side else self._own, picture)
            self.update(look.changed_part(place, before, picture))

    def _paint_picture(self, painter: QPainter, stage: QRectF, picture: Picture) -> None:
        look.draw_picture(painter, self._place(stage, picture), picture, self._pixel_aspect)

    def _place(self, stage: QRectF, picture: Picture) -> QRectF:
        height, width = picture.shape[:2]
        margin = 2 if self._turn is None else _FRAME + 2
        inner = stage.adjusted(margin, margin, -margin, -margin)
        return look.place_picture(inner, width, height, self._pixel_aspect, self.devicePixelRatioF())

    @property
    def _own(self) -> QRectF:
        """Where the person's picture goes: on the whole stage, or in a race on its side."""
        return self._sides[0] if self._rival is not None else self._stage

    @property
    def _sides(self) -> tuple[QRectF, QRectF]:
        """Where the two pictures of a race go: beside each other, or one above the other on a narrow stage."""
        stage = self._stage
        if stage.width() > _BESIDE * stage.height():
            left = QRectF(stage.left(), stage.top(), stage.width() / 2, stage.height())
            sides = left, left.translated(left.width(), 0)
        else:
            upper = QRectF(stage.left(), stage.top(), stage.width(), stage.height() / 2)
            sides = upper, upper.translated(0, upper.height())
        above = _TURN_HEIGHT / 2 + _FRAME
        return sides[0].adjusted(_FRAME, above, -_FRAME, -_FRAME), sides[1].adjusted(_FRAME, above, -_FRAME, -_FRAME)

    @property
    def _stage(self) -> QRectF:
        below = (_CAP_HEIGHT + _GAP if self._caps else 0) + (0 if self._turn is None else _TURN_HEIGHT)
        return QRectF(0, 0, self.width(), self.height() - below)

    @property
    def _keyboard(self) -> QRectF:
        return QRectF(0, self.height() - _CAP_HEIGHT, self.width(), _CAP_HEIGHT)

    def _paint_overlay(self, painter: QPainter, stage: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 140 if self._large else 178))
        painter.drawRoundedRect(stage, _RADIUS, _RADIUS)
        middle = stage.center().y()
        centre = Qt.AlignmentFlag.AlignHCenter
        margin = min(24.0, stage.width() / 20)
        box = QRectF(stage.left() + margin, middle - 132, stage.width() - 2 * margin, 120)
        factor = 6.0 if self._large else 1.9
        metrics = QFontMetricsF(look.scaled(self.font(), factor, bold=True))
        wide = max(map(metrics.horizontalAdvance, self._title.split("\n")))
        factor *= min(1.0, box.width() / max(1.0, wide))
        self._write(painter, box, self._title, factor, centre | Qt.AlignmentFlag.AlignBottom)
        box = QRectF(box.left(), middle - 4, box.width(), stage.bottom() - middle)
        flags = centre | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        self._write(painter, box, self._hint, 1.1, flags, bold=False)

    def _paint_race(self, painter: QPainter, race: Rival) -> None:
        own, other = self._sides
        if self._drawn[1] is not None:
            self._paint_picture(painter, other, self._drawn[1])
        for side, text, picture, tone in (
            (own, race.own, self._picture, "person"),
            (other, race.other, race.picture, "clone"),
        ):
            top = side.top() if picture is None else self._place(side, picture).top()
            line = QRectF(side.left(), top - _TURN_HEIGHT / 2, side.width(), _TURN_HEIGHT / 2)
            self._write_fitting(painter, line, text, look.tone_on_black(tone), 1.1, bold=True)

    def _paint_turn(self, painter: QPainter, stage: QRectF, turn: Turn) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(look.tone_on_black(turn.tone), _FRAME))
        inset = _FRAME / 2
        painter.drawRoundedRect(stage.adjusted(inset, inset, -inset, -inset), _RADIUS, _RADIUS)
        ink = look.tone(self.palette(), turn.tone)
        line = QRectF(0, stage.bottom() + 4, self.width(), _TURN_HEIGHT - 4)
        centre = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
        half = QRectF(line.left(), line.top(), line.width(), line.height() / 2)
        self._write(painter, half, turn.title, 1.1, centre, ink)
        faint = self.palette().color(self.palette().ColorRole.WindowText)
        self._write_fitting(painter, half.translated(0, half.height()), turn.hint, faint)

    def _write_fitting(
        self, painter: QPainter, box: QRectF, text: str, ink: QColor, largest: float = 0.95, *, bold: bool = False
    ) -> None:
        """A line that is smaller where it is long, and cut where it would be too small."""
        wide = QFontMetricsF(look.scaled(self.font(), 1.0, bold=bold)).horizontalAdvance(text)
        factor = max(0.75, min(largest, box.width() / max(1.0, wide)))
        metrics = QFontMetricsF(look.scaled(self.font(), factor, bold=bold))
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        centre = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
        self._write(painter, box, shown, factor, centre, ink, bold=bold)

    def _paint_caps(self, painter: QPainter, area: QRectF) -> None:
        palette = self.palette()
        window, text = palette.color(palette.ColorRole.Window), palette.color(palette.ColorRole.WindowText)
        wide = min(190.0, (area.width() - _GAP * (len(self._caps) - 1)) / len(self._caps))
        x = area.center().x() - (len(self._caps) * wide + (len(self._caps) - 1) * _GAP) / 2
        for cap in self._caps:
            box = QRectF(x, area.top(), wide, area.height())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(palette.ColorRole.Highlight) if cap.held else look.mix(window, text, 0.12))
            painter.drawRoundedRect(box, _RADIUS, _RADIUS)
            ink = QColor("white") if cap.held else text
            top = QRectF(box.left(), box.top() + 7, box.width(), 20)
            self._write(painter, top, cap.name, 0.95, Qt.AlignmentFlag.AlignCenter, ink)
            faint = ink if cap.held else look.mix(window, text, 0.75)
            low = QRectF(box.left(), box.top() + 27, box.width(), 20)
            self._write(painter, low, cap.keys, 0.85, Qt.AlignmentFlag.AlignCenter, faint, bold=False)
            x += wide + _GAP

    def _write(
        self,
        painter: QPainter,
        box: QRectF,
        text: str,
        factor: float,
        flags: int,
        colour: QColor | None = None,
        *,
        bold: bool = True,
    ) -> None:
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * factor)
        font.setBold(bold)
        painter.setFont(font)
        painter.setPen(colour or QColor("white"))
        painter.drawText(box, flags, text)
