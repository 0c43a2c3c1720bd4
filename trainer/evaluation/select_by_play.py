"""Choosing by play: the weights, and the action selection, that score most in test games.

    weights × ways, at one temperature ─▶ games ─▶ the best weights of each of the best two ways
    these × all temperatures ─▶ more games ─▶ the best three ─▶ more games ─▶ the winner

A way is one label shift and window of the outputs, with the past shown or hidden, or an aim to steer to. Validation
loss does not show who plays best, and games are expensive, so the candidates are reduced in rungs (successive halving,
Karnin et al. 2013). Within a rung all play from the same starts, which no evaluation uses; a candidate is compared by
all games that it has played so far. Good players all have about the same score after a minute or two, so what counts is
what whole games would bring (trainer.evaluation.scores). How often that finds the best is in
docs/breakout-experiments.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recorder.envs.spec import EnvSpec
from recorder.system.jobs import Service
from trainer.config import TrainConfig
from trainer.evaluation.games import SIGN_OF_LIFE_TICKS, GameWorker, PlannedGame
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
_WORTH_A_PROCESS = 20_000  # ticks: playing them takes about as long as starting a process
_PATIENCE_S = 0.25
_Way = tuple[int, bool, int]


@dataclass(frozen=True)
class Rung:
    """Each candidate plays `games` games of at most `ticks` ticks; the best `keep` go on."""

    games: int
    ticks: int
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


def check_rungs(config: TrainConfig) -> list[Rung]:
    """Short test games during training."""
    return [Rung(max(1, config.play_games // 2), max(60, config.play_ticks // 3), 1)]


def first_rungs(config: TrainConfig) -> list[Rung]:
    """The first test games at the end, at few temperatures: a third of those that the winner plays."""
    return [Rung(-(-config.play_games // 3), config.play_ticks, 1)]


def last_rungs(config: TrainConfig) -> list[Rung]:
    """The test games that find the best of the finalists."""
    games = config.play_games
    return [
        Rung(max(1, games // 3), config.play_ticks, 3),
        Rung(max(1, games - games // 3 - -(-games // 3)), config.play_ticks, 1),
    ]


def most_ticks(config: TrainConfig, few: Sequence[ActionSelection], many: Sequence[ActionSelection]) -> int:
    """The maximum number of ticks of the test games at the end.

    `few` and `many` are the selections in the first and in the last rungs.
    """
    ticks = sum(len(few) * rung.games * rung.ticks for rung in first_rungs(config))
    candidates = _FINALISTS * max(Counter(map(_way, many)).values())
    for rung in last_rungs(config):
        ticks += candidates * rung.games * rung.ticks
        candidates = min(candidates, rung.keep)
    return ticks


class Evaluator:
    """Plays test games, in this process or, if that is faster, in several processes that share the games.

    The processes start with the first long rung and run until `close`.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self.ticks = 0  # played so far
        self._workers: list[Service] = []
        self._worker = GameWorker()

    def play(self, planned: Sequence[PlannedGame], max_ticks: int) -> Iterator[float | list[GameResult]]:
        """Now and then yields the approximate share that is done, and finally the results."""
        steps = max_ticks / SIGN_OF_LIFE_TICKS
        if self._processes == 1 or len(planned) * max_ticks < _WORTH_A_PROCESS:
            self._worker.begin(planned, 0.0, max_ticks)
            done = 0
            while (results := self._worker.advance()) is None:
                done += 1
                yield min(1.0, done / steps)
            self.ticks += sum(result.ticks for result in results)
            yield results
            return
        if not self._workers:
            self._workers = [Service("trainer.evaluation.games:GameWorker", {}) for _ in range(self._processes)]
            for game_worker in self._workers:
                game_worker.request("use_one_core")
        shares = [range(first, len(planned), self._processes) for first in range(min(self._processes, len(planned)))]
        game_workers = dict(zip(self._workers, shares, strict=False))
        for game_worker, share in game_workers.items():
            game_worker.request("begin", [planned[k] for k in share], 0.0, max_ticks)
            game_worker.request("advance")
        over: dict[int, GameResult] = {}
        done = 0
        while len(over) < len(planned):
            for game_worker, share in game_workers.items():
                for method, games in game_worker.poll(_PATIENCE_S / len(game_workers)):
                    if games is not None:
                        over |= zip(share, games, strict=True)
                    elif method == "advance":
                        done += 1
                        game_worker.request("advance")
            yield min(1.0, done / steps / len(game_workers))
        self.ticks += sum(result.ticks for result in over.values())
        yield [over[k] for k in range(len(planned))]

    def close(self) -> None:
        """End the processes, if necessary in the middle of their games."""
        for game_worker in self._workers:
            game_worker.close(patience_s=0.0)
        self._workers.clear()
        self._worker.close()


def successive_halving(
    evaluator: Evaluator,
    candidates: Sequence[Candidate],
    rungs: Sequence[Rung],
    seed: int,
    before: Sequence[CandidateScore] = (),
) -> Iterator[float | list[CandidateScore]]:
    """Let candidates play; now and then yields the approximate share that is done, and finally the standings.

    `before` are the standings of earlier games, which count, too. The standings are sorted, the winner first;
    candidates that were dropped early come last.
    """
    left = list(candidates)
    known = {standing.candidate: standing.played for standing in before}
    game = max((len(played) for played in known.values()), default=0)
    standings: list[CandidateScore] = []
    for number, rung in enumerate(rungs):
        if number and len(left) == 1:
            break
        seeds = [evaluation_seed(_TRIAL + seed, game + k) for k in range(rung.games)]
        game += rung.games
        planned = [PlannedGame(candidate.policy, start, candidate.selection) for candidate in left for start in seeds]
        for step in evaluator.play(planned, rung.ticks):
            if isinstance(step, float):
                yield (number + step) / len(rungs)
                continue
            for k, candidate in enumerate(left):
                known[candidate] = [*known.get(candidate, ()), *step[k * rung.games : (k + 1) * rung.games]]
        scores = [CandidateScore(candidate, known[candidate], rung.ticks) for candidate in left]
        ranked = sorted(scores, key=lambda standing: -standing.whole)
        standings = ranked + [standing for standing in standings if standing.candidate not in left]
        left = [standing.candidate for standing in ranked[: rung.keep]]
    yield standings


def finalists(standings: Sequence[CandidateScore], all_selections: Sequence[ActionSelection]) -> list[Candidate]:
    """Two players from the first rungs, with every selection of their way: the best weights of the best two ways.

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
