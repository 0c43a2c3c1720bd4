"""Where the demonstrator would be, and which action leads there.

    positions of everything else, now and some ticks ago ─▶ 256 ─▶ 256 ─▶ the own positions 2, 4, 8 and 16 ticks later
    the own positions, the last and the next actions ─▶ a linear model ─▶ the own positions 2, 4, 8 and 16 ticks later

A clone that predicts actions copies its demonstrator's slips: late keys, overshooting, moving to and fro. Where the
demonstrator's paddle is at last is much more exact than each of the keys that took it there. So `Steering` predicts
where it would be, and of a few plans (an action held for some ticks, then none) it takes the one that comes closest to
that. The prediction never sees the player's own positions. So it cannot learn to continue its own movement (de Haan et
al. 2019, "Causal confusion in imitation learning"), and a clone that is elsewhere than its demonstrator ever was still
knows where to go.

The linear model knows the last actions because what they set in motion is not yet seen: in Breakout, the paddle glides
on after a key is released. From positions alone it is off by 2 to 3 pixels, and a clone that plans with it goes too far
and back, again and again.

Learning what happens from states and finding the actions with a model of one's own body is due to Torabi et al. (2018,
"Behavioral cloning from observation"); trying out plans with a model in every tick is model predictive control (Camacho
and Bordons 2007).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from trainer.policy.hand import IDLE
from trainer.policy.perceptron import perceptron

_BETA = 0.05  # standard deviations: smaller errors count squared, so in effect the median is learned
_RIDGE = 1e-3  # of the linear model, for each sample
_SHORTEST = (1, 2, 3, 4, 6)  # ticks for which plans hold an action, besides the `ticks` below
STRAIGHT = 0  # the index of the plan that holds nothing


class Steering(nn.Module):
    """Predicts own positions `ticks` later, float32 (B, ticks, n), from positions float32 (B, history, n).

    `own`, bool (n,), marks the player's own. `fit` must be called before `distances`. The linear model knows the
    actions of the last `before` ticks.
    """

    motion: Tensor
    least: Tensor
    most: Tensor
    plans: Tensor
    pushed: Tensor

    def __init__(
        self,
        ages: int,
        positions: int,
        widths: tuple[int, ...],
        actions: int,
        dropout: float,
        ticks: tuple[int, ...],
        before: int,
    ) -> None:
        super().__init__()
        self.ticks = ticks
        self._actions = actions
        self.body = perceptron(ages * positions, widths, len(ticks) * positions, dropout)
        self.register_buffer("motion", torch.zeros(positions, len(ticks), ages + (before + ticks[-1]) * actions))
        self.register_buffer("least", torch.zeros(positions))
        self.register_buffer("most", torch.zeros(positions))
        plans = _plans(actions, ticks)
        self.register_buffer("plans", _marked(plans, actions), persistent=False)
        self._begin = np.searchsorted(plans[:, 0].numpy(), range(actions))  # the first plan of each action
        # How far each plan moves the player: (n, plans, ticks). It follows from `motion`.
        self.register_buffer("pushed", torch.zeros(positions, len(plans), len(ticks)), persistent=False)
        self.register_load_state_dict_post_hook(lambda steering, _: steering.push())  # type: ignore[no-untyped-call]
        self._held = (plans != IDLE).sum(dim=1)

    def forward(self, positions: Tensor, own: Tensor) -> Tensor:
        others = torch.where(own, 0.0, positions)
        aims: Tensor = self.body(others.flatten(1))
        return aims.view(len(positions), len(self.ticks), positions.shape[-1])

    def loss(self, positions: Tensor, own: Tensor, later: Tensor) -> Tensor:
        """The loss of each sample (B,); `later`, float32 (B, ticks, n), are the positions that followed."""
        each = nn.functional.smooth_l1_loss(self(positions, own), later, beta=_BETA, reduction="none")
        return (each * own).sum(dim=(1, 2)) / (own.sum().clamp(min=1) * len(self.ticks))

    def fit(self, positions: Tensor, later: Tensor, actions: Tensor, before: Tensor) -> None:
        """Learn how actions move the own positions, by least squares.

        `positions` (B, history, n) were followed by `later` (B, ticks, n), while `actions` int64 (B, L) were taken, for
        at least the longest of `ticks`, after the actions `before`, int64 (B, before).
        """
        done = _marked(torch.cat([before, actions[:, : self.ticks[-1]]], dim=1), self._actions)
        self.least.copy_(positions[:, 0].amin(dim=0))
        self.most.copy_(positions[:, 0].amax(dim=0))
        for column in range(positions.shape[-1]):
            known = torch.cat([_movement(positions[..., column]), done], dim=1).double()
            moved = (later[..., column] - positions[:, :1, column]).double()
            # At the ends of its way the player's own figure is held up: nothing is learned there of what actions do.
            inside = (later[..., column] > self.least[column]) & (later[..., column] < self.most[column])
            free = inside.all(dim=1)
            known, moved = known[free], moved[free]
            ridge = torch.eye(known.shape[1], dtype=known.dtype, device=known.device) * _RIDGE * max(1, len(known))
            square = known.T @ known + ridge
            self.motion[column].copy_(torch.linalg.solve(square, known.T @ moved).T)
        self.push()

    def push(self) -> None:
        """Compute how far each plan moves the player."""
        by_plan = self.motion[:, :, -self.plans.shape[1] :]
        self.pushed.copy_((by_plan @ self.plans.T).transpose(1, 2))

    def sidesteps(self, most: int) -> list[int]:
        """The plans that hold an action for at most so many ticks: their indices."""
        return torch.nonzero((self._held > 0) & (self._held <= most))[:, 0].tolist()

    def distances(
        self,
        positions: Tensor,
        own: Tensor,
        aims: Sequence[int],
        before: Sequence[Sequence[int]],
        beside: Sequence[int],
    ) -> npt.NDArray[np.float32]:
        """How far each action leads from where the demonstrator is predicted to be in `aims` ticks (one of `ticks` for
        each of the B), after the actions `before` (those of each of the B).

        (B, actions), in standard deviations, added over the own positions. An action leads as far as the best plan that
        begins with it, on average over all of `ticks`. `beside` are plans, one for each of the B: the aim is moved by
        as much as its plan would move the player, or not at all with STRAIGHT.
        """
        # So few numbers are computed several times as fast by NumPy as by torch.
        columns = np.flatnonzero(own.cpu().numpy())
        motion, pushed, least, most = (
            part.cpu().numpy()[columns] for part in (self.motion, self.pushed, self.least, self.most)
        )
        later = self(positions, own).detach().cpu().numpy()[:, :, columns]
        wanted = later[np.arange(len(later)), [self.ticks.index(aim) for aim in aims]].T  # (own, B)
        wanted = wanted + pushed[:, list(beside), -1] - pushed[:, STRAIGHT, -1:]
        seen = positions.cpu().numpy()[:, :, columns].transpose(2, 0, 1)  # (own, B, history)
        ages = seen.shape[2]
        drift = (seen[..., :-1] - seen[..., 1:]) @ motion[:, :, : ages - 1].transpose(0, 2, 1)  # (own, B, ticks)
        drift += motion[:, None, :, ages - 1]
        for back, action in enumerate(zip(*before, strict=True)):
            drift += motion[:, :, ages + back * self._actions + np.array(action)].transpose(0, 2, 1)
        reached = (seen[..., :1] + drift)[:, :, None] + pushed[:, None]  # (own, B, plans, ticks)
        limits = least[:, None, None, None], most[:, None, None, None]
        reached = np.minimum(np.maximum(reached, limits[0]), limits[1])
        wanted = np.minimum(np.maximum(wanted[..., None, None], limits[0]), limits[1])
        missed = np.abs(reached - wanted).sum(axis=0).mean(axis=-1)  # (B, plans)
        return np.asarray(np.minimum.reduceat(missed, self._begin, axis=1), np.float32)


def _plans(actions: int, ticks: tuple[int, ...]) -> Tensor:
    """No action, then each action in turn, held for some ticks and then none: int64 (plans, the longest of `ticks`)."""
    length = ticks[-1]
    held = sorted({each for each in (*_SHORTEST, *ticks) if each <= length})
    found = [torch.full((length,), IDLE)]
    for action in range(actions):
        for stop in held if action != IDLE else ():
            plan = torch.full((length,), IDLE)
            plan[:stop] = action
            found.append(plan)
    return torch.stack(found)


def _marked(actions: Tensor, count: int) -> Tensor:
    """Actions int64 (B, L) as zeros and ones, float32 (B, L * count)."""
    return nn.functional.one_hot(actions, count).float().flatten(1)


def _movement(positions: Tensor) -> Tensor:
    """How positions (B, history, …) moved from age to age, newest first, and a one: (B, history, …)."""
    return torch.cat([positions[:, :-1] - positions[:, 1:], torch.ones_like(positions[:, :1])], dim=1)
