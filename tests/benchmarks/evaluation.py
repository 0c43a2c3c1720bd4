"""Games of a clone on all cores, beside as many independent processes that each play one game after another.

    twinplay      Evaluator: a process a core, each asking the network once a tick for all of its games
    independent   a process a core, each asking the network for one game at a time; nothing connects them

Both play the same games of the sample's clone and include the start of their processes.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from recorder.system.cores import available_cores
from recorder.system.jobs import run_parallel
from tests.benchmarks.common import Lines, Options, Ratio, alone, median, table

ROUNDS = 3


def play_alone(policy: str, seeds: list[int], ticks: int) -> int:
    """Games one after another; returns the ticks played."""
    import torch

    from recorder.envs.game import Game
    from recorder.play.rollout import Phase, Rollout
    from trainer import Policy

    torch.set_num_threads(1)
    loaded = Policy.load(policy)
    played = 0
    for seed in seeds:
        rollout = Rollout(Game(loaded.spec), loaded.fork(seed), varied=True)
        rollout.begin(seed)
        while rollout.phase is Phase.PLAYING and rollout.ticks < ticks:
            rollout.tick()
        played += rollout.ticks
        rollout.game.close()
    return played


def work(method: str, policy: str, games: int, ticks: int) -> dict[str, float]:
    """Ticks a second of all games together."""
    from trainer.evaluation.evaluator import Evaluator
    from trainer.evaluation.games import PlannedGame
    from trainer.evaluation.table import evaluation_seed

    seeds = [evaluation_seed(0, k) for k in range(games)]
    cores = available_cores()
    begun = time.perf_counter()
    if method == "independent":
        shares = [{"policy": policy, "seeds": seeds[core::cores], "ticks": ticks} for core in range(cores)]
        played = sum(found for _, found in run_parallel("tests.benchmarks.evaluation:play_alone", shares, cores))
        return {"rate": played / (time.perf_counter() - begun)}
    evaluator = Evaluator(cores)
    *_, results = evaluator.play([PlannedGame(policy, seed) for seed in seeds], ticks)
    seconds = time.perf_counter() - begun
    evaluator.close()
    assert isinstance(results, list)
    return {"rate": sum(result.ticks for result in results) / seconds}


def evaluation(options: Options) -> Lines:
    """Both ways, in turns."""
    from player.support.sample import SAMPLE

    games, ticks = 8, 2_600
    with tempfile.TemporaryDirectory() as folder:
        policy = str(SAMPLE.add(Path(folder)).policy)
        rounds = [
            {
                method: alone(
                    "tests.benchmarks.evaluation:work", method=method, policy=policy, games=games, ticks=ticks
                )["rate"]
                for method in ("twinplay", "independent")
            }
            for _ in range(1 if options.small else ROUNDS)
        ]
    share = median([found["twinplay"] / found["independent"] for found in rounds])
    titles = {"twinplay": "Twinplay, batched", "independent": "independent processes, one game at a time"}
    yield from table(
        (f"{games} games of {ticks:,} ticks on {available_cores()} cores", "ticks/s", "share of independent processes"),
        (
            (title, f"{median([found[m] for found in rounds]):,.0f}", f"{share if m == 'twinplay' else 1:.2f}")
            for m, title in titles.items()
        ),
    )
    yield Ratio("games / independent processes", share)
