"""Choosing by play: which weights, and in which manner, score most in real games.

    entrants ─▶ short games ─▶ the best few ─▶ longer games ─▶ the best two ─▶ long games ─▶ the winner

Validation loss does not tell who plays best, and games are dear, so the entrants are thinned out in rounds (successive
halving, Karnin et al. 2013). Within a round all meet the same starts, which are not those of any evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recorder.envs import EnvSpec
from trainer.config import TrainConfig
from trainer.evaluation import evaluation_seed, play_together
from trainer.policy import Manner, Policy

_TRIAL = 7_919  # keeps the starts of trial games apart from those of evaluations
# The likeliest action alone can fall into loops in a deterministic game, and what a demonstrator does at random
# is not worth imitating: which sharpness suits depends on the demonstrator.
_TEMPERATURES = (0.5, 0.25, 0.1, 0.0)
_FEW_TEMPERATURES = (0.5, 0.1)


@dataclass(frozen=True)
class Round:
    """Each entrant plays `games` games of at most `ticks` ticks; the best `keep` go on."""

    games: int
    ticks: int
    keep: int


@dataclass(frozen=True)
class Standing:
    """An entrant's index, and its mean score in the last round that it played."""

    entrant: int
    score: float


def manners(
    spec: EnvSpec, config: TrainConfig, outputs: Sequence[int], kept: tuple[int, ...], *, few: bool = False
) -> list[Manner]:
    """Every manner (or a few of them) that a clone may play in; `outputs` are those, one per label shift, that may."""
    temperatures = (_FEW_TEMPERATURES if few else _TEMPERATURES) if spec.discrete else (1.0,)
    pasts = config.pasts if spec.has_screen else (True,)
    return [Manner(t, kept, output, past) for output in outputs for past in pasts for t in temperatures]


def check_rounds(config: TrainConfig) -> list[Round]:
    """A look in passing while training goes on."""
    return [Round(max(1, config.play_games // 2), max(60, config.play_ticks // 3), 1)]


def final_rounds(config: TrainConfig) -> list[Round]:
    """The choice at the end."""
    games, ticks = config.play_games, config.play_ticks
    return [
        Round(max(1, games // 3), max(60, ticks // 5), 4),
        Round(max(1, games // 2), max(60, ticks // 2), 2),
        Round(games, ticks, 1),
    ]


def contest(entrants: Sequence[Policy], rounds: Sequence[Round], seed: int) -> Iterator[list[Standing] | None]:
    """Let players meet; yields None now and then, so that the caller can show that it lives, and the standings last.

    The standings are sorted, the winner first; those who left early come after those who stayed.
    """
    left = list(range(len(entrants)))
    standings: list[Standing] = []
    game = 0
    for number, contest_round in enumerate(rounds):
        if number and len(left) == 1:
            break
        seeds = [evaluation_seed(_TRIAL + seed, game + k) for k in range(contest_round.games)]
        game += contest_round.games
        seats = [(entrant, start) for entrant in left for start in seeds]
        players = [entrants[entrant].fork(start) for entrant, start in seats]
        for results in play_together(players, [start for _, start in seats], max_ticks=contest_round.ticks):
            if results is None:
                yield None
                continue
            scores = np.array([result.score for result in results]).reshape(len(left), -1).mean(axis=1)
            ranked = sorted((Standing(e, float(s)) for e, s in zip(left, scores, strict=True)), key=lambda s: -s.score)
        standings = ranked + [standing for standing in standings if standing.entrant not in left]
        left = [standing.entrant for standing in ranked[: contest_round.keep]]
    yield standings
