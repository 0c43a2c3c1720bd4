"""What a network looks at: how much each pixel of the newest screen speaks for an action.

    S = (x - x0) * mean over a in (0, 1) of  d logit / d x  at  x0 + a (x - x0)        x0: the mean screen

Integrated gradients (Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks"): the sum over all
pixels is the difference between the logit at the present screen and at one on which nothing stands out. A plain
gradient (Simonyan et al. 2014) also lights up where nothing is; occluding patch by patch (Greydanus et al. 2018,
"Visualizing and understanding Atari agents") takes hundreds of passes a screen, which is too slow to play beside.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainer.policy.keypoints import KeypointNet
from trainer.policy.networks import ScreenNet

STEPS = 8  # of the integral: within a few percent of 64 of them, in a sixth of the time
_BLUR = 1.2  # pixels of the network's input; a ball is two of them


def attribute(net: ScreenNet, prepared: Tensor, output: int, action: int) -> Tensor:
    """Prepared screens (1, history, size, size) to what each pixel of the newest adds to the logit: (size, size)."""
    newest, older = prepared[:, :1], prepared[:, 1:]
    path = (_steps(prepared)[:, None, None, None] * newest).requires_grad_()
    logits = net(torch.cat([path, older.expand(STEPS, -1, -1, -1)], dim=1))[:, output, action]
    (slopes,) = torch.autograd.grad(logits.sum(), path)
    return (slopes.mean(dim=0) * newest[0])[0]


def attribute_by_places(
    net: KeypointNet, screen: Tensor, positions: Tensor, hidden: Tensor, output: int, action: int
) -> Tensor:
    """The newest screen, with the one before it, uint8 (2, size, size), and the positions (1, history, n) of which the
    first are those on it, to what each pixel adds to the logit by way of its positions: (size, size).
    """
    scaled = net.locator.scaled(screen[None])
    path = (_steps(scaled)[:, None, None, None] * scaled).requires_grad_()
    older = positions[:, 1:].expand(STEPS, -1, -1)
    prepared = net.prepare(torch.cat([net.locator(path)[:, None], older], dim=1), hidden.expand(STEPS))
    (slopes,) = torch.autograd.grad(net(prepared)[:, output, action].sum(), path)
    return (slopes.mean(dim=0) * scaled[0]).sum(dim=0)


def _steps(like: Tensor) -> Tensor:
    return (torch.arange(STEPS, device=like.device) + 0.5) / STEPS


def heat(attribution: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What is added, for or against, as a picture of 0 to 1 of the same shape, smoothed."""
    smooth = cv2.GaussianBlur(np.abs(attribution), (0, 0), _BLUR)
    return np.asarray(smooth / max(float(smooth.max()), 1e-12), np.float32)
