"""What benches share: processes of their own for what is measured, data to measure with, tables."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder import Session, record
from recorder.agents.experts import scripted
from recorder.system.jobs import resolve

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Options:
    """`small` takes seconds; `minutes` are those of play in real time."""

    small: bool = False
    minutes: float = 10.0


@dataclass(frozen=True)
class Ratio:
    """A result for the history (tests.benchmarks.history): how many times as good as an alternative."""

    name: str
    value: float


@dataclass(frozen=True)
class Figure:
    """A picture for the page, as SVG: `about` says what it shows, `text` stands for it where there are no pictures."""

    name: str
    svg: str
    about: str
    text: str


Lines = Iterator["str | Ratio | Figure"]


def alone(target: str, **arguments: Any) -> dict[str, Any]:
    """What `target(**arguments)`, of JSON values, returns in a process of its own.

    With "peak", the most anonymous memory (RssAnon, bytes) that it had meanwhile, and "wall", its seconds.
    """
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.common", target, json.dumps(arguments)]
    begun, peak = time.perf_counter(), 0
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak = max(peak, rss_anon(process.pid))
            time.sleep(0.02)
        assert process.stdout is not None
        output = process.stdout.read()
    assert process.returncode == 0, f"{target} failed"
    return {**json.loads(output.splitlines()[-1]), "peak": peak, "wall": time.perf_counter() - begun}


def rss_anon(pid: int) -> int:
    """Anonymous memory of a process in bytes; 0 once it has gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def play(folder: Path, ticks: int, seed: int = 1) -> Session:
    """Breakout of the scripted player."""
    return record("breakout", scripted("breakout", seed), library=folder, seconds=ticks / 60, seed=seed)


def copies(session: Session, folder: Path, count: int) -> list[str]:
    """The paths of so many copies of a session: long data at the price of short."""
    folder.mkdir()
    paths = [folder / f"2026-01-01T00-{k // 60:02d}-{k % 60:02d}-breakout.zarr" for k in range(count)]
    for path in paths:
        shutil.copytree(session.path, path)
    return [str(path) for path in paths]


def table(head: Sequence[str], rows: Iterator[Sequence[object]]) -> Iterator[str]:
    """A Markdown table, line by line; all columns but the first are numbers."""
    yield f"| {' | '.join(head)} |"
    yield "|---|" + "---:|" * (len(head) - 1)
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return float(statistics.median(values))


if __name__ == "__main__":
    print(json.dumps(resolve(sys.argv[1])(**json.loads(sys.argv[2]))))
