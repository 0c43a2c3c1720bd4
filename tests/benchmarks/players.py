"""The scripted players of single games beside a random player, each in the same games from varied starts."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator
from typing import Any

from recorder.agents.agent import describe
from recorder.agents.experts import GAME_PLAYERS, scripted
from recorder.envs.registry import get_spec
from recorder.system.cores import available_cores
from recorder.system.jobs import run_parallel
from tests.benchmarks.common import Options, table
from trainer.evaluation.evaluate import play_games
from trainer.evaluation.scores import Score, in_order
from trainer.evaluation.table import evaluation_seed

GAMES, SMALL = 12, 1
WHO = ("demonstrator", "random")


def players(options: Options) -> Iterator[str]:
    """A row for each game."""
    seeds = [evaluation_seed(0, k) for k in range(SMALL if options.small else GAMES)]
    cells = [{"env": env, "player": player, "seeds": seeds} for env in GAME_PLAYERS for player in WHO]
    found = dict(run_parallel("tests.benchmarks.players:score", cells, available_cores()))
    rows = []
    for row, env in enumerate(GAME_PLAYERS):
        rows.append((get_spec(env).title, *(found[len(WHO) * row + column] for column in range(len(WHO)))))
    yield from table((f"{len(seeds)} games", "scripted player", "random player"), rows)


def score(env: str, player: str, seeds: list[int]) -> str:
    """The mean and its 95 % interval."""
    description: dict[str, Any] = describe(scripted(env))
    games = ChainMap(*play_games(player, seeds, "", description, 0.0, spec=get_spec(env)))
    result = Score.of(player, "", in_order(games))
    return f"{result.mean:,.1f} ({result.low:,.1f} to {result.high:,.1f})"
