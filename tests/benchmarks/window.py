"""The real window on a virtual screen: what holds it up, and real time beside a training."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recorder import Library, Session, record
from recorder.agents.experts import scripted
from tests.benchmarks.common import Options
from trainer.runs.runs import Run, Runs, RunState

if TYPE_CHECKING:
    from tests.ui.conftest import Hand

OFFERED = 200  # sessions
PLAYED_S = 60.0


def responsive(options: Options) -> Iterator[str]:
    """Everything one can do in it, one after the other."""
    from player.support.sample import SAMPLE
    from tests.ui.conftest import Hand, virtual_screen

    with tempfile.TemporaryDirectory() as name, virtual_screen() as display:
        folder = Path(name)
        library, measured = folder / "library", folder / "held-up.json"
        sample = SAMPLE.add(library).session
        for k in range(1, 5 if options.small else OFFERED):
            shutil.copytree(sample, library / f"2026-10-01T10-{k // 60:02d}-{k % 60:02d}-breakout.zarr")
        hand = Hand(display, folder, "--library", str(library), "--watch-responsiveness", str(measured))
        told = 0

        def tell(what: str) -> str:
            nonlocal told
            time.sleep(1)
            gaps = [f"{ms:.0f}" for _, ms in json.loads(measured.read_text())["held_up"]]
            new, told = gaps[told:], len(gaps)
            return f"- {what}: {', '.join(new) or 'never'}"

        def go(page: str) -> None:
            hand.click(f"{page}Tab")
            hand.wait(lambda: hand.look()["state"]["page"] == page)

        yield "Times for which the window was blocked, in ms, if over 50 ms, from the first event that it handles:"
        yield ""
        try:
            hand.arrive()
            yield tell("start")
            for page in ("library", "train", "watch", "record", "library", "train", "watch"):
                go(page)
                yield tell(f"to {page}")
            hand.click("menuButton")
            yield tell("menu")
            hand.click("diagnosticsAction")
            yield tell("diagnostics")
            hand.xdotool("key", "F1")
            hand.wait(lambda: "shortcutsDialog" in hand.look()["widgets"])
            yield tell("shortcuts")
            hand.click("shortcutsClose")
            hand.wait(lambda: "shortcutsDialog" not in hand.look()["widgets"])
            hand.focus()
            go("record")
            hand.click("recordButton")
            hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
            yield tell("record")
            hand.hold("Left", 3.0)
            yield tell("play")
            hand.click("stopButton")
            hand.wait(lambda: hand.look()["state"]["recording"] == "idle")
            yield tell("stop")
        finally:
            hand.close()


def first(options: Options) -> Iterator[str]:
    """From an empty home to the clone beside one's take, in the default preset's time."""
    from tests.ui.conftest import Hand, virtual_screen

    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name, virtual_screen() as display:
        began = last = time.monotonic()

        def lap(step: str) -> str:
            nonlocal last
            now = time.monotonic()
            told, last = f"- {step}: {now - last:.1f} s", now
            return told

        def text(widget: str) -> str:
            return str(hand.look()["widgets"].get(widget, {}).get("text", ""))

        hand = Hand(display, Path(name), "--countdown", "3")
        try:
            hand.arrive()
            yield lap("the window is there")
            hand.xdotool("key", "space")
            hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
            yield lap("3, 2, 1")
            while time.monotonic() < last + (5.0 if options.small else PLAYED_S):
                hand.hold("space", 0.05)  # serves, and begins the next game
                for _ in range(4):
                    hand.hold(rng.choice(["Left", "Right"]), rng.uniform(0.05, 0.6))
            yield lap("played")
            hand.xdotool("key", "Escape")
            hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
            yield lap("the take is kept")
            hand.xdotool("key", "ctrl+2")
            hand.wait(lambda: text("sessionFactsLabel"))
            yield lap("the library shows it")
            hand.click("libraryTrainButton")
            hand.wait(lambda: hand.look()["widgets"].get("trainButton", {}).get("enabled"))
            hand.xdotool("key", "ctrl+Return")
            hand.wait(lambda: "left" in text("trainHeadline"), 1_200)
            yield lap("the training has begun")
            hand.xdotool("key", "ctrl+2")
            hand.wait(lambda: "twin is ready" in text("noticeText"), 1_200)
            yield lap("the clone is ready")
            hand.click("noticeAction")
            hand.wait(lambda: min(hand.look()["state"]["watch_ticks"] or [0]) > 20)
            yield lap("both play")
            yield ""
            yield f"In all: {time.monotonic() - began:.0f} s."
        finally:
            hand.close()


def train_in_the_window(hand: Hand) -> None:
    """Train on the only session, with the preset that takes longest."""
    hand.click("trainTab")
    hand.click("presetChoice")
    hand.xdotool("key", "End", "Return")
    hand.click("trainButton")


def processor_seconds(pid: int) -> float:
    """What a process and its children that have ended have used of all cores (Linux)."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in after_name[11:15]) / os.sysconf("SC_CLK_TCK")


def realtime(options: Options) -> Iterator[str]:
    """Minutes of play at 60 Hz, with keys pressed all the time, beside a training on all cores."""
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
            hand.wait(lambda: "left" in hand.look()["widgets"].get("trainHeadline", {}).get("text", ""), 120)
            trainer = training().status.pid
            before, begun = processor_seconds(trainer), time.monotonic()
            hand.click("recordTab")
            hand.click("recordButton")
            hand.wait(lambda: hand.look()["state"]["recording"] == "recording")
            until = time.monotonic() + 60 * (0.2 if options.small else options.minutes)
            while time.monotonic() < until:
                hold("space", 0.05)  # serves, and begins the next game
                for _ in range(4):
                    hold(rng.choice(["Left", "Right"]), rng.uniform(0.05, 0.6))
            keys.stdin.close()
            keys.wait()
            assert training().status.state is RunState.RUNNING, "the training ended before the play"
            used = (processor_seconds(trainer) - before) / (time.monotonic() - begun)
            hand.click("stopButton")
            hand.wait(lambda: "takeSummary" in hand.look()["widgets"])
        finally:
            hand.close()  # pauses the training
        (path,) = {summary.path for summary in Library(library).sessions()} - {taught.path}
        session = Session.open(path)
        lateness = (session.time_ns - session.due_ns) / 1e6
        timing = session.timing
        assert timing is not None
        games, cores = len(session.scores), os.cpu_count()
        yield f"{len(session):,} ticks in {games} games: {timing}"
        yield f"beside a training started in the window, which used {used:.1f} of {cores} cores"
        yield f"rate {timing.rate_hz:.3f} Hz, interval p50 {timing.p50_ms:.2f} ms, p99 {timing.p99_ms:.2f} ms"
        share, p99 = 100 * timing.late_ticks / timing.ticks, np.percentile(lateness, 99)
        yield f"ticks over 8 ms late: {timing.late_ticks:,} ({share:.3f} %); lateness p99 {p99:.2f} ms"
        yield f"{session.size_bytes / len(session):.1f} bytes a tick"
