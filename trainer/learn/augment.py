"""Data augmentation: mirrored screens, and screens shifted by a few pixels.

    residuals int8 (B, C, H, W), labels (B, L)  ──mirror──▶  ──shift──▶  the same shapes, and which are mirrored

It works on bytes, before they become floats: a quarter of the memory traffic.
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
    """How each of B samples is augmented; `reach` is the largest shift in pixels.

    `hidden`, bool (B,): whether the player's past is hidden (see ScreenNet.residuals). `mirrored`, bool (B,): whether
    the sample is mirrored. `corners`, int64 (B, 2): top left corner (row, column) of the crop, out of the screen padded
    by `reach` pixels.
    """

    hidden: npt.NDArray[np.bool_]
    mirrored: npt.NDArray[np.bool_]
    corners: npt.NDArray[np.int64]
    reach: int

    @classmethod
    def draw(cls, rng: np.random.Generator, count: int, config: TrainConfig, mirror: bool) -> Views:
        """Random views of a whole batch; samples are mirrored only with `mirror`: actions must have mirror images."""
        hidden = rng.random(count) < config.hidden_share
        mirrored = np.zeros(count, bool)
        if mirror and config.mirror:
            mirrored = rng.random(count) < config.mirror
        corners = rng.integers(0, 2 * config.shift + 1, (count, 2))
        return cls(hidden, mirrored, corners, config.shift)

    def of(self, places: npt.NDArray[np.int64]) -> Views:
        """The views of some of the samples."""
        return Views(self.hidden[places], self.mirrored[places], self.corners[places], self.reach)


def augment(
    residuals: Tensor, labels: Tensor, views: Views, mirror_actions: Sequence[int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Mirror and shift screens int8 (B, C, H, W) whose background is zero, and their labels int64 (B, …).

    Each sample is mirrored (with its actions) and shifted as in `views`; new pixels are background. The last result is
    int64 (B,), 1 for mirrored samples.
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
