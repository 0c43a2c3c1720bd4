"""Choosing by play, for one training: how its weights play best, and how they play most like the demonstrator.

    weights in files ─▶ first rungs ─▶ finalists ─▶ last rungs ─▶ the best candidate ─▶ how that one plays alike

See trainer.evaluation.select_by_play for the rungs and trainer.evaluation.alike for likeness. Every method now and then
yields the approximate share that is done, and finally its result.
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
    Candidate,
    CandidateScore,
    Evaluator,
    Rung,
    action_selections,
    check_rungs,
    finalists,
    first_rungs,
    last_rungs,
    most_ticks,
    successive_halving,
)
from trainer.policy.action_selection import ActionSelection

_T = TypeVar("_T")
SIGN_OF_LIFE_S = 0.25
_FIRST_TEMPERATURE, _FIRST_TEMPERATURE_STEERED = 0.25, 0.5
_PLAYED = 0.7  # of the ticks that test games may last: some are over before
_FIRST_ROUNDS = 0.35  # approximate share of the test games that choose how to play best


class Choosing:
    """Test games of policy files that were trained on `data`, which must be loaded for statistics of its actions."""

    def __init__(self, data: Dataset, config: TrainConfig) -> None:
        self.data = data
        self.config = config
        self._evaluator = Evaluator(config.threads or available_cores())

    @property
    def ticks(self) -> int:
        """The number of ticks played so far."""
        return self._evaluator.ticks

    @property
    def likely_ticks(self) -> int:
        """The approximate number of ticks of the test games at the end."""
        config = self.config
        if not config.play_games:
            return 0
        few, many = (self._selections(few=few) for few in (True, False))
        most = most_ticks(config, few, many) + (most_ticks_alike(config) if config.perceives else 0)
        return round(_PLAYED * most)

    def close(self) -> None:
        """End the running games."""
        self._evaluator.close()

    def in_passing(self, policy: str) -> Iterator[float | CandidateScore]:
        """The score of a policy file in a few short games."""
        candidates = [Candidate(policy, selection) for selection in self._selections(few=True)]
        for step in self._halve(candidates, check_rungs(self.config)):
            yield step[0] if isinstance(step, list) else step

    def best(self, policies: Sequence[str]) -> Iterator[float | CandidateScore]:
        """The policy file that plays best, and its action selection."""
        first = [Candidate(policy, selection) for policy in policies for selection in self._selections(few=True)]
        standings: list[CandidateScore] = []
        for step in self._halve(first, first_rungs(self.config)):
            if isinstance(step, list):
                standings = step
            else:
                yield _FIRST_ROUNDS * step
        last = finalists(standings, self._selections())
        for step in self._halve(last, last_rungs(self.config), standings):
            yield step[0] if isinstance(step, list) else _FIRST_ROUNDS + (1 - _FIRST_ROUNDS) * step

    def alike(self, best: CandidateScore, demonstration: Demonstration) -> Iterator[float | Alike]:
        """How the best one plays like its demonstrator; no result if the games are too short to tell."""
        spec, shares = self.data.spec, self.data.action_shares
        yield from _now_and_then(find_alike(self._evaluator, best, shares, demonstration, spec, self.config))

    def _selections(self, few: bool = False) -> list[ActionSelection]:
        """Every action selection worth trying."""
        data, config = self.data, self.config.with_changes(aims=aims(self.config, self.data))
        return action_selections(data.spec, config, data.rare_actions, data.action_shares, few=few)

    def _halve(
        self, candidates: Sequence[Candidate], rungs: Sequence[Rung], before: Sequence[CandidateScore] = ()
    ) -> Iterator[float | list[CandidateScore]]:
        yield 0.0
        yield from _now_and_then(successive_halving(self._evaluator, candidates, rungs, self.config.seed, before))


def _now_and_then(steps: Iterator[float | _T]) -> Iterator[float | _T]:
    """Pass results on, but shares only now and then."""
    reported = time.monotonic()
    for step in steps:
        if not isinstance(step, float):
            yield step
        elif time.monotonic() - reported >= SIGN_OF_LIFE_S:
            reported = time.monotonic()
            yield step


def aims(config: TrainConfig, data: Dataset) -> tuple[int, ...]:
    """Those that a clone can steer to: none if there is nothing on the screen that the player controls."""
    return config.aims if data.steers is not False else ()


def first_selection(config: TrainConfig, data: Dataset) -> ActionSelection:
    """How a clone plays before test games have chosen."""
    if not config.perceives:
        return ActionSelection(1.0, data.rare_actions, past=config.past_choices[0])
    if known := aims(config, data):
        middle = known[(len(known) - 1) // 2]
        return ActionSelection(
            _FIRST_TEMPERATURE_STEERED, data.rare_actions, 0, config.past_choices[-1], aim=middle, leaves_loops=True
        )
    last = len(config.label_windows) - 1
    return ActionSelection(_FIRST_TEMPERATURE, data.rare_actions, last, config.past_choices[-1], data.action_shares)


def selection_text(selection: ActionSelection, config: TrainConfig, discrete: bool) -> str:
    """How a clone plays, as a text that follows "plays best"."""
    shift = config.shift_of(selection.output)
    late = f", {shift} ticks faster than its demonstrator" if shift else ""
    if not discrete:
        return f"the network's output as it is{late}"
    if selection.aim:
        own = "its demonstrator's way of holding keys, corrected by " if selection.pull else ""
        return f"{own}steering to where its demonstrator would be {selection.aim} ticks later"
    if len(config.past_choices) > 1:
        late += ", shown its own earlier positions" if selection.past else ", not shown its own earlier positions"
    if len(config.label_windows) > 1:
        window = config.window_of(selection.output)
        late += f", predicting the next {window} ticks" if window > 1 else ", predicting a single tick"
    if selection.pull is not None:
        return f"the demonstrator's way of holding keys{late}"
    late += ", rare actions weighted up" if selection.prior else ""
    if selection.temperature == 0:
        return f"the most likely action{late}"
    return f"actions sampled at temperature {selection.temperature:g}{late}"
