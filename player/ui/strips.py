"""Thin strips over time; each column of pixels is some ticks: what was pressed, and where two players disagree.

presses   a row per direction (RIGHT over LEFT), full height for serves; a row per continuous action
apart     one row: neutral where the clone agrees; stronger the surer it was of another action
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage

from player.watch.frames import DuelFrame

_Actions = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
_Shares = npt.NDArray[np.float64]
_FAINTEST = 0.35  # a single press among many ticks must still be seen


def press_strip(actions: _Actions, frame: DuelFrame, ticks: int, width: int, colour: QColor, other: QColor) -> QImage:
    """Actions (T,) or (T, m) of a game, on a line of `ticks` ticks and `width` pixels.

    Directions and positive actions are drawn in `colour`; serves and negative ones in `other`.
    """
    low, high = _columns(ticks, width)
    known = np.minimum(high, len(actions)) > low
    low, high = np.minimum(low, len(actions)), np.minimum(high, len(actions))
    count = np.maximum(1, high - low)

    def mean(values: npt.NDArray[np.number | np.bool]) -> _Shares:
        sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
        shares: _Shares = (sums[high] - sums[low]) / count
        return shares

    if actions.ndim == 2:
        means = [np.where(known, mean(actions[:, column]), 0.0) for column in range(actions.shape[1])]
        pushes = np.stack([np.clip(row, 0, 1) for row in means])
        pulls = np.stack([np.clip(-row, 0, 1) for row in means])
        return _image([(pushes, colour), (pulls, other)])
    serve = frame.serve_action
    order = {name: index for index, name in enumerate(frame.action_names)}
    ways = sorted(set(frame.keycaps) - {serve}, key=lambda way: order.get(way, len(order)))
    held = np.stack([_visible(mean(np.isin(actions, frame.holding(way)))) for way in ways])
    served = mean(np.isin(actions, frame.holding(serve))) > 0
    return _image([(held, colour), (np.broadcast_to(served, held.shape).astype(float), other)])


def apart_strip(weights: _Shares, ticks: int, width: int, colour: QColor) -> QImage:
    """Weights (T,), 0 where two agree and up to 1 where they differ most, on a line of `ticks` ticks."""
    low, high = (np.minimum(edge, len(weights)) for edge in _columns(ticks, width))
    sums = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])
    return _image([(_visible((sums[high] - sums[low]) / np.maximum(1, high - low))[None], colour)])


def _columns(ticks: int, width: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first tick of each column, and the one after its last."""
    edges = np.linspace(0, ticks, width + 1)
    low = np.floor(edges[:-1]).astype(np.int64)
    return low, np.maximum(low + 1, np.ceil(edges[1:]).astype(np.int64))


def _visible(share: _Shares) -> _Shares:
    return np.where(share > 0, _FAINTEST + (1 - _FAINTEST) * share, 0.0)


def _image(layers: list[tuple[_Shares, QColor]]) -> QImage:
    """Layers of opacity (rows, width) from 0 to 1, each over those before it."""
    pixels = np.zeros((*layers[0][0].shape, 4), np.uint8)
    for opacity, colour in layers:
        pixels[opacity > 0, :3] = (colour.blue(), colour.green(), colour.red())
        pixels[..., 3] = np.where(opacity > 0, np.round(255 * opacity), pixels[..., 3])
    height, width = pixels.shape[:2]
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32).copy()
