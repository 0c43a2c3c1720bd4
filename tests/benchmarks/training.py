"""Batches a second of a training, by where the batches come from, taking turns in one process.

    twinplay   drawn as training does, from packed screens on disk
    pool       drawn from a pool while the next one is read
    tensors    indexed from preprocessed tensors in memory
    ready      the same batch again and again: no loader at all

A turn is some batches of each; ratios are of the medians over turns, so that whatever else the machine does hits all.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recorder import Session
from tests.benchmarks.common import Options, alone, median, play, table
from tests.benchmarks.loader import BATCH, batches_of

METHODS = {
    "twinplay": "Twinplay, all at hand",
    "pool": "Twinplay, from a pool of a third, reading ahead",
    "tensors": "preprocessed tensors in memory",
    "ready": "one batch again and again",
}


def work(path: str, turns: int, count: int) -> dict[str, list[float]]:
    """Seconds a batch of each method, turn by turn."""
    import torch

    from recorder.jobs import available_cores
    from trainer import TrainConfig
    from trainer.learner import Learner

    torch.set_num_threads(available_cores())
    session = Session.open(path)
    learner = Learner(TrainConfig.for_env("breakout"), session.spec, torch.device("cpu"))
    rng = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {method: [] for method in METHODS}
    with contextlib.ExitStack() as stack:
        sources = {
            method: stack.enter_context(batches_of(method, session, Path())) for method in METHODS if method != "ready"
        }
        ready = sources["tensors"]()
        sources["ready"] = lambda: ready
        for source in sources.values():
            learner.step(source(), 1, 1e-4, rng)
        for turn in range(turns):
            for method in np.random.default_rng(turn).permutation(list(METHODS)).tolist():
                begun = time.perf_counter()
                for _ in range(count):
                    learner.step(sources[method](), 2, 1e-4, rng)
                seconds[method].append((time.perf_counter() - begun) / count)
    return seconds


def training(options: Options) -> Iterator[str]:
    """The table of all sources."""
    with tempfile.TemporaryDirectory() as folder:
        session = play(Path(folder), 3_000 if options.small else 12_000)
        turns, count = (2, 2) if options.small else (30, 6)
        found = alone("tests.benchmarks.training:work", path=str(session.path), turns=turns, count=count)
    first = median(found["tensors"])
    yield from table(
        (f"batches of {BATCH}, network nature, from", "batches/s", "share of tensors in memory"),
        (
            (title, f"{1 / median(found[method]):.1f}", f"{first / median(found[method]):.3f}")
            for method, title in METHODS.items()
        ),
    )
