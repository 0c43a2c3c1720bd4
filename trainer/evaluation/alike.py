"""Chooses, by test games, how a clone plays like its demonstrator, and about as well as it if possible.

    several pulls ─▶ a few games each ─▶ the best two ─▶ more games ─▶ compared with its best: one way to play, or two

Playing well and moving alike conflict: the more a clone is pulled away from habit (trainer.policy.hand), the better it
plays and the easier it is to tell from its demonstrator. A score below GOAL of the demonstrator's counts against a
pull. A pull that clearly scores more than the best way so far becomes the best.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from recorder.envs.spec import EnvSpec
from recorder.store.origin import from_the_start
from recorder.store.session import Session
from trainer.config import TrainConfig
from trainer.evaluation.evaluator import Search
from trainer.evaluation.games import PlannedGame
from trainer.evaluation.likeness import Actions, Likeness
from trainer.evaluation.scores import GameResult, PlayedGames
from trainer.evaluation.select_by_play import Candidate, CandidateScore, rungs
from trainer.evaluation.table import evaluation_seed
from trainer.policy.action_selection import ActionSelection
from trainer.policy.hand import Pull

GOAL = 0.9  # of the demonstrator's score
# Of clones that steer best: to the farthest aim, and to the next one.
_PULLS_FAR = tuple(
    Pull(press, release, patience, steady=8, tolerance=tolerance)
    for tolerance, press, release, patience in ((0.25, 15.0, 8.0, 1.5), (0.3, 20.0, 10.0, 2.0), (0.3, 10.0, 5.0, 1.0))
)
_PULLS_NEARER = tuple(
    Pull(press, release, patience, steady=8, tolerance=tolerance)
    for tolerance, press, release, patience in ((0.4, 20.0, 10.0, 1.0), (0.5, 20.0, 20.0, 1.0))
)
# Of others. A stronger pull needs more patience, or the clone would press more often than the demonstrator.
_PULLS = tuple(
    Pull(press, release, patience, steady=4)
    for press, release, patience in (
        (1.0, 0.9, 1.0),
        (2.0, 0.9, 0.4),
        (2.0, 0.3, 1.0),
        (3.0, 0.3, 2.0),
        (4.0, 0.5, 2.0),
        (6.0, 0.2, 3.0),
        (6.0, 0.5, 3.0),
    )
)
_PRICE = 1.0  # of each share of the score below GOAL, in share of clips told apart
_MARGIN = 1.25
_MOST_SHORT = 0.4  # below GOAL, unless its best is too: a lower score is not accepted, however alike it moves
_FINALISTS = 2
_MOST_PIECES = 900  # an hour of play; more would not make the comparison more exact
_PIECE_S = 4.0  # so that a game or two are enough for a comparison
_STARTS = 104_729  # keeps the starts of these games different from those of other test games and of evaluations


@dataclass(frozen=True)
class Alike(PlayedGames):
    """How a clone plays like its demonstrator: the test games that it `played`, the demonstrator's mean score, and how
    well a classifier tells clips of the two apart (trainer.evaluation.likeness). `plays_best`: no other way scores
    more.
    """

    selection: ActionSelection
    played: Sequence[GameResult]
    demonstrator: float
    classifier: float
    plays_best: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "manner": self.selection.to_json(),
            "score": self.score,
            "demonstrator": self.demonstrator,
            "classifier": self.classifier,
        }


@dataclass(frozen=True)
class Demonstration:
    """What the clone is compared with: the actions of the demonstrator's games, in pieces, and their mean score."""

    games: list[Actions]
    score: float

    @classmethod
    def of(cls, sessions: Sequence[Session], chosen: Mapping[str, Sequence[int]]) -> Demonstration | None:
        """The training data of `sessions` without what is excluded, and without games of a corrected clone.

        `chosen` are the chosen episodes by session name. None if there are no games.
        """
        games, scores = [], []
        for session in (each for each in sessions if each.corrections is None):
            wanted = [
                episode
                for episode in session.episodes
                if episode.index in chosen.get(session.name, (episode.index,)) and session.to_learn(episode)
            ]
            for rows in chain.from_iterable(session.to_learn(episode) for episode in wanted):
                games += _pieces(session.actions[rows.start : rows.stop], session.spec)
            games_played = from_the_start(session.attributes, session.recorded_games)
            scores += [game.score for game in games_played if game.line[-1] in wanted]
        thinned = [games[k] for k in np.linspace(0, len(games) - 1, min(len(games), _MOST_PIECES)).astype(int)]
        return cls(thinned, float(np.mean(scores))) if games and scores else None


