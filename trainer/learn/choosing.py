"""Choosing by play, for one training: how its weights play best, and how they play like their demonstrator.

    weights in files ─▶ first rounds ─▶ finalists ─▶ last rounds ─▶ the best entrant ─▶ how that one plays alike

See trainer.evaluation.select_by_play for the rounds and trainer.evaluation.alike for likeness. Every method yields the
share that is done, roughly and every so often, and its result last.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from recorder.system.cores import available_cores
from trainer.config import TrainConfig
from trainer.data.dataset import Dataset
from trainer.evaluation.alike import Alike, Demonstration, find_alike, most_ticks_alike
from trainer.evaluation.select_by_play import (
    Arena,
    Entrant,
    Round,
    Standing,
    check_rounds,
    contest,
    finalists,
    first_rounds,
    last_rounds,
    manners,
    most_ticks,
)
from trainer.policy.policy import Manner

_T = TypeVar("_T")
SIGN_OF_LIFE_S = 0.25
_FIRST_ROUNDS = 0.3  # of the games that choose how to play best, roughly


class Choosing:
    """Games of policy files that are trained on `data`; what its actions are like is known once it is loaded."""

    def __init__(self, data: Dataset, config: TrainConfig) -> None:
        self.data = data
        self.config = config
        self._arena = Arena(config.threads or available_cores())

    @property
    def ticks(self) -> int:
        """How many have been played."""
        return self._arena.ticks

    @property
    def most_ticks(self) -> int:
        """How many the games at the end take at most."""
        config = self.config
        if not config.play_games:
            return 0
        few, many = (len(self._manners(few=few)) for few in (True, False))
        return most_ticks(config, few, many) + (most_ticks_alike(config) if config.perceives else 0)

    def close(self) -> None:
        """End games that are under way."""
        self._arena.close()

    def in_passing(self, policy: str) -> Iterator[float | Standing]:
        """How a policy file plays in a few short games."""
        entrants = [Entrant(policy, manner) for manner in self._manners(few=True)]
        for step in self._contest(entrants, check_rounds(self.config)):
            yield step[0] if isinstance(step, list) else step

    def best(self, policies: Sequence[str]) -> Iterator[float | Standing]:
        """Which of some policy files plays best, and in which manner."""
        first = [Entrant(policy, manner) for policy in policies for manner in self._manners(few=True)]
        rounds = first_rounds(self.config)
        standings: list[Standing] = []
        for step in self._contest(first, rounds):
            if isinstance(step, list):
                standings = step
            else:
                yield _FIRST_ROUNDS * step
        last = finalists(standings, self._manners())
        for step in self._contest(last, last_rounds(self.config), sum(each.games for each in rounds)):
            yield step[0] if isinstance(step, list) else _FIRST_ROUNDS + (1 - _FIRST_ROUNDS) * step

    def alike(self, best: Entrant, demonstration: Demonstration) -> Iterator[float | Alike]:
        """How the best one plays like its demonstrator; there is no result where too little was played to tell."""
        spec, shares = self.data.spec, self.data.action_shares
        found = find_alike(self._arena, best.policy, best.manner, shares, demonstration, spec, self.config)
        yield from _now_and_then(found)

    def _manners(self, few: bool = False) -> list[Manner]:
        """Every manner worth trying."""
        data = self.data
        return manners(data.spec, self.config, data.rare_actions, data.action_shares, few=few)

    def _contest(
        self, entrants: Sequence[Entrant], rounds: Sequence[Round], game: int = 0
    ) -> Iterator[float | list[Standing]]:
        yield 0.0
        yield from _now_and_then(contest(self._arena, entrants, rounds, self.config.seed, game))


def _now_and_then(steps: Iterator[float | _T]) -> Iterator[float | _T]:
    """The shares among steps only every so often."""
    reported = time.monotonic()
    for step in steps:
        if not isinstance(step, float):
            yield step
        elif time.monotonic() - reported >= SIGN_OF_LIFE_S:
            reported = time.monotonic()
            yield step
