"""Measurements that are too long, or too noisy, for the suite: `make bench`, or `python -m tests.bench NAME`.

cost        recording at full speed beside plain env.step, PNG files with a CSV, and Minari's DataCollector
library     listing a thousand sessions, from the index and by opening each
kills       20 recorders killed at random moments
mutations   1,000 damaged and malicious files
responsive  how long the window was held up by each thing one can do in it, with 200 sessions in the library
first       the seconds of each step from an empty home to the clone beside one's take (docs/first-five-minutes.md)
realtime    minutes of play at 60 Hz in the real window, beside a training started in it on all cores (--minutes)
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recorder import Library, Session, record
from recorder.envs import Env, Game, get_spec
from recorder.experts import scripted
from recorder.index import FILE as INDEX
from recorder.rollout import episode_seed
from trainer.runs import Run, Runs, RunState

if TYPE_CHECKING:
    from tests.ui.conftest import Hand

ROOT = Path(__file__).parents[1]
LONGER = 10
METHODS = {
    "plain": "plain env.step",
    "twinplay": "Twinplay",
    "long": f"Twinplay, {LONGER} times as long",
    "png": "PNG files and a CSV",
    "minari": "Minari DataCollector, HDF5",
}
ROUNDS = 3
TICKS = {"breakout": 6_000, "hopper": 6_000}
KILLS, MUTATIONS = 20, 1_000
LISTED, OFFERED = 1_000, 200  # sessions
PLAYED_S = 60.0


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
            if get_spec(name).has_screen:
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


def work(method: str, name: str, ticks: int) -> None:
    """One measurement, in a process of its own."""
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
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"rate": ticks / seconds, "bytes": size / ticks, "memory": memory}))


def cost() -> None:
    print("| environment | method | ticks/s | share of plain speed | bytes a tick | peak memory |")
    print("|---|---|---:|---:|---:|---:|")
    for name, ticks in TICKS.items():
        rounds: list[dict[str, Any]] = []
        for _ in range(ROUNDS):
            found = {}
            for method in METHODS:
                command = [sys.executable, "-W", "ignore", "-m", "tests.bench", "work", method, name, str(ticks)]
                output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
                found[method] = json.loads(output.splitlines()[-1])
            rounds.append(found)
        for method, title in METHODS.items():
            share = statistics.median(found[method]["rate"] / found["plain"]["rate"] for found in rounds)
            rate = statistics.median(found[method]["rate"] for found in rounds)
            size = "" if method == "plain" else f"{rounds[0][method]['bytes']:,.0f}"
            memory = statistics.median(found[method]["memory"] for found in rounds) / 1e6
            print(f"| {name} | {title} | {rate:,.0f} | {100 * share:.0f} % | {size} | {memory:,.0f} MB |", flush=True)


def kills() -> None:
    from tests.recorder.test_durability import kill_a_recorder

    first = random.SystemRandom().randrange(1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + KILLS):
            print(kill_a_recorder(Path(folder), seed), flush=True)


def mutations() -> None:
    from tests.test_hostile import check_mutations, make_originals

    with tempfile.TemporaryDirectory() as folder:
        make_originals(Path(folder))
        print(check_mutations(Path(folder), random.SystemRandom().randrange(1_000_000), MUTATIONS))


def responsive() -> None:
    from player.sample import SAMPLE
    from tests.ui.conftest import Hand, virtual_screen

    with tempfile.TemporaryDirectory() as name, virtual_screen() as display:
        folder = Path(name)
        library, measured = folder / "library", folder / "held-up.json"
        sample = SAMPLE.add(library).session
        for k in range(1, OFFERED):
            shutil.copytree(sample, library / f"2026-10-01T10-{k // 60:02d}-{k % 60:02d}-breakout.zarr")
        hand = Hand(display, folder, "--library", str(library), "--watch-responsiveness", str(measured))
        told = 0

        def tell(what: str) -> None:
            nonlocal told
            time.sleep(1)
            gaps = [f"{ms:.0f}" for _, ms in json.loads(measured.read_text())["held_up"]]
            print(f"{what}: {', '.join(gaps[told:]) or 'never'}", flush=True)
            told = len(gaps)

        def go(page: str) -> None:
            hand.click(f"{page}Tab")
            hand.wait(lambda: hand.look()["state"]["page"] == page)

        print("held up for longer than 50 ms, in ms:")
        try:
            hand.arrive()
            tell("start")
            for page in ("library", "train", "watch", "record", "library", "train", "watch"):
                go(page)
                tell(f"to {page}")
            hand.click("menuButton")
            tell("menu")
            hand.click("diagnosticsAction")
            tell("diagnostics")
            hand.xdotool("key", "F1")
            hand.wait(lambda: "shortcutsDialog" in hand.look()["widgets"])
            tell("shortcuts")
            hand.click("shortcutsClose")
            hand.wait(lambda: "shortcutsDialog" not in hand.look()["widgets"])
            hand.focus()
            go("record")
            hand.click("recordButton")
            hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
            tell("record")
            hand.hold("Left", 3.0)
            tell("play")
            hand.click("stopButton")
            hand.wait(lambda: hand.look()["state"]["recording"] == "idle")
            tell("stop")
        finally:
            hand.close()


def first() -> None:
    from tests.ui.conftest import Hand, virtual_screen

    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name, virtual_screen() as display:
        began = last = time.monotonic()

        def lap(step: str) -> None:
            nonlocal last
            now = time.monotonic()
            print(f"{step}: {now - last:.1f} s", flush=True)
            last = now

        def text(widget: str) -> str:
            return str(hand.look()["widgets"].get(widget, {}).get("text", ""))

        hand = Hand(display, Path(name), "--countdown", "3")
        try:
            hand.arrive()
            lap("the window is there")
            hand.xdotool("key", "space")
            hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
            lap("3, 2, 1")
            while time.monotonic() < last + PLAYED_S:
                hand.hold("space", 0.05)  # serves, and begins the next game
                for _ in range(4):
                    hand.hold(rng.choice(["Left", "Right"]), rng.uniform(0.05, 0.6))
            lap("played")
            hand.xdotool("key", "Escape")
            hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
            lap("the take is kept")
            hand.xdotool("key", "ctrl+2")
            hand.wait(lambda: text("sessionFactsLabel"))
            lap("the library shows it")
            hand.click("libraryTrainButton")
            hand.wait(lambda: hand.look()["widgets"].get("trainButton", {}).get("enabled"))
            hand.xdotool("key", "ctrl+Return")
            hand.wait(lambda: "left" in text("trainHeadline"), 1_200)
            lap("the training has begun")
            hand.xdotool("key", "ctrl+2")
            hand.wait(lambda: "twin is ready" in text("noticeText"), 1_200)
            lap("the clone is ready")
            hand.click("noticeAction")
            hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) > 20)
            lap("both play")
            print(f"in all: {time.monotonic() - began:.0f} s")
        finally:
            hand.close()


def train_in_the_window(hand: Hand) -> None:
    """Train on the only session, with the preset that takes longest."""
    hand.click("trainTab")
    hand.click("presetChoice")
    hand.xdotool("key", "End", "Return")
    hand.click("trainButton")


def realtime(minutes: float) -> None:
    from tests.ui.conftest import Hand, virtual_screen

    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name, virtual_screen() as display:
        folder = Path(name)
        library = folder / "library"
        taught = record("breakout", scripted("breakout", 1), library=library, seconds=600, seed=1)
        hand = Hand(display, folder, "--library", str(library))
        # One process for all keys: a person's do not take the processor from the game.
        keys = subprocess.Popen(
            ["xdotool", "-"], stdin=subprocess.PIPE, text=True, env={**os.environ, "DISPLAY": display}
        )
        assert keys.stdin is not None

        def training() -> Run:
            (run,) = Runs(library).all()
            return run

        def hold(key: str, seconds: float) -> None:
            for command in (f"keydown {key}", f"keyup {key}"):
                print(command, file=keys.stdin, flush=True)
                time.sleep(seconds if command.startswith("keydown") else 0.0)

        try:
            hand.arrive()
            train_in_the_window(hand)
            hand.wait(lambda: training().status.batches > 10, 120)
            before, begun = training().status.batches, time.monotonic()
            hand.click("recordTab")
            hand.click("recordButton")
            hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
            until = time.monotonic() + 60 * minutes
            while time.monotonic() < until:
                hold("space", 0.05)  # serves, and begins the next game
                for _ in range(4):
                    hold(rng.choice(["Left", "Right"]), rng.uniform(0.05, 0.6))
            keys.stdin.close()
            keys.wait()
            assert training().status.state is RunState.RUNNING, "the training ended before the play"
            trained = (training().status.batches - before) / (time.monotonic() - begun)
            hand.click("stopButton")
            hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
        finally:
            hand.close()  # pauses the training
        (path,) = {summary.path for summary in Library(library).sessions()} - {taught.path}
        session = Session.open(path)
        lateness = (session.time_ns - session.due_ns) / 1e6
        timing = session.timing
        assert timing is not None
        games, cores = len(session.games), os.cpu_count()
        print(f"{len(session):,} ticks in {games} games: {timing}")
        print(f"beside a training started in the window, {trained:.1f} batches a second on {cores} cores")
        print(f"rate {timing.rate_hz:.3f} Hz, interval p50 {timing.p50_ms:.2f} ms, p99 {timing.p99_ms:.2f} ms")
        share, p99 = 100 * timing.late_ticks / timing.ticks, np.percentile(lateness, 99)
        print(f"ticks over 8 ms late: {timing.late_ticks:,} ({share:.3f} %); lateness p99 {p99:.2f} ms")
        print(f"{session.size_bytes / len(session):.1f} bytes a tick")


def library() -> None:
    """How long a list of many sessions takes with the index and without."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session = record("hopper", scripted("hopper"), library=folder / "original", seconds=1)
        time.sleep(2.1)  # what has just changed is not indexed
        for number in range(LISTED):
            shutil.copytree(session.path, folder / f"2026-01-01T00-00-00-hopper-{number}.zarr")

        def seconds() -> float:
            begun = time.perf_counter()
            assert len(Library(folder).sessions()) == LISTED
            return time.perf_counter() - begun

        opened = []
        for _ in range(5):
            (folder / INDEX).unlink(missing_ok=True)
            opened.append(seconds())
        indexed = [seconds() for _ in range(15)]
        one, other = statistics.median(opened), statistics.median(indexed)
        print(f"{LISTED:,} sessions: {one:.2f} s by opening each, {other:.3f} s from the index, {one / other:.0f} : 1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ("cost", "library", "kills", "mutations", "responsive", "first", "realtime", "work")
    parser.add_argument("name", nargs="?", choices=names)
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    if options.name == "work":
        method, name, ticks = options.arguments
        work(method, name, int(ticks))
    elif options.name == "first":
        first()
    elif options.name == "realtime":
        realtime(options.minutes)
    else:
        benches = {"cost": cost, "library": library, "kills": kills, "mutations": mutations, "responsive": responsive}
        for name, bench in benches.items():
            if options.name in (None, name):
                bench()


if __name__ == "__main__":
    main()
