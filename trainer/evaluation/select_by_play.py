"""Choosing by play: which weights, and in which manner, score most in real games.

    weights × ways × a few temperatures ─▶ short games ─▶ two players: the best weights of each of the best two ways
    two players × all temperatures ─▶ longer games ─▶ the best three ─▶ long games ─▶ the winner

A way is the outputs of one label shift and window, with its past seen or not. Validation loss does not tell who plays
best, and games are dear, so the candidates are thinned out in rungs (successive halving, Karnin et al. 2013). Within a
round all meet the same starts, which are not those of any evaluation. Short games tell little between good players, and
of the several weights of one training the best hardly differ, but ways do: so two of them are there to the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recorder.envs.spec import EnvSpec
from recorder.system.jobs import Service
from trainer.config import TrainConfig
from trainer.evaluation.games import SIGN_OF_LIFE_TICKS, GameWorker, PlannedGame, evaluation_seed
from trainer.evaluation.scores import GameResult
from trainer.policy.action_selection import ActionSelection

_TRIAL = 7_919  # keeps the starts of trial games apart from those of evaluations
# The likeliest action alone can fall into loops in a deterministic game, and what a demonstrator does at random
# is not worth imitating: which sharpness suits depends on the demonstrator.
_TEMPERATURES = (0.5, 0.25, 0.1, 0.0)
_FEW_TEMPERATURES = (0.5, 0.1)
_AS_OFTEN_TEMPERATURES = (0.5, 0.1)  # for those who take each action about as often as the demonstrator
_FINALISTS = 2
_WORTH_A_PROCESS = 20_000  # ticks of play: about as long as it takes a process to load what it needs
_PATIENCE_S = 0.25


@dataclass(frozen=True)
class Rung:
    """Each candidate plays `games` games of at most `ticks` ticks; the best `keep` go on."""

    games: int
    ticks: int
    keep: int


@dataclass(frozen=True)
class Candidate:
    """A policy file, and the manner in which it plays."""

    policy: str
    manner: ActionSelection


@dataclass(frozen=True)
class CandidateScore:
    """A candidate, and its mean score in the last round that it played."""

    candidate: Candidate
    score: float


def action_selections(
    spec: EnvSpec, config: TrainConfig, kept: tuple[int, ...], prior: tuple[float, ...], *, few: bool = False
) -> list[ActionSelection]:
    """Every manner (or a few of them) that a clone may play in; see ActionSelection for actions `kept` and `prior`.

    Nearly all demonstrators score more with the shares of their actions taken into account, so only the finalists are
    also tried without.
    """
    if not spec.discrete:
        choices: list[tuple[float, tuple[float, ...]]] = [(1.0, ())]
    elif few:
        choices = [(temperature, prior) for temperature in _FEW_TEMPERATURES]
    else:
        choices = [(temperature, prior) for temperature in _TEMPERATURES]
        choices += [(temperature, ()) for temperature in _AS_OFTEN_TEMPERATURES]
    pasts = config.pasts if spec.sees_screen else (True,)
    outputs = range(config.outputs)
    return [
        ActionSelection(temperature, kept, output, past, shares)
        for output in outputs
        for past in pasts
        for temperature, shares in choices
    ]


def check_rungs(config: TrainConfig) -> list[Rung]:
    """A look in passing while training goes on."""
    return [Rung(max(1, config.play_games // 2), max(60, config.play_ticks // 3), 1)]


def first_rungs(config: TrainConfig) -> list[Rung]:
    """Who plays best, at the end: a few temperatures each, and the players are compared by the mean over them."""
    return check_rungs(config)


def last_rungs(config: TrainConfig) -> list[Rung]:
    """How the best of them play best."""
    games, ticks = config.play_games, config.play_ticks
    return [Rung(max(1, games // 2), max(60, ticks // 2), 3), Rung(games, ticks, 1)]


def most_ticks(config: TrainConfig, few: int, many: int) -> int:
    """How many ticks the games at the end take at most, with so many action_selections at first and at last."""
    ticks = sum(few * rung.games * rung.ticks for rung in first_rungs(config))
    candidates = _FINALISTS * many // max(1, few // len(_FEW_TEMPERATURES))
    for rung in last_rungs(config):
        ticks += candidates * rung.games * rung.ticks
        candidates = min(candidates, rung.keep)
    return ticks


class Evaluator:
    """Where candidates meet: in this process, or, when that is quicker, in several that share the games.

    The processes start with the first long round and stay until `close`.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self.ticks = 0  # that were played here
        self._workers: list[Service] = []
        self._worker = GameWorker()

    def play(self, planned: Sequence[PlannedGame], max_ticks: int) -> Iterator[float | list[GameResult]]:
        """Yields the share of the games that is over, roughly, every now and then, and the results last."""
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
        """End the processes, in the middle of their games if need be."""
        for game_worker in self._workers:
            game_worker.close(patience_s=0.0)
        self._workers.clear()


def successive_halving(
    evaluator: Evaluator, candidates: Sequence[Candidate], rungs: Sequence[Rung], seed: int, game: int = 0
) -> Iterator[float | list[CandidateScore]]:
    """Let candidates meet; yields the share that is over, roughly, every now and then, and the standings last.

    `game` is the number of the first start that they meet. The standings are sorted, the winner first; those who left
    early come after those who stayed.
    """
    left = list(candidates)
    standings: list[CandidateScore] = []
    for number, rung in enumerate(rungs):
        if number and len(left) == 1:
            break
        seeds = [evaluation_seed(_TRIAL + seed, game + k) for k in range(rung.games)]
        game += rung.games
        planned = [PlannedGame(candidate.policy, start, candidate.manner) for candidate in left for start in seeds]
        for step in evaluator.play(planned, rung.ticks):
            if isinstance(step, float):
                yield (number + step) / len(rungs)
                continue
            scores = np.array([result.score for result in step]).reshape(len(left), -1).mean(axis=1)
            ranked = sorted(
                (CandidateScore(e, float(s)) for e, s in zip(left, scores, strict=True)), key=lambda s: -s.score
            )
        standings = ranked + [standing for standing in standings if standing.candidate not in left]
        left = [standing.candidate for standing in ranked[: rung.keep]]
    yield standings


def finalists(standings: Sequence[CandidateScore], all_manners: Sequence[ActionSelection]) -> list[Candidate]:
    """Two players of the first rungs, in every manner open to them: the best weights of each of the best two ways.

    Weights are compared by the mean over their temperatures, ways by that over all weights; where there is one way, its
    best two weights go on.
    """
    scores: dict[tuple[str, int, bool], list[float]] = {}
    for standing in standings:
        policy, manner = standing.candidate.policy, standing.candidate.manner
        scores.setdefault((policy, manner.output, manner.past), []).append(standing.score)
    players = sorted(scores, key=lambda player: -float(np.mean(scores[player])))
    ways: dict[tuple[int, bool], list[float]] = {}
    for player in players:
        ways.setdefault(player[1:], []).extend(scores[player])
    ranked = sorted(ways, key=lambda way: -float(np.mean(ways[way])))
    firsts = [next(player for player in players if player[1:] == way) for way in ranked]
    best = list(dict.fromkeys([*firsts, *players]))[:_FINALISTS]
    return [
        Candidate(policy, manner)
        for policy, output, past in best
        for manner in all_manners
        if (manner.output, manner.past) == (output, past)
    ]
