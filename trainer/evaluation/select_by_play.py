"""Choosing by play: the weights, and the action selection, that score most in test games.

    weights × ways, at one temperature ─▶ games ─▶ the best weights of each of the best two ways
    these × all temperatures ─▶ the same games ─▶ the best two ─▶ more games ─▶ the winner

A way is one label shift and window of the outputs, with the past shown or hidden, or an aim to steer to. Validation
loss does not show who plays best, and games are expensive, so the candidates are reduced in rungs (successive halving,
Karnin et al. 2013). All play from the same starts, which no evaluation uses, and are compared by all games that they
have played so far. Good players all have about the same score after a minute or two, so what counts is what whole games
would bring (trainer.evaluation.scores). How often that finds the best is in docs/breakout-experiments.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recorder.envs.spec import EnvSpec
from trainer.config import TrainConfig
from trainer.evaluation.evaluator import Search
from trainer.evaluation.games import PlannedGame
from trainer.evaluation.scores import GameResult, PlayedGames
from trainer.evaluation.table import evaluation_seed
from trainer.policy.action_selection import ActionSelection

_TRIAL = 7_919  # keeps the starts of test games different from those of evaluations
# Always taking the most likely action can lead to endless loops in a deterministic game, but what a demonstrator does
# at random is not worth imitating. The best temperature depends on the demonstrator.
_TEMPERATURES = (0.5, 0.25, 0.1, 0.0)
_FEW_TEMPERATURES = (0.1,)
_AS_OFTEN_TEMPERATURES = (0.5, 0.1)  # without dividing by the actions' shares
# A clone that steers leaves endless loops, but some chance brings more variety.
_AIM_TEMPERATURES = (0.5, 1.0, 2.0)
_FEW_AIM_TEMPERATURES = (0.5,)
_FINALISTS = 2
_Way = tuple[int, bool, int]


@dataclass(frozen=True)
class Rung:
    """Each candidate has then played `games` games, all from the same starts; the best `keep` go on."""

    games: int
    keep: int


@dataclass(frozen=True)
class Candidate:
    """A policy file, and how its actions are selected."""

    policy: str
    selection: ActionSelection


@dataclass(frozen=True)
class CandidateScore(PlayedGames):
    """A candidate, and all games that it `played`, of at most `ticks` ticks each."""

    candidate: Candidate
    played: Sequence[GameResult]
    ticks: int = 0


def action_selections(
    spec: EnvSpec, config: TrainConfig, kept: tuple[int, ...], prior: tuple[float, ...], *, few: bool = False
) -> list[ActionSelection]:
    """Every action selection (or a few of them) that a clone may use; see ActionSelection for `kept` and `prior`.

    The clones of nearly all demonstrators score more with a prior, so only the finalists are also tried without.
    """
    if not spec.discrete:
        choices: list[tuple[float, tuple[float, ...]]] = [(1.0, ())]
    elif few:
        choices = [(temperature, prior) for temperature in _FEW_TEMPERATURES]
    else:
        choices = [(temperature, prior) for temperature in _TEMPERATURES]
        choices += [(temperature, ()) for temperature in _AS_OFTEN_TEMPERATURES]
    steered = _FEW_AIM_TEMPERATURES if few else _AIM_TEMPERATURES
    aims = [
        ActionSelection(temperature, kept, 0, config.past_choices[-1], (), aim, leaves_loops=True)
        for aim in config.aims
        for temperature in steered
    ]
    past_choices = config.past_choices if spec.sees_screen else (True,)
    outputs = range(config.outputs)
    return [
        ActionSelection(temperature, kept, output, past, shares)
        for output in outputs
        for past in past_choices
        for temperature, shares in choices
    ] + aims


def rungs(config: TrainConfig) -> tuple[Rung, Rung]:
    """The first one, and the one that finds the best of its best."""
    return Rung(-(-config.play_games // 3), 2), Rung(config.play_games, 1)


def most_ticks(config: TrainConfig, few: Sequence[ActionSelection], many: Sequence[ActionSelection]) -> int:
    """The maximum number of ticks of the test games at the end.

    `few` and `many` are the selections in the first and in the last games.
    """
    first, last = rungs(config)
    added = _FINALISTS * (max(Counter(map(_way, many)).values()) - max(Counter(map(_way, few)).values()))
    return ((len(few) + added) * first.games + first.keep * (last.games - first.games)) * config.play_ticks


def halving(
    candidates: Sequence[Candidate],
    rungs: Sequence[Rung],
    config: TrainConfig,
    before: Sequence[CandidateScore] = (),
) -> Search:
    """Search for the best candidate; returns the standings.

    `before` are the standings of earlier games, which count, too. The standings are sorted, the winner first;
    candidates that were dropped early come last.
    """
    left = list(candidates)
    known = {standing.candidate: list(standing.played) for standing in before}
    standings: list[CandidateScore] = []
    for rung in rungs:
        missing = [
            (candidate, evaluation_seed(_TRIAL + config.seed, game))
            for candidate in left
            for game in range(len(known.setdefault(candidate, [])), rung.games)
        ]
        planned = [PlannedGame(each.policy, start, each.selection) for each, start in missing]
        results = (yield planned) if planned else []
        for (candidate, _), result in zip(missing, results, strict=True):
            known[candidate].append(result)
        scores = [CandidateScore(candidate, known[candidate], config.play_ticks) for candidate in left]
        ranked = sorted(scores, key=lambda standing: -standing.whole)
        standings = ranked + [standing for standing in standings if standing.candidate not in left]
        left = [standing.candidate for standing in ranked[: rung.keep]]
    return standings


def finalists(standings: Sequence[CandidateScore], all_selections: Sequence[ActionSelection]) -> list[Candidate]:
    """Two players from the first rung, with every selection of their way: the best weights of the best two ways.

    Weights are compared by their mean over temperatures, ways by the mean over all weights. If there is only one way,
    its best two weights go on.
    """
    scores: dict[tuple[str, _Way], list[float]] = {}
    for standing in standings:
        player = standing.candidate.policy, _way(standing.candidate.selection)
        scores.setdefault(player, []).append(standing.whole)
    players = sorted(scores, key=lambda player: -float(np.mean(scores[player])))
    ways: dict[_Way, list[float]] = {}
    for player in players:
        ways.setdefault(player[1], []).extend(scores[player])
    ranked = sorted(ways, key=lambda way: -float(np.mean(ways[way])))
    firsts = [next(player for player in players if player[1] == way) for way in ranked]
    best = list(dict.fromkeys([*firsts, *players]))[:_FINALISTS]
    return [
        Candidate(policy, selection) for policy, way in best for selection in all_selections if _way(selection) == way
    ]


def _way(selection: ActionSelection) -> _Way:
    return selection.output, selection.past, selection.aim
