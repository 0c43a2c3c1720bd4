"""More views of the same play: mirrored fields, and pictures moved by a few pixels.

    residuals int8 (B, C, H, W), labels (B, L)  ──mirror──▶  ──shift──▶  the same shapes, and which are mirrored

It works on bytes, before they become floats, which is a quarter of the memory to move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from trainer.config import TrainConfig


@dataclass(frozen=True)
class Views:
    """How each of B samples is seen; `reach` is the largest shift in pixels.

    `hidden`, bool (B,): without its player's past (see ScreenNet.residuals). `mirrored`, bool (B,): in the mirror.
    `corners`, int64 (B, 2): where the picture is cut out of itself with a rim of `reach` pixels, row first.
    """

    hidden: npt.NDArray[np.bool_]
    mirrored: npt.NDArray[np.bool_]
    corners: npt.NDArray[np.int64]
    reach: int

    @classmethod
    def draw(cls, rng: np.random.Generator, count: int, config: TrainConfig, mirror: bool) -> Views:
        """Views of a whole batch; only where actions have mirrored ones, `mirror`, is any sample mirrored."""
        hidden = rng.random(count) < config.hidden_share
        mirrored = np.zeros(count, bool)
        if mirror and config.mirror:
            mirrored = rng.random(count) < config.mirror
        corners = rng.integers(0, 2 * config.shift + 1, (count, 2))
        return cls(hidden, mirrored, corners, config.shift)

    def of(self, places: npt.NDArray[np.int64]) -> Views:
        """Those of some of the samples."""
        return Views(self.hidden[places], self.mirrored[places], self.corners[places], self.reach)


def augment(
    residuals: Tensor, labels: Tensor, views: Views, mirror_actions: Sequence[int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Mirror and shift screens int8 (B, C, H, W) whose background is zero; labels int64 (B, …) follow.

    Each sample is mirrored, its actions with it, and shifted as `views` has it; what moves in is background. The last
    result is int64 (B,), 1 for those that are mirrored.
    """
    height, width = residuals.shape[2:]
    mirrored = torch.from_numpy(views.mirrored).to(labels.device)
    if mirror_actions:
        swapped = torch.tensor(mirror_actions, device=labels.device)[labels]
        labels = torch.where(mirrored.view(-1, *[1] * (labels.dim() - 1)), swapped, labels)
    reach = views.reach
    padded = nn.functional.pad(residuals, (reach, reach, reach, reach))
    moved = torch.empty_like(residuals)
    for index, ((y, x), flip) in enumerate(zip(views.corners.tolist(), views.mirrored.tolist(), strict=True)):
        view = padded[index, :, y : y + height, x : x + width]
        moved[index] = view.flip(2) if flip else view
    return moved, labels, mirrored.long()
