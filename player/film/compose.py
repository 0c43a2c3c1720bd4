"""One video frame of a duel, for videos and reports.

    ┌──────────────────────────────────────────────┐
    │ Breakout                         0:12   ×tick │  header
    │ ┌── Scripted player ──┐  ┌──── Clone ───────┐ │  who plays, and what kind of player
    │ │ 32            lives │  │ 45         lives │ │  score and lives
    │ │       game          │  │       game       │ │  screen, whole-number scaled; "game over" across it
    │ └─[FIRE][LEFT][RIGHT]─┘  └──────────────────┘ │  the action taken, as keycaps or bars
    │ verdict                                       │
    └──────────────────────────────────────────────┘

Whatever does not change from tick to tick is drawn only once. Pillow draws it, with its built-in font, because
videos are also made where Qt cannot start: on a server without a screen, fonts and graphics libraries.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from player.watch.frames import WAYS, DuelFrame, Side, score_text
from recorder.system.texts import duration_text

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

BACKGROUND: Colour = (16, 18, 24)
CARD: Colour = (27, 30, 39)
WELL: Colour = (0, 0, 0)
KEY: Colour = (44, 49, 62)
TEXT: Colour = (238, 240, 245)
MUTED: Colour = (152, 160, 178)
LEFT_ACCENT: Colour = (255, 178, 72)  # whoever demonstrated
RIGHT_ACCENT: Colour = (88, 196, 255)  # whoever learned

_STAGE = 630  # height in pixels of the game in the picture: 210 lines of 3, and as large for a drawn simulator
_MARGIN, _GAP, _PAD = 28, 24, 20
_HEADER, _TITLE, _KEYS, _FOOTER = 72, 84, 76, 60


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _plain(text: str) -> str:
    """The text in characters that the font has: accents are dropped, other characters become "?"."""
    kept = unicodedata.normalize("NFKD", text)
    letters = [c for c in kept if not unicodedata.combining(c)]
    return "".join(c if c.isascii() or c in "·…" else "?" for c in letters)


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: Colour = TEXT,
    *,
    anchor: str = "lm",
    bold: bool = False,
) -> float:
    """Write one line and return its width in pixels."""
    text, font = _plain(text), _font(size)
    draw.text(at, text, font=font, fill=colour, anchor=anchor, stroke_width=0.4 if bold else 0, stroke_fill=colour)
    return float(draw.textlength(text, font=font))


def _clip(draw: ImageDraw.ImageDraw, text: str, size: int, width: float) -> str:
    """The text, shortened in the middle until it fits `width` pixels."""
    text, font = _plain(text), _font(size)
    if draw.textlength(text, font=font) <= width:
        return text
    keep = len(text) - 1
    while keep > 2 and draw.textlength(text[: keep // 2] + "…" + text[-(keep // 2) :], font=font) > width:
        keep -= 1
    return text[: keep // 2] + "…" + text[-(keep // 2) :]


def compose(frame: DuelFrame) -> Picture:
    """The frame of one moment: RGB uint8 (height, width, 3); both sizes are even, as H.264 requires.

    Its size depends only on the environment and the number of sides. Sides need pictures (`render=True`).
    """
    sides = [(side, accent) for side, accent in ((frame.left, LEFT_ACCENT), (frame.right, RIGHT_ACCENT)) if side]
    stages = [_enlarge(side.picture, frame.pixel_aspect) for side, _ in sides if side.picture is not None]
    assert len(stages) == len(sides), "compose() needs a Duel with render=True"
    stage_width = stages[0].shape[1]
    panel = stage_width + 2 * _PAD
    width = 2 * _MARGIN + len(sides) * panel + (len(sides) - 1) * _GAP
    width += width % 2
    key = tuple((side.badge, side.title, side.subtitle) for side, _ in sides)
    base = _chrome(width, stage_width, frame.env_title, key, tuple(accent for _, accent in sides))
    image = base.copy()
    draw = ImageDraw.Draw(image)
    _write(draw, (width - _MARGIN, _HEADER / 2 + 4), f"frame {frame.tick:,}", 20, MUTED, anchor="rm")
    _write(draw, (width - _MARGIN - 170, _HEADER / 2 + 4), duration_text(frame.seconds), 28, anchor="rm")
    for index, (side, accent) in enumerate(sides):
        left = _MARGIN + index * (panel + _GAP)
        _panel(draw, frame, side, accent, left, panel)
    if frame.verdict:
        _write(draw, (width / 2, image.height - _FOOTER / 2 - 4), frame.verdict, 26, anchor="mm")
    picture = np.array(image)
    for index, stage in enumerate(stages):
        left = _MARGIN + index * (panel + _GAP) + _PAD
        top = _HEADER + _TITLE
        picture[top : top + stage.shape[0], left : left + stage_width] = stage
        side, accent = sides[index]
        if side.over:
            _curtain(picture, left, top, stage.shape[1], stage.shape[0], side.ending)
    return picture


def _enlarge(picture: Picture, pixel_aspect: float) -> Picture:
    height, width = picture.shape[:2]
    if pixel_aspect:  # by whole numbers, so that each line and column is as thick as the next
        lines = max(1, _STAGE // height)
        size = (width * round(lines * pixel_aspect), height * lines)
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    scaled = round(width * _STAGE / height)
    return np.asarray(cv2.resize(picture, (scaled, _STAGE), interpolation=cv2.INTER_CUBIC), np.uint8)


@lru_cache(maxsize=8)
def _chrome(
    width: int, stage_width: int, title: str, sides: tuple[tuple[str, str, str], ...], accents: tuple[Colour, ...]
) -> Image.Image:
    """The parts that stay the same for the whole video."""
    height = _HEADER + _TITLE + _STAGE + _KEYS + _FOOTER
    height += height % 2
    image = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(image)
    _write(draw, (_MARGIN, _HEADER / 2 + 4), title, 30, bold=True)
    panel = stage_width + 2 * _PAD
    for index, ((badge, name, subtitle), accent) in enumerate(zip(sides, accents, strict=True)):
        left = _MARGIN + index * (panel + _GAP)
        bottom = _HEADER + _TITLE + _STAGE + _KEYS
        draw.rounded_rectangle((left, _HEADER, left + panel, bottom), 14, fill=CARD)
        draw.rounded_rectangle((left + _PAD, _HEADER + 20, left + _PAD + 5, _HEADER + _TITLE - 18), 2, fill=accent)
        x = left + _PAD + 18
        room = panel * 0.52
        used = _write(draw, (x, _HEADER + 33), _clip(draw, name, 26, room), 26, bold=True)
        span = draw.textlength(badge, font=_font(13))
        draw.rounded_rectangle((x + used + 14, _HEADER + 22, x + used + 30 + span, _HEADER + 44), 11, outline=accent)
        _write(draw, (x + used + 22, _HEADER + 33), badge, 13, accent)
        _write(draw, (x, _HEADER + 60), _clip(draw, subtitle, 16, room + 60), 16, MUTED)
        top = _HEADER + _TITLE
        draw.rectangle((left + _PAD, top, left + _PAD + stage_width - 1, top + _STAGE - 1), fill=WELL)
    return image


def _panel(draw: ImageDraw.ImageDraw, frame: DuelFrame, side: Side, accent: Colour, left: int, panel: int) -> None:
    right = left + panel - _PAD
    used = _write(draw, (right, _HEADER + 44), score_text(side.score), 44, accent, anchor="rm", bold=True)
    if frame.has_lives:
        for life in range(side.lives):
            x = right - used - 28 - 20 * life
            draw.ellipse((x - 6, _HEADER + 38, x + 6, _HEADER + 50), fill=TEXT)
    top = _HEADER + _TITLE + _STAGE + 14
    if frame.discrete:
        _keycaps(draw, frame, side, accent, left, panel, top)
    else:
        _bars(draw, frame.action_names, side, accent, left, panel, top)


def _keycaps(
    draw: ImageDraw.ImageDraw,
    frame: DuelFrame,
    side: Side,
    accent: Colour,
    left: int,
    panel: int,
    top: int,
) -> None:
    order, gap = frame.keycaps, 12
    wide = min(132, (panel - 2 * _PAD - (len(order) - 1) * gap) // len(order))
    x = left + (panel - len(order) * wide - (len(order) - 1) * gap) / 2
    for name in order:
        held = frame.holds(side, name)
        box = (x, top, x + wide, top + 46)
        draw.rounded_rectangle(box, 9, fill=accent if held else KEY)
        ink: Colour = BACKGROUND if held else MUTED
        middle, y = x + wide / 2, top + 23
        if name in WAYS:
            way = WAYS[name]
            tip = middle + way * 46
            draw.polygon([(tip, y), (tip - way * 10, y - 7), (tip - way * 10, y + 7)], fill=ink)
        _write(draw, (middle, y), name, 18, ink, anchor="mm", bold=held)
        x += wide + gap


def _bars(
    draw: ImageDraw.ImageDraw,
    names: tuple[str, ...],
    side: Side,
    accent: Colour,
    left: int,
    panel: int,
    top: int,
) -> None:
    values = side.action if isinstance(side.action, tuple) else (0.0,) * len(names)
    cell = (panel - 2 * _PAD) / len(names)
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        start, stop = left + _PAD + index * cell + 4, left + _PAD + (index + 1) * cell - 4
        _write(draw, (start, top + 8), name, 16, MUTED)
        _write(draw, (stop, top + 8), f"{value:+.2f}", 16, TEXT, anchor="rm")
        draw.rounded_rectangle((start, top + 26, stop, top + 38), 6, fill=KEY)
        middle, reach = (start + stop) / 2, (stop - start) / 2 - 2
        end = middle + reach * value
        if not side.over:
            draw.rectangle((min(middle, end), top + 28, max(middle, end), top + 36), fill=accent)
        draw.line((middle, top + 23, middle, top + 41), fill=MUTED, width=1)


def _curtain(picture: Picture, left: int, top: int, width: int, height: int, ending: str) -> None:
    """Dim a finished game and say how it ended."""
    area = picture[top : top + height, left : left + width]
    area[:] = area // 3
    label = _label(ending[:1].upper() + ending[1:], width - 40)
    y = (height - label.shape[0]) // 2
    x = (width - label.shape[1]) // 2
    area[y : y + label.shape[0], x : x + label.shape[1]] = label


@lru_cache(maxsize=16)
def _label(text: str, room: int) -> Picture:
    text = _clip(ImageDraw.Draw(Image.new("RGB", (1, 1))), text, 28, room - 48)
    image = Image.new("RGB", (int(_font(28).getlength(text)) + 48, 64), CARD)
    _write(ImageDraw.Draw(image), (image.width / 2, 32), text, 28, anchor="mm", bold=True)
    return np.array(image)
