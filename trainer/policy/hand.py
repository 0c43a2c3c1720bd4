"""How a demonstrator's hands move: which key comes next, given what is seen, which key is held, and for how long.

    what is seen, the action held, and for how long ─▶ 256 ─▶ 256 ─▶ logits of the next tick's action     Hand
    these logits, what speaks for each action beside them, a Pull ─▶ the action of this tick               Grip

A clone that makes a new decision in every tick taps ten times a second where its demonstrator presses a key three times
and waits. `Hand` predicts the next action given the one that is held, so it holds keys for as long as the demonstrator
does. It is told how long only up to AGES ticks: a network that knew longer durations would learn that whoever has not
moved for a while does not move (de Haan et al. 2019, "Causal confusion in imitation learning"). Alone it moves like the
demonstrator but plays far worse: again and again a key comes a little late. So a `Pull` corrects it.

A clone that steers (trainer.policy.steering) is pulled to where its demonstrator would be, but only beyond a tolerance:
nearby it moves as it is used to. People correct their movements like that, only once the error is large enough (Miall,
Weir and Stein 1993, "Intermittency in human manual tracking tasks"). Other clones are pulled to what the other outputs,
which do not know the held action, find more likely here than elsewhere, as guidance does in generative models (Ho and
Salimans 2022, "Classifier-free diffusion guidance").

A key changes when the accumulated probability of a change reaches a random threshold, as in models of human decisions
(Ratcliff 1978, "A theory of memory retrieval"). With `steady` 1 this equals an independent random draw in every tick;
the larger `steady` is, the less is left to chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recorder.system.records import check, said
from trainer.policy.perceptron import perceptron

AGES = 8  # ticks that an action is known to have been held; longer is the same
IDLE = 0  # the action of somebody who holds no key
_RAREST = 1e-2  # dividing by less would make an action that was hardly ever taken the likeliest
_NEVER = -1e9
_LEAST = 1e-300


class Pull(msgspec.Struct, frozen=True):
    """How much counts beside habit: how far each action leads from the aim, or without an aim what is seen.

    Raises ValueError for values that cannot be meant.
    """

    press: Annotated[
        float,
        said("weight of what is seen, or with an `aim` of the distance from it, while no key is held", ge=0, le=100),
    ] = 3.0
    release: Annotated[float, said("the same while one is held", ge=0, le=100)] = 0.5
    patience: Annotated[float, said("against a change while no key is held, in nats", ge=0, le=100)] = 1.0
    steady: Annotated[int, said("the larger, the less is left to chance", ge=1, le=1_000)] = 1
    tolerance: Annotated[
        float, said("how far from its `aim` nothing pulls, in standard deviations", ge=0, le=100, absent="0.0")
    ] = 0.0

    def __post_init__(self) -> None:
        check(self)


class Hand(nn.Module):
    """Logits (B, actions) of the next action, from what is seen, float32 (B, n), and what is held, int64 (B, 2): an
    action and the number of ticks. `follows`, bool (actions, actions): which action ever directly followed which.
    """

    follows: Tensor

    def __init__(self, seen: int, widths: tuple[int, ...], actions: int, dropout: float) -> None:
        super().__init__()
        self._actions = actions
        self.body = perceptron(seen + actions + actions * AGES, widths, actions, dropout)
        self.register_buffer("follows", torch.ones(actions, actions, dtype=torch.bool))

    def forward(self, seen: Tensor, held: Tensor) -> Tensor:
        action, age = held[:, 0], held[:, 1].clamp(1, AGES) - 1
        of_action = nn.functional.one_hot(action, self._actions)
        of_both = nn.functional.one_hot(action * AGES + age, self._actions * AGES)
        logits: Tensor = self.body(torch.cat([seen, of_action.float(), of_both.float()], dim=1))
        return logits


class Grip:
    """The action that one player holds; call `take` in every tick. The caller provides the random generator."""

    def __init__(self, pull: Pull, follows: npt.NDArray[np.bool_]) -> None:
        self.held = self._before = (IDLE, 1)
        self._pull = pull
        others = follows & ~np.eye(len(follows), dtype=bool)
        # An action may always be held on. One that nothing ever followed (a recording ended there) may be left for any.
        self._follows = np.eye(len(follows), dtype=bool) | np.where(others.any(axis=1, keepdims=True), others, True)
        self._passed = 0.0
        self._due: float | None = None

    def probabilities(
        self, habit: npt.NDArray[np.float32], reasons: npt.NDArray[np.float64], kept: Sequence[int] = ()
    ) -> npt.NDArray[np.float64]:
        """The probability of each action in this tick, from the hand's logits and what speaks for each action beside
        them (`seen_here`, `near_aim`): all (actions,). Actions that are `kept` are as likely as by habit.
        """
        action = self.held[0]
        weight = self._pull.press if action == IDLE else self._pull.release
        logits = _log_softmax(habit) + weight * reasons
        if action == IDLE:
            logits[np.arange(len(logits)) != IDLE] -= self._pull.patience
        logits[~self._follows[action]] = _NEVER
        likely = np.exp(_log_softmax(logits))
        if kept:
            by_habit = np.where(self._follows[action], np.exp(_log_softmax(habit)), 0.0)[list(kept)]
            likely[list(kept)] = 0.0
            likely *= (1.0 - by_habit.sum()) / max(likely.sum(), _LEAST)
            likely[list(kept)] = by_habit
            likely /= likely.sum()
        return likely

    def take(self, likely: npt.NDArray[np.float64], rng: np.random.Generator) -> int:
        """The action of this tick."""
        action, age = self._before = self.held
        if self._due is None:
            self._due = rng.gamma(self._pull.steady) / self._pull.steady
        self._passed -= math.log(max(likely[action], 1e-12))
        if self._passed < self._due:
            self.held = action, age + 1
            return action
        others = likely.copy()
        others[action] = 0.0
        if others.sum() <= 0:
            self.held = action, age + 1
            return action
        drawn = int(np.searchsorted(np.cumsum(others / others.sum()), rng.random()))
        self.held, self._passed, self._due = (min(drawn, len(likely) - 1), 1), 0.0, None
        return self.held[0]

    def played(self, action: int) -> None:
        """In place of what `take` returned last, this action was played."""
        if action != self.held[0]:
            held, age = self._before
            self.held, self._passed, self._due = (action, age + 1 if action == held else 1), 0.0, None


def seen_here(seen: npt.NDArray[np.float32], shares: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """How much likelier each action is here than elsewhere, in nats, from logits and the demonstrator's shares."""
    return _log_softmax(_log_softmax(seen) - np.log(np.maximum(np.array(shares), _RAREST)))


def near_aim(distances: npt.NDArray[np.float32], tolerance: float) -> npt.NDArray[np.float64]:
    """How near each action leads to the aim, at most 0, in standard deviations beyond the tolerance."""
    return np.asarray(-np.maximum(distances - tolerance, 0.0), np.float64)


def _log_softmax(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), np.float64)
