"""From an Agent's observation to a network's input: the same object for training and for play.

    RGB (H, W, 3)  ──grey──────┐
                               ├──▶ crop ──▶ area-resize ──▶ halve ──▶ uint8 (rows, columns), 0 to 127
    palette index ──grey LUT───┘

Play sees RGB. Training reads what is stored: RGB, or palette indices. Both give the same bytes, because grey is
computed pixel by pixel and the look-up table applies the same computation to the palette (a test checks this). Seven
bits of grey are enough, and the difference of two such screens fits into a signed byte.

The console draws few things at once. Games that have more show some of them on every other screen: the bombs of Space
Invaders blink. With `pooled` = 2, each pixel is the brighter one of two successive screens, so nothing is missing (Mnih
et al. 2015, "Human-level control through deep reinforcement learning").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from trainer.config import TrainConfig

Screens = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Preprocess:
    """`crop` is (first row, row after the last) of the screen. If `shrink` is 0, the result is a square of `size`
    pixels; otherwise it is smaller than the screen by the factor `shrink`. `pooled` is for `pool`.
    """

    crop: tuple[int, int]
    size: int
    shrink: int = 0
    pooled: int = 1

    @classmethod
    def of(cls, config: TrainConfig) -> Preprocess:
        """The preprocessing of a configuration."""
        return cls(config.crop, config.size, config.shrink, max(1, config.pooled_screens))

    def shape(self, screen: Sequence[int]) -> tuple[int, int]:
        """Rows and columns of the result for a screen of this shape (H, W, …)."""
        if not self.shrink:
            return self.size, self.size
        top, bottom = self.crop
        return (min(bottom, screen[0]) - top) // self.shrink, screen[1] // self.shrink

    def from_rgb(self, screen: Screens) -> Screens:
        """One RGB screen uint8 (H, W, 3) as uint8 (rows, columns), 0 to 127."""
        top, bottom = self.crop
        return self._shrink(cv2.cvtColor(screen[top:bottom], cv2.COLOR_RGB2GRAY))

    def from_stored(self, screens: Screens, palette: Screens | None) -> Screens:
        """Screens as a session stores them as uint8 (n, rows, columns): palette indices uint8 (n, H, W) with their
        palette uint8 (256, 3), or RGB uint8 (n, H, W, 3) without one.
        """
        if palette is None:
            rgb = np.empty((len(screens), *self.shape(screens.shape[1:])), np.uint8)
            for index, screen in enumerate(screens):
                rgb[index] = self.from_rgb(screen)
            return rgb
        table = cv2.cvtColor(palette[None], cv2.COLOR_RGB2GRAY)[0]
        top, bottom = self.crop
        result = np.empty((len(screens), *self.shape(screens.shape[1:])), np.uint8)
        for index, screen in enumerate(screens):
            result[index] = self._shrink(cv2.LUT(np.ascontiguousarray(screen[top:bottom]), table))
        return result

    def pool(self, screens: Screens, before: Screens | None = None) -> Screens:
        """Successive results uint8 (n, rows, columns), each with the brightest pixels of itself and the `pooled` - 1
        before it. `before` are results before the first one; at the start of a game there are none.
        """
        if self.pooled == 1:
            return screens
        whole = screens if before is None else np.concatenate([before[1 - self.pooled :], screens])
        brightest = whole.copy()
        for age in range(1, self.pooled):
            np.maximum(brightest[age:], whole[:-age], out=brightest[age:])
        return brightest[len(whole) - len(screens) :]

    def on_screen(self, picture: npt.NDArray[np.float32], shape: tuple[int, ...]) -> Screens:
        """The inverse, for a map over the result's pixels: from 0 to 1, to uint8 (H, W) = `shape`, 0 to 255."""
        top, bottom = self.crop
        spread = np.zeros(shape, np.uint8)
        size = (shape[1], min(bottom, shape[0]) - top)
        enlarged = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        spread[top : top + size[1]] = np.round(255 * enlarged.clip(0, 1))
        return spread

    def _shrink(self, grey: npt.NDArray[Any]) -> Screens:
        if self.shrink:
            rows, columns = (length // self.shrink for length in grey.shape)
            grey = grey[: rows * self.shrink, : columns * self.shrink]
        else:
            rows = columns = self.size
        shrunk = cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA)
        return np.asarray(np.right_shift(shrunk, 1), np.uint8)
