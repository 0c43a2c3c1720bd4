"""The history of the benchmarks' ratios: a line for each whole run of `make bench`, so that a regression is seen.

    | date | commit | processor | recording Breakout | … |
    | 2026-11-29 | 1a2b3c4 | Intel Xeon, AVX-512 | 0.84 | … |

Ratios compare with an alternative in the same run, so they hardly depend on how fast or busy a machine is; higher is
better. What a run did not measure stays empty.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.common import ROOT

HEADING = "## History"
_ABOUT = (
    "Ratios of each whole run to the alternative in the tables above (higher is better). `make bench` adds a line, and "
    "says what became worse by a tenth or more since the last line of the same kind of processor."
)
_FIXED = ("date", "commit", "processor")
_WORSE = 0.9


@dataclass(frozen=True)
class Run:
    """A line: where and when it was measured, and the ratios by name."""

    date: str
    commit: str
    processor: str
    ratios: Mapping[str, float]

    @classmethod
    def here(cls, ratios: Mapping[str, float]) -> Run:
        """A run of today, of the present commit, on this machine."""
        command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
        commit = subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"
        return cls(datetime.now(UTC).date().isoformat(), commit, processor(), ratios)


def processor() -> str:
    """Its kind, and the instructions that matter to trainings."""
    told = dict(re.findall(r"^(model name|flags)\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE))
    able = {"avx512f": "AVX-512", "avx512_bf16": "bfloat16", "amx_bf16": "AMX"}
    name = re.sub(r"\((R|TM)\)|Processor|CPU|@.*", "", told.get("model name", "unknown")).split()
    return ", ".join([" ".join(name), *(text for flag, text in able.items() if flag in told.get("flags", "").split())])


def read(text: str) -> list[Run]:
    """The lines of a Markdown file that has the heading."""
    table = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.partition(HEADING)[2].splitlines()
        if line.startswith("|") and not line.startswith("|--")
    ]
    if not table:
        return []
    names = table[0][len(_FIXED) :]
    return [
        Run(
            *row[: len(_FIXED)],
            {name: float(cell) for name, cell in zip(names, row[len(_FIXED) :], strict=False) if cell},
        )
        for row in table[1:]
    ]


def write(runs: list[Run]) -> str:
    """The section of these lines."""
    names = list(dict.fromkeys(name for run in runs for name in run.ratios))
    lines = [f"| {' | '.join([*_FIXED, *names])} |", "|---|---|---|" + "---:|" * len(names)]
    for run in runs:
        cells = [f"{run.ratios[name]:.2f}" if name in run.ratios else "" for name in names]
        lines.append(f"| {' | '.join([run.date, run.commit, run.processor, *cells])} |")
    return "\n".join([HEADING, "", _ABOUT, "", *lines, ""])


def worse(runs: list[Run]) -> list[str]:
    """What the last run did clearly worse than the one before it on the same kind of processor."""
    *before, last = runs
    known = [run for run in before if run.processor == last.processor]
    if not known:
        return []
    return [
        f"{name}: {value:.2f}, was {known[-1].ratios[name]:.2f} on {known[-1].date} ({known[-1].commit})"
        for name, value in last.ratios.items()
        if name in known[-1].ratios and value < _WORSE * known[-1].ratios[name]
    ]


def add(file: Path, run: Run) -> list[str]:
    """Add a line to the end of a Markdown file; returns what became worse."""
    text = file.read_text() if file.exists() else ""
    runs = [*read(text), run]
    file.write_text(f"{text.partition(HEADING)[0].rstrip()}\n\n{write(runs)}")
    return worse(runs)
