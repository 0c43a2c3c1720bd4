"""Games of clones, many at once: each network takes its players' screens as one batch. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from recorder.envs.game import Game
from trainer.evaluation.scores import GameResult
from trainer.evaluation.table import QueuedAgent, Table
from trainer.policy.action_selection import ActionSelection
from trainer.policy.policy import Policy, act_together

SIGN_OF_LIFE_TICKS = 50


def play_together(
    players: Sequence[Policy],
    seeds: Sequence[int],
    *,
    sticky: float = 0.0,
    max_ticks: int | None = None,
    spare: list[Game] | None = None,
) -> Iterator[dict[int, GameResult]]:
    """Play one game per player and seed, all at once; each network takes its players' screens as one batch.

    Every SIGN_OF_LIFE_TICKS, yields the results of the games that have ended since, if any, by their number. Simulators
    are taken from `spare` and returned to it, since creating one takes 200 ms; without `spare` they are closed.
    """
    feeders = [QueuedAgent() for _ in seeds]
    spec = players[0].spec
    games = [spare.pop() if spare else Game(spec, sticky=sticky) for _ in seeds]
    tables = {
        number: Table(game, feeder, seed, max_ticks)
        for number, (game, feeder, seed) in enumerate(zip(games, feeders, seeds, strict=True))
    }
    try:
        while tables:
            for _ in range(SIGN_OF_LIFE_TICKS):
                _tick(players, feeders, {number: table for number, table in tables.items() if table.playing})
            results = {number: table.result() for number, table in tables.items() if not table.playing}
            for number in results:
                game = tables.pop(number).game
                if spare is None:
                    game.close()
                else:
                    spare.append(game)
            yield results
    finally:
        for table in tables.values():
            table.game.close()


def _tick(players: Sequence[Policy], feeders: Sequence[QueuedAgent], tables: Mapping[int, Table]) -> None:
    """One tick of these games."""
    if tables:
        actions = act_together([players[i] for i in tables], [table.rollout.observation for table in tables.values()])
        for (number, table), action in zip(tables.items(), actions, strict=True):
            feeders[number].action = action
            table.tick()


@dataclass(frozen=True)
class PlannedGame:
    """A game to be played: the policy file, the seed, and the action selection (None: the policy's own)."""

    policy: str
    seed: int
    selection: ActionSelection | None = None


class GameWorker:
    """Plays games and caches the policies that it has read. Runs in a separate process."""

    def __init__(self) -> None:
        self._policies: dict[str, Policy] = {}
        self._games: Iterator[dict[int, GameResult]] = iter(())
        self._spare: dict[tuple[str, float], list[Game]] = {}

    def sit_down(self, planned: Sequence[PlannedGame]) -> list[Policy]:
        """The players of these games. Raises PolicyError."""
        for plan in planned:
            if plan.policy not in self._policies:
                self._policies[plan.policy] = Policy.load(plan.policy)
        return [self._policies[plan.policy].fork(plan.seed, plan.selection) for plan in planned]

    def begin(self, planned: Sequence[PlannedGame], sticky: float = 0.0, max_ticks: int | None = None) -> None:
        """Start these games instead of any others. Raises PolicyError."""
        seeds = [plan.seed for plan in planned]
        players = self.sit_down(planned)
        spare = self._spare.setdefault((players[0].spec.name, sticky), []) if players else []
        self._games = play_together(players, seeds, sticky=sticky, max_ticks=max_ticks, spare=spare)

    def advance(self) -> dict[int, GameResult]:
        """Play SIGN_OF_LIFE_TICKS more ticks; returns the results of the games that ended, by their number."""
        return next(self._games)

    def close(self) -> None:
        """Release the simulators; the games that are being played end."""
        self._games = iter(())
        for games in self._spare.values():
            while games:
                games.pop().close()

    def use_one_core(self) -> None:
        """Leave the other cores to other processes."""
        torch.set_num_threads(1)


def play_clone(
    policy_path: str, seeds: Sequence[int], *, sticky: float, selection: ActionSelection | None, alike: bool
) -> Iterator[dict[int, GameResult]]:
    """Play games of a clone, one per seed, on one core; yields what `play_together` does. Raises PolicyError."""
    torch.set_num_threads(1)
    policy = Policy.load(policy_path, alike=alike)
    yield from play_together([policy.fork(seed, selection) for seed in seeds], seeds, sticky=sticky)
