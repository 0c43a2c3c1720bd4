"""Whether two players play alike: how their hands move, and whether a classifier can tell them apart.

    games of one, games of the other ─▶ habits, side by side, with the demonstrator's own halves for comparison
                                     ─▶ clips of two seconds ─▶ features ─▶ linear discriminant ─▶ share told apart

The classifier is Fisher's linear discriminant (Fisher 1936) on summary features of clips, with shrinkage towards equal
variances (Friedman 1989). It is tested on held-out games, in five folds, and both players have the same weight: 0.5 is
chance. The same is done with the two halves of the demonstrator's games: nobody can be more alike to a player than the
player itself. Only actions are compared, so the result means the same in any environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.envs.spec import EnvSpec

Actions = npt.NDArray[Any]  # of a game: int (n,), or float (n, m)
Features = npt.NDArray[np.float64]

_CLIP_S = 2.0
_FOLDS = 5
_SHRINKAGE = 0.1
_LEAST_CLIPS = 10  # of each player; fewer are too few to compare
_LONG_S = 0.5  # without a change of action: counts as a wait
_HOLDS = (1, 2, 4, 8, 16)  # ticks: features count holds of at least this length


@dataclass(frozen=True)
class Habit:
    """One measurement of the clone and of its demonstrator, whose own halves differ by `spread`."""

    name: str
    clone: float
    demonstrator: float
    spread: float


@dataclass(frozen=True)
class Likeness:
    """`classifier`: the share of clips told apart; 0.5 is chance. `itself`: the same for the demonstrator's two halves.
    `habits`: how the hands move.
    """

    classifier: float
    itself: float
    habits: tuple[Habit, ...]

    @property
    def sentence(self) -> str:
        """The two shares as a sentence."""
        return (
            f"A classifier recognises whether the policy or the demonstrator plays in {100 * self.classifier:.0f} % of "
            f"clips of {_CLIP_S:g} seconds (chance: 50 %; two halves of the demonstrator's play: "
            f"{100 * self.itself:.0f} %)."
        )

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, clone: Sequence[Actions], demonstrator: Sequence[Actions], spec: EnvSpec) -> Likeness | None:
        """Compare games of each; None if there is too little play to tell."""
        halves = demonstrator[::2], demonstrator[1::2]
        clips = [_clips(games, spec) for games in (clone, demonstrator, *halves)]
        if min(sum(map(len, each)) for each in clips) < _LEAST_CLIPS or min(map(len, clips)) < 2:
            return None
        figures = [_habits(games, spec) for games in (clone, demonstrator, *halves)]
        habits = tuple(
            Habit(name, mine, figures[1][name], abs(figures[2][name] - figures[3][name]))
            for name, mine in figures[0].items()
        )
        return cls(told_apart(clips[0], clips[1]), told_apart(clips[2], clips[3]), habits)


def told_apart(one: Sequence[Features], other: Sequence[Features]) -> float:
    """The share of clips assigned to the right player; games are float64 (clips, features)."""
    right: tuple[list[float], list[float]] = ([], [])
    for fold in range(_FOLDS):
        fitted = [np.concatenate(_without(games, fold)) for games in (one, other)]
        tested = [np.concatenate([*games[fold::_FOLDS], np.empty((0, games[0].shape[1]))]) for games in (one, other)]
        if not all(map(len, fitted)):
            continue
        weights, threshold = _discriminant(*fitted)
        for side, clips in enumerate(tested):
            right[side].extend(((clips @ weights > threshold) == bool(side)).astype(float).tolist())
    shares = [float(np.mean(each)) for each in right if each]
    return float(np.mean(shares)) if shares else 0.5


def _without(games: Sequence[Features], fold: int) -> list[Features]:
    return [game for index, game in enumerate(games) if index % _FOLDS != fold] or [games[0][:0]]


def _discriminant(one: Features, other: Features) -> tuple[Features, float]:
    """Weights and threshold: a clip above the threshold is assigned to `other`."""
    both = np.concatenate([one, other])
    scale = both.std(axis=0)
    scale[scale < 1e-9] = 1.0
    means = one.mean(axis=0) / scale, other.mean(axis=0) / scale
    spread = (_covariance(one / scale) + _covariance(other / scale)) / 2
    spread = (1 - _SHRINKAGE) * spread + _SHRINKAGE * np.eye(len(spread)) * max(np.trace(spread) / len(spread), 1e-6)
    weights = np.linalg.solve(spread, means[1] - means[0])
    return weights / scale, float(weights @ (means[0] + means[1]) / 2)


def _covariance(clips: Features) -> Features:
    centred = clips - clips.mean(axis=0)
    return np.asarray(centred.T @ centred / len(clips))


def _clips(games: Sequence[Actions], spec: EnvSpec) -> list[Features]:
    """The features of whole clips, float64 (clips, features), of each game that has one."""
    length = round(_CLIP_S * spec.rate_hz)
    found = []
    for actions in games:
        clips = [actions[first : first + length] for first in range(0, len(actions) - length + 1, length)]
        if clips:
            found.append(np.stack([_features(clip, spec) for clip in clips]))
    return found


def _features(clip: Actions, spec: EnvSpec) -> Features:
    if not spec.discrete:
        steps = np.abs(np.diff(clip, axis=0))
        return np.concatenate([clip.mean(axis=0), clip.std(axis=0), steps.mean(axis=0), steps.max(axis=0)])
    count = len(spec.action_names)
    shares = np.bincount(clip, minlength=count) / len(clip)
    holds = _holds(clip)
    longer = np.array([(holds[:, 1] >= ticks).mean() for ticks in _HOLDS[1:]])
    changes = np.zeros((count, count))
    np.add.at(changes, (holds[:-1, 0], holds[1:, 0]), 1)
    return np.concatenate([shares, longer, [len(holds), holds[:, 1].max()], changes.flatten()])


def _holds(actions: Actions) -> npt.NDArray[np.int64]:
    """Each run of the same action, and its length in ticks: int64 (n, 2)."""
    edges = np.flatnonzero(np.diff(actions)) + 1
    starts = np.concatenate([[0], edges])
    return np.stack([actions[starts].astype(np.int64), np.diff(np.concatenate([starts, [len(actions)]]))], axis=1)


def _habits(games: Sequence[Actions], spec: EnvSpec) -> dict[str, float]:
    """How the hands move, by name of the measurement."""
    ticks = sum(map(len, games))
    if not spec.discrete:
        whole = np.concatenate(games)
        steps = np.concatenate([np.abs(np.diff(game, axis=0)) for game in games])
        figures = {f"{name}, mean": float(whole[:, k].mean()) for k, name in enumerate(spec.action_names)}
        figures |= {f"{name}, standard deviation": float(whole[:, k].std()) for k, name in enumerate(spec.action_names)}
        return figures | {
            f"{name}, change per tick": float(steps[:, k].mean()) for k, name in enumerate(spec.action_names)
        }
    holds = np.concatenate([_holds(game) for game in games])
    idle = holds[:, 0] == 0
    pressed = holds[~idle][:, 1] if (~idle).any() else np.zeros(1)
    waits = holds[idle & (holds[:, 1] >= _LONG_S * spec.rate_hz)][:, 1].sum()
    whole = np.concatenate(games)
    straight = np.concatenate([_straight_changes(game) for game in games])
    return {
        "presses per second": float((~idle).sum() / ticks * spec.rate_hz),
        "press duration, median (ms)": float(np.median(pressed) / spec.rate_hz * 1_000),
        "press duration, 90th percentile (ms)": float(np.percentile(pressed, 90) / spec.rate_hz * 1_000),
        "idle for half a second or longer (% of the time)": float(100 * waits / ticks),
        "directly from one key to another (% of changes)": float(100 * straight.mean()) if len(straight) else 0.0,
        **{f"{name} (% of the time)": float(100 * (whole == k).mean()) for k, name in enumerate(spec.action_names)},
    }


def _straight_changes(actions: Actions) -> npt.NDArray[np.bool_]:
    """For each change of action, whether neither the old nor the new one is idle."""
    changes = np.flatnonzero(np.diff(actions))
    return np.asarray((actions[changes] != 0) & (actions[changes + 1] != 0), bool)
