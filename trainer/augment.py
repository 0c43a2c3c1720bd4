"""More views of the same play: mirrored fields, and pictures moved by a few pixels.

    residuals int8 (B, C, H, W), labels (B, K)  ──mirror──▶  ──shift──▶  the same shapes, and which are mirrored

It works on bytes, before they become floats, which is a quarter of the memory to move.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from trainer.config import TrainConfig


def augment(
    residuals: Tensor, labels: Tensor, config: TrainConfig, mirror_actions: Sequence[int], rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Mirror and shift screens int8 (B, C, H, W) whose background is zero; labels int64 (B, K) follow.

    Each sample is mirrored, its actions with it, with probability `config.mirror`, and shifted by up to `config.shift`
    pixels either way; what moves in is background. The last result is int64 (B,), 1 for those that are mirrored.
    """
    count, _, height, width = residuals.shape
    mirrored = np.zeros(count, bool)
    if mirror_actions and config.mirror:
        mirrored = rng.random(count) < config.mirror
        swapped = torch.tensor(mirror_actions, device=labels.device)[labels]
        labels = torch.where(torch.from_numpy(mirrored).to(labels.device)[:, None], swapped, labels)
    reach = config.shift
    padded = nn.functional.pad(residuals, (reach, reach, reach, reach))
    corners = rng.integers(0, 2 * reach + 1, (count, 2)).tolist()
    moved = torch.empty_like(residuals)
    for index, ((y, x), flip) in enumerate(zip(corners, mirrored.tolist(), strict=True)):
        view = padded[index, :, y : y + height, x : x + width]
        moved[index] = view.flip(2) if flip else view
    return moved, labels, torch.from_numpy(mirrored.astype(np.int64)).to(labels.device)