def most_ticks_alike(config: TrainConfig) -> int:
    """The maximum number of ticks of the test games that choose it."""
    first, last = rungs(config)
    return (len(_PULLS) * first.games + _FINALISTS * (last.games - first.games)) * config.play_ticks


def pulling(
    best: Candidate,
    shares: tuple[float, ...],
    demonstration: Demonstration,
    spec: EnvSpec,
    config: TrainConfig,
) -> Search:
    """Search for how a policy plays like its demonstrator; returns the ways that were tried, the best ones first.

    They depend on whether the `best` way to play steers. `shares` are the demonstrator's shares of each action.
    """
    left = _selections(best.selection, shares, spec, config)
    pulled: list[Alike] = []
    played: dict[ActionSelection, list[GameResult]] = {selection: [] for selection in left}
    for rung in rungs(config):
        missing = [(selection, game) for selection in left for game in range(len(played[selection]), rung.games)]
        starts = [evaluation_seed(_STARTS + config.seed, game) for game in range(rung.games)]
        planned = [PlannedGame(best.policy, starts[game], selection) for selection, game in missing]
        results = (yield planned) if planned else []
        for (selection, _), result in zip(missing, results, strict=True):
            played[selection].append(result)
        pulled = sorted((_played_like(each, played[each], demonstration, spec) for each in left), key=_cost)
        left = [each.selection for each in pulled[:_FINALISTS]]
    return pulled


def choose_alike(
    pulled: Sequence[Alike], best: CandidateScore, demonstration: Demonstration, spec: EnvSpec
) -> tuple[Alike | None, Alike | None]:
    """The way that scores more than the `best` one, if any does, and the way to play like its demonstrator.

    There is no such way if the games are too short to tell, or if its best is more like the demonstrator than any pull.
    """
    winner = _played_like(best.candidate.selection, best.played, demonstration, spec)
    if not all(math.isfinite(each.classifier) for each in (winner, *pulled)):
        return None, None
    better: Alike | None = None
    strongest = max(pulled, key=lambda each: each.whole)
    if _plays_best(strongest, winner):
        winner = better = replace(strongest, plays_best=True)
    closer = (each for each in pulled if each.selection != winner.selection and _is_closer(each, winner))
    return better, next(closer, None)


def _selections(
    best: ActionSelection, shares: tuple[float, ...], spec: EnvSpec, config: TrainConfig
) -> list[ActionSelection]:
    """Every way to play that is tried: pulled to an aim if the best way steers, else to what is seen."""
    past = config.past_choices[-1]
    if not best.aim:
        return [ActionSelection(1.0, output=best.output, past=past, prior=shares, pull=pull) for pull in _PULLS]
    kept = () if spec.serve_index is None else (spec.serve_index,)
    aims = sorted(config.aims)
    pulls = [(aims[-1], pull) for pull in _PULLS_FAR] + [(aims[max(len(aims) - 2, 0)], pull) for pull in _PULLS_NEARER]
    return [ActionSelection(1.0, kept, past=past, aim=aim, pull=pull) for aim, pull in pulls]


def _played_like(
    selection: ActionSelection, results: Sequence[GameResult], demonstration: Demonstration, spec: EnvSpec
) -> Alike:
    pieces = [_pieces(result.actions, spec) for result in results if result.actions is not None]
    likeness = Likeness.of(list(chain.from_iterable(pieces)), demonstration.games, spec)
    classifier = likeness.classifier if likeness else math.nan
    return Alike(selection, results, demonstration.score, classifier)


def _pieces(actions: Actions, spec: EnvSpec) -> list[Actions]:
    length = round(_PIECE_S * spec.rate_hz)
    return [actions[first : first + length] for first in range(0, len(actions), length)]


def _plays_best(pulled: Alike, best: Alike) -> bool:
    """Whether it scores more by a clear margin: the scores of so few games differ by a fourth by chance alone."""
    return pulled.whole > _MARGIN * best.whole


def _is_closer(pulled: Alike, winner: Alike) -> bool:
    """Whether it is harder to tell from the demonstrator than the best way, and plays well enough."""
    return pulled.classifier < winner.classifier and _short(pulled) <= max(_MOST_SHORT, _short(winner))


def _cost(alike: Alike) -> float:
    return alike.classifier + _PRICE * _short(alike)


def _short(alike: Alike) -> float:
    """How far its score is below GOAL, as a share of the demonstrator's score."""
    size = abs(alike.demonstrator)
    return max(0.0, alike.demonstrator - (1 - GOAL) * size - alike.whole) / max(size, 1.0)
