"""How long a list of many sessions takes with the index and without."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from recorder import Library, record
from recorder.agents.experts import scripted
from recorder.library.index import FILE as INDEX
from tests.benchmarks.common import Lines, Options, Ratio, median

LISTED = 1_000


def library(options: Options) -> Lines:
    """Copies of one short session, listed."""
    listed = 50 if options.small else LISTED
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session = record("hopper", scripted("hopper"), library=folder / "original", seconds=1)
        time.sleep(2.1)  # what has just changed is not indexed
        for number in range(listed):
            shutil.copytree(session.path, folder / f"2026-01-01T00-00-00-hopper-{number}.zarr")

        def seconds() -> float:
            begun = time.perf_counter()
            assert len(Library(folder).sessions()) == listed
            return time.perf_counter() - begun

        opened = []
        for _ in range(5):
            (folder / INDEX).unlink(missing_ok=True)
            opened.append(seconds())
        one, other = median(opened), median([seconds() for _ in range(15)])
        yield f"{listed:,} sessions: {one:.2f} s by opening each, {other:.3f} s from the index, {one / other:.0f} : 1"
        yield Ratio("listing from the index / opening each", one / other)
