"""Choosing by play, for one training: how its weights play best, and how they play most like the demonstrator.

    weights in files ─▶ first games ─▶ finalists ─▶ last games ─▶ the best candidate ─┬▶ how it plays best, and alike
                                          └▶ (beside these, if both steer) ─▶ pulls ──┘

See trainer.evaluation.select_by_play for the games and trainer.evaluation.alike for likeness. Every method now and then
yields the approximate share that is done, and finally its results.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from recorder.system.cores import available_cores
from trainer.config import TrainConfig
from trainer.data.dataset import Dataset
from trainer.evaluation.alike import Alike, Demonstration, choose_alike, most_ticks_alike, pulling
from trainer.evaluation.evaluator import Evaluator, Search, play_searches
from trainer.evaluation.select_by_play import (
    Candidate,
    CandidateScore,
    Rung,
    action_selections,
    finalists,
    halving,
    most_ticks,
    rungs,
)
from trainer.policy.action_selection import ActionSelection

SIGN_OF_LIFE_S = 0.25
_FIRST_TEMPERATURE, _FIRST_TEMPERATURE_STEERED = 0.25, 0.5
_PLAYED = 0.7  # of the ticks that test games may last: some are over before


class Choosing:
    """Test games of policy files that were trained on `data`, which must be loaded for statistics of its actions."""

    def __init__(self, data: Dataset, config: TrainConfig) -> None:
        self.data = data
        self.config = config
        self._evaluator = Evaluator(config.threads or available_cores())
        self._begun_at, self._done = 0, 0.0  # ticks, and the share of the last ones that is done

    @property
    def ticks(self) -> int:
        """The number of ticks played so far."""
        return self._evaluator.ticks

    @property
    def likely_ticks(self) -> int:
        """The approximate number of ticks of the test games at the end."""
        return round(_PLAYED * self._most_ticks) if self.config.play_games else 0

    def get_ready(self) -> None:
        """Start the processes for the test games at the end."""
        self._evaluator.start(self.likely_ticks)

    def close(self) -> None:
        """End the running games."""
        self._evaluator.close()

    def in_passing(self, policy: str) -> Iterator[float | CandidateScore]:
        """The score of a policy file in a few short games."""
        config = self.config.with_changes(play_ticks=max(60, self.config.play_ticks // 3))
        candidates = [Candidate(policy, selection) for selection in self._selections(few=True)]
        rung = Rung(max(1, config.play_games // 2), 1)
        (standings,) = yield from self._search(halving(candidates, [rung], config), ticks=config.play_ticks)
        yield standings[0]

    def best(
        self, policies: Sequence[str], demonstration: Demonstration | None
    ) -> Iterator[float | CandidateScore | Alike]:
        """The policy file that plays best, with its action selection; then, if there is a `demonstration`, the ways
        that `choose_alike` chooses.
        """
        config = self.config
        first, last = rungs(config)
        self._begun_at, self._done = self.ticks, 0.0
        candidates = [Candidate(policy, selection) for policy in policies for selection in self._selections(few=True)]
        (standings,) = yield from self._search(halving(candidates, [first], config))
        left = finalists(standings, self._selections())
        searches = [halving(left, [first, last], config, standings)]
        # How a clone can move its hands depends on whether it steers. If that is clear already, this is chosen beside.
        beside = all(each.selection.aim and each.policy == left[0].policy for each in left)
        if beside and demonstration is not None:
            searches.append(self._pulling(left[0], demonstration))
        standings, *pulled = yield from self._search(*searches)
        yield standings[0]
        if demonstration is not None:
            if not pulled:
                pulled = yield from self._search(self._pulling(standings[0].candidate, demonstration))
            yield from filter(None, choose_alike(pulled[0], standings[0], demonstration, self.data.spec))

    def _pulling(self, best: Candidate, demonstration: Demonstration) -> Search:
        return pulling(best, self.data.action_shares, demonstration, self.data.spec, self.config)

    def _selections(self, few: bool = False) -> list[ActionSelection]:
        """Every action selection worth trying."""
        data, config = self.data, self.config.with_changes(aims=aims(self.config, self.data))
        return action_selections(data.spec, config, data.rare_actions, data.action_shares, few=few)

    @property
    def _most_ticks(self) -> int:
        few, many = (self._selections(few=few) for few in (True, False))
        alike = most_ticks_alike(self.config) if self.config.perceives else 0
        return most_ticks(self.config, few, many) + alike

    def _search(self, *searches: Search, ticks: int | None = None) -> Generator[float, None, list[Any]]:
        """Returns what these searches find; now and then yields the approximate share of test games that is done."""
        found: list[Any] = []
        reported = -math.inf
        for step in play_searches(self._evaluator, searches, ticks or self.config.play_ticks):
            if isinstance(step, list):
                found = step
            elif time.monotonic() - reported >= SIGN_OF_LIFE_S:
                reported = time.monotonic()
                self._done = max(self._done, min(1.0, (step - self._begun_at) / max(1, self.likely_ticks)))
                yield self._done
        return found


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
