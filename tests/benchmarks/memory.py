"""Memory and temporary files of a training, by the length of what it learns from.

Long data are many copies of one recording of 20,000 ticks: each is read, packed and drawn from as if it were another.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.common import Options, alone, copies, play, table

TICKS = 20_000
LENGTHS = (100_000, 300_000, 1_000_000)


def work(paths: list[str], batches: int, cache_bytes: int) -> dict[str, float]:
    """Train for some batches; the bytes of temporary files at their most, and the core's seconds that reading took."""
    from trainer import TrainConfig, fit

    config = TrainConfig.for_env(
        "breakout",
        network="nature",
        max_batches=batches,
        checks=0,
        play_games=0,
        threads=1,
        cache_bytes=cache_bytes,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tempfile.tempdir = name
        most, begun, loaded = 0, time.process_time(), 0.0
        for progress in fit(paths, config, out=folder / "clone.safetensors"):
            if progress.stage == "load" and progress.fraction == 1.0:
                loaded = time.process_time() - begun
            if progress.stage == "train":
                files = [file for made in folder.glob("twinplay-*") for file in made.rglob("*") if file.is_file()]
                most = max(most, sum(file.stat().st_size for file in files))
        return {"files": most, "loaded": loaded}


def memory(options: Options) -> Iterator[str]:
    """The curve, and the same in a cache too small for it."""
    ticks = 600 if options.small else TICKS
    batches = 10 if options.small else 100
    lengths = [length // 100 for length in LENGTHS] if options.small else list(LENGTHS)
    caches = {8_000_000_000: "all data", lengths[-1] * 40: "a pool"}
    head = ("ticks", "drawn from", "peak anonymous memory", "temporary files", "bytes a tick", "reading, core time")
    return table(head, rows(ticks, lengths, batches, caches))


def rows(ticks: int, lengths: list[int], batches: int, caches: dict[int, str]) -> Iterator[tuple[object, ...]]:
    for cache, how in caches.items():
        for length in lengths if cache > 1e9 else lengths[-1:]:
            with tempfile.TemporaryDirectory() as name:
                session = play(Path(name), ticks)
                paths = copies(session, Path(name) / "copies", length // ticks)
                target = "tests.benchmarks.memory:work"
                found = alone(target, paths=paths, batches=batches, cache_bytes=cache)
            yield (
                f"{length:,}",
                how,
                f"{found['peak'] / 1e6:,.0f} MB",
                f"{found['files'] / 1e6:,.1f} MB",
                f"{found['files'] / length:,.0f}",
                f"{found['loaded']:,.0f} s",
            )
