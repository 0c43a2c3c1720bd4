"""Recording at full speed, beside plain env.step and what one might pick instead, each in a process of its own."""

from __future__ import annotations

import csv
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from recorder import record
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from recorder.envs.gymnasium import Env
from recorder.envs.registry import get_spec
from recorder.play.rollout import episode_seed
from tests.benchmarks.common import Lines, Options, Ratio, alone, median, table

LONGER = 10
METHODS = {
    "plain": "plain env.step",
    "twinplay": "Twinplay",
    "long": f"Twinplay, {LONGER} times as long",
    "png": "PNG files and a CSV",
    "minari": "Minari DataCollector, HDF5",
}
ROUNDS = 3
TICKS = 6_000


def steps(env: Env, name: str, ticks: int) -> Iterator[tuple[Any, Any, float]]:
    """The same games for every method: (observation, action, reward), tick by tick."""
    agent = scripted(name, 1)
    for episode in range(ticks):
        observation, _ = env.reset(seed=episode_seed(0, episode))
        agent.reset(env)
        over = False
        while not over:
            action = agent.act(observation)
            seen = observation
            observation, reward, terminated, truncated, _ = env.step(action)
            yield seen, action, float(reward)
            ticks -= 1
            over = terminated or truncated
            if ticks == 0:
                return


def plain(name: str, ticks: int, folder: Path) -> None:
    for _ in steps(Game(get_spec(name)).env, name, ticks):
        pass


def twinplay(name: str, ticks: int, folder: Path) -> None:
    record(name, scripted(name, 1), library=folder, seconds=ticks / get_spec(name).rate_hz, seed=0)


def png(name: str, ticks: int, folder: Path) -> None:
    import cv2

    with (folder / "actions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        for index, (seen, action, reward) in enumerate(steps(Game(get_spec(name)).env, name, ticks)):
            if get_spec(name).sees_screen:
                cv2.imwrite(str(folder / f"{index:06d}.png"), seen[:, :, ::-1])
                table.writerow((index, action, reward))
            else:
                table.writerow((index, *seen, *action, reward))


def minari(name: str, ticks: int, folder: Path) -> None:
    os.environ["MINARI_DATASETS_PATH"] = str(folder)
    from minari import DataCollector

    env = DataCollector(Game(get_spec(name)).env, data_format="hdf5", jpeg_encoding=False)
    for _ in steps(env, name, ticks):
        pass
    env.create_dataset(dataset_id="twinplay/bench-v0", algorithm_name="scripted")


def work(method: str, name: str, ticks: int) -> dict[str, float]:
    """One measurement."""
    ticks *= LONGER if method == "long" else 1
    performers: dict[str, Callable[[str, int, Path], None]] = {
        "plain": plain,
        "twinplay": twinplay,
        "long": twinplay,
        "png": png,
        "minari": minari,
    }
    with tempfile.TemporaryDirectory() as folder:
        performers[method](name, 60, Path(folder))  # imports and first-time costs
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        performers[method](name, ticks, Path(folder))
        seconds = time.perf_counter() - started
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    return {"rate": ticks / seconds, "bytes": size / ticks}


def recorder(options: Options) -> Lines:
    """The table of all methods."""
    head = ("environment", "method", "ticks/s", "share of plain speed", "bytes a tick", "peak anonymous memory")
    ratios: list[Ratio] = []
    yield from table(head, rows(options, ratios))
    yield from ratios


def rows(options: Options, ratios: list[Ratio]) -> Iterator[tuple[object, ...]]:
    for name in ("breakout", "hopper"):
        rounds: list[dict[str, dict[str, Any]]] = []
        for _ in range(1 if options.small else ROUNDS):
            ticks = 300 if options.small else TICKS
            target = "tests.benchmarks.recorder:work"
            rounds.append({method: alone(target, method=method, name=name, ticks=ticks) for method in METHODS})
        for method, title in METHODS.items():
            share = median([found[method]["rate"] / found["plain"]["rate"] for found in rounds])
            if method == "long":
                ratios.append(Ratio(f"recording {get_spec(name).title} / env.step", share))
            rate = median([found[method]["rate"] for found in rounds])
            size = "" if method == "plain" else f"{rounds[0][method]['bytes']:,.0f}"
            memory = median([found[method]["peak"] for found in rounds]) / 1e6
            yield name, title, f"{rate:,.0f}", f"{100 * share:.0f} %", size, f"{memory:,.0f} MB"
