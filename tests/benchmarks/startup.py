"""How long commands and imports take, beside the imports that a script of one's own would begin with."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from tests.benchmarks.common import ROOT, Lines, Options, Ratio, median, table

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "twinplay --help": ["-m", "player", "--help"],
    "twinplay sessions, with an empty library": ["-m", "player", "sessions", "--library", "{library}"],
    "import recorder": ["-c", "import recorder"],
    "import trainer": ["-c", "import trainer"],
    "import gymnasium, ale_py": ["-c", "import gymnasium, ale_py"],
    "import torch": ["-c", "import torch"],
    "import gymnasium, ale_py, torch, minari": ["-c", "import gymnasium, ale_py, torch, minari"],
}
ROUNDS = 7


def startup(options: Options) -> Lines:
    """Medians over rounds that take turns, and as multiples of Python's own start."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as library:
        for _ in range(2 if options.small else ROUNDS + 1):
            for name, arguments in COMMANDS.items():
                command = [sys.executable, "-W", "ignore", *(part.format(library=library) for part in arguments)]
                begun = time.perf_counter()
                subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
                seconds[name].append(time.perf_counter() - begun)
    taken = {name: median(times[1:]) for name, times in seconds.items()}  # the first one warms the disk's cache
    least = taken["python -c pass"]
    yield from table(
        ("command", "seconds", "relative to Python's start-up"),
        ((f"`{name}`", f"{taken[name]:.2f}", f"{taken[name] / least:.1f}") for name in COMMANDS),
    )
    yield Ratio("import recorder / import torch", taken["import torch"] / taken["import recorder"])
