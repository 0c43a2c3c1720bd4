"""Animated GIFs, for pages and messages that cannot show videos: small, with the colours of their first frame.

    pictures ──RGB──▶ scaled ──▶ 127 colours ──▶ what changed since the last one ──▶ .name.gif.….part ──▶ name.gif

Pillow's own writer needs all frames before it starts. Here its functions for header and image are called one by one,
so that memory does not grow with the video, and progress can be shown.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import GifImagePlugin, Image

from player.film.mp4 import VideoError, whole_file

WIDTH = 720  # pixels, at most
_COLOURS = 127
_KEPT = 64  # of them: the commonest in the first picture, as they are; cutting all by the median moves flat areas
_UNCHANGED = _COLOURS  # the index of the transparent colour: what was there stays
_STAY = 1  # GIF's disposal method "do not dispose"
_TRAILER = b";"

Indices = npt.NDArray[np.uint8]


def writing_gif(
    frames: Iterable[npt.NDArray[np.uint8]], path: Path | str, fps: float | Fraction
) -> Generator[int, None, None]:
    """Write RGB frames, uint8 (height, width, 3) of one size, as a looping GIF; yields the number of frames written.

    `fps` should divide 100, since GIF measures time in 1/100 s. The file gets its name once it is complete.
    Raises VideoError as `player.film.mp4.writing` does.
    """
    path = Path(path)
    milliseconds = 10 * round(100 / fps)
    count = 0
    with whole_file(path, ".gif", "an animation is written as GIF") as part, part.open("wb") as file:
        palette: Image.Image | None = None
        before: Indices = np.empty((0, 0), np.uint8)
        for picture in frames:
            small = Image.fromarray(_scaled(picture))
            if palette is None:
                palette = _palette(small)
                indices = _indices(small, palette)
                header, _ = GifImagePlugin.getheader(_image(indices, palette), info={"loop": 0})
                file.writelines(header)
                changed, corner = indices, (0, 0)
            else:
                indices = _indices(small, palette)
                changed, corner = _changes(before, indices)
            file.writelines(
                GifImagePlugin.getdata(
                    _image(changed, palette),
                    corner,
                    duration=milliseconds,
                    disposal=_STAY,
                    transparency=_UNCHANGED,
                )
            )
            before = indices
            count += 1
            yield count
        if palette is None:
            raise VideoError(f"{path}: there are no frames to write")
        file.write(_TRAILER)


def _scaled(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = picture.shape[:2]
    if width <= WIDTH:
        return np.ascontiguousarray(picture)
    size = (WIDTH, round(height * WIDTH / width))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _palette(small: Image.Image) -> Image.Image:
    """An image with the palette: the most common colours of a frame exactly, the others approximated."""
    packed = _packed(np.asarray(small))
    colours, counts = np.unique(packed, return_counts=True)
    common = colours[np.argsort(-counts, kind="stable")[:_KEPT]]
    table = np.stack([common >> 16, common >> 8 & 255, common & 255], axis=1).ravel().tolist()
    others = ~np.isin(packed, common)
    if others.any():
        rest = Image.fromarray(np.asarray(small)[others][None])
        cut = rest.quantize(_COLOURS - len(common), Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        table += (cut.getpalette() or [])[: 3 * (_COLOURS - len(common))]
    palette = Image.new("P", (1, 1))
    palette.putpalette(table)
    return palette


def _packed(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Each pixel's three bytes as one number."""
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    return red << 16 | green << 8 | blue


def _indices(small: Image.Image, palette: Image.Image) -> Indices:
    """The nearest palette colour of each pixel: exact if the palette has it, which Pillow does not guarantee."""
    indices = np.array(small.quantize(palette=palette, dither=Image.Dither.NONE), np.uint8)
    colours = _packed(np.asarray(palette.getpalette(), np.uint8).reshape(-1, 3))
    order = np.argsort(colours, kind="stable")
    packed = _packed(np.asarray(small))
    place = order[np.minimum(np.searchsorted(colours, packed, sorter=order), len(order) - 1)]
    same = colours[place] == packed
    indices[same] = place[same]
    return indices


def _changes(before: Indices, now: Indices) -> tuple[Indices, tuple[int, int]]:
    """The smallest rectangle around all changes, with unchanged pixels transparent, and its corner (x, y)."""
    differs = before != now
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return np.full((1, 1), _UNCHANGED, np.uint8), (0, 0)
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.where(differs[box], now[box], _UNCHANGED).astype(np.uint8), (int(columns[0]), int(rows[0]))


def _image(indices: Indices, palette: Image.Image) -> Image.Image:
    height, width = indices.shape
    image = Image.frombytes("P", (width, height), np.ascontiguousarray(indices).tobytes())
    colours = (palette.getpalette() or [])[: 3 * _COLOURS]
    image.putpalette(colours + [0] * (3 * (_COLOURS + 1) - len(colours)))
    return image
