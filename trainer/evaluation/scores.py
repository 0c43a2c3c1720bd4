"""The results of many games: records and intervals of an evaluation. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.evaluation.likeness import Likeness

_BOOTSTRAPS = 10_000
_LOST_BEFOREHAND = 0.2  # games: in effect one of five lives, without which a few games without a loss would promise all


@dataclass(frozen=True)
class GameResult:
    """One game: `score` is its undiscounted return; `trace` is different for distinct games. `actions` are those taken,
    a row for each tick, if known. `played_out` is 1 if the game is over, else the share of its lives that are lost.
    """

    score: float
    ticks: int
    outcome: str
    trace: str
    actions: npt.NDArray[Any] | None = None
    played_out: float = 1.0


def in_order(results: Mapping[int, GameResult]) -> list[GameResult]:
    """Games that ended in any order, by their number."""
    return [results[number] for number in sorted(results)]


class PlayedGames:
    """What test games, at least one, say about who `played` them."""

    played: Sequence[GameResult]

    @property
    def score(self) -> float:
        """The mean score of these games."""
        return float(np.mean([game.score for game in self.played]))

    @property
    def whole(self) -> float:
        """The score that whole games would have, by which players are compared: see whole_game_score."""
        return whole_game_score(self.played)


@dataclass(frozen=True)
class Score:
    """One player's games. `mean` and the 95 % interval `low` to `high` are over distinct games."""

    player: str
    label: str
    returns: tuple[float, ...]
    ticks: tuple[int, ...]
    outcomes: tuple[str, ...]
    distinct: int
    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, player: str, label: str, games: Sequence[GameResult]) -> Score:
        """The score of some games, at least one."""
        distinct = {game.trace: game.score for game in games}
        mean, low, high = bootstrap(list(distinct.values()))
        return cls(
            player,
            label,
            tuple(game.score for game in games),
            tuple(game.ticks for game in games),
            tuple(game.outcome for game in games),
            len(distinct),
            mean,
            low,
            high,
        )


@dataclass(frozen=True)
class EvalReport:
    """The rows of an evaluation, the clone's first. `ratio` is clone to demonstrator, if both were played.

    `likeness`: how much the clone plays like its demonstrator, if the demonstrator's actions are known. `notes` are
    remarks on the numbers, a sentence each.
    """

    policy: str
    env: str
    episodes: int
    seed: int
    sticky: float
    rows: tuple[Score, ...]
    notes: tuple[str, ...] = ()
    likeness: Likeness | None = None

    @property
    def ratio(self) -> float | None:
        """Mean of the clone over mean of its demonstrator."""
        means = {row.player: row.mean for row in self.rows}
        clone, demonstrator = means.get("clone"), means.get("demonstrator")
        return clone / demonstrator if clone is not None and demonstrator else None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "ratio": self.ratio}


@dataclass(frozen=True)
class EvalProgress:
    """The number of finished games, out of all; the last record has the report.

    `rows` are the scores of the games so far, in the report's order. `left_s` is how long the others will take, and
    `clone_s` how long all games of one clone take, in seconds, once they can be told.
    """

    done: int
    total: int
    report: EvalReport | None = None
    rows: tuple[Score, ...] = ()
    left_s: float | None = None
    clone_s: float | None = None


def bootstrap(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % percentile bootstrap interval (Efron 1979) of at least one value."""
    array = np.asarray(values, np.float64)
    picks = np.random.default_rng(0).integers(0, len(array), (_BOOTSTRAPS, len(array)))
    low, high = np.percentile(array[picks].mean(axis=1), [2.5, 97.5])
    return float(array.mean()), float(low), float(high)


def bootstrap_difference(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the difference of the means of two samples, one minus the other."""
    rng = np.random.default_rng(0)
    means = [
        values[rng.integers(0, len(values), (_BOOTSTRAPS, len(values)))].mean(axis=1)
        for values in (np.asarray(one, np.float64), np.asarray(other, np.float64))
    ]
    low, high = np.percentile(means[0] - means[1], [2.5, 97.5])
    return float(low), float(high)


def whole_game_score(games: Sequence[GameResult]) -> float:
    """The mean score that whole games would have, from games that may have ended early, at least one.

    It is what a life earns, times lives. Good players all have about the same score after a minute or two, and differ
    in how many lives they have left then.
    """
    earned = sum(game.score for game in games)
    played_out = sum(game.played_out for game in games)
    if earned <= 0 or played_out == len(games):
        return earned / len(games)
    return earned / (played_out + _LOST_BEFOREHAND) * (1 + _LOST_BEFOREHAND / len(games))
