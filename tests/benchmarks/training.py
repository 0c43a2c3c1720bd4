"""Batches a second of a training, by where the batches come from, taking turns in one process.

    twinplay   drawn as training does, from packed screens on disk
    pool       drawn from a pool while the next one is read
    tensors    indexed from preprocessed arrays in memory
    ready      the same batch again and again: no loader at all

They take turns batch by batch, so that whatever else the machine does hits all. On a machine that others use, a batch's
time varies by more than any loader takes; the last column therefore divides the medians of what was measured apart:
the network's part, over all, and each loader's.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path

import numpy as np

from recorder import Session
from tests.benchmarks.common import Lines, Options, Ratio, alone, median, play, table
from tests.benchmarks.loader import BATCH, batches_of

METHODS = {
    "twinplay": "Twinplay, all data",
    "pool": "Twinplay, from a pool of a third, while the next is read",
    "tensors": "preprocessed arrays in memory",
    "ready": "the same batch every time",
}


def work(path: str, turns: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of the clock of each batch of each method: to make it, and to learn from it."""
    import torch

    from recorder.system.cores import available_cores
    from trainer import TrainConfig
    from trainer.learn.learner import Learner

    torch.set_num_threads(available_cores())
    session = Session.open(path)
    learner = Learner(TrainConfig.for_env("breakout", network="nature"), session.spec, torch.device("cpu"))
    rng = np.random.default_rng(0)
    seconds: dict[str, list[tuple[float, float]]] = {method: [] for method in METHODS}
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
                batch = sources[method]()
                made = time.perf_counter()
                learner.step(batch, 2, 1e-4, rng)
                seconds[method].append((made - begun, time.perf_counter() - made))
    return seconds


def training(options: Options) -> Lines:
    """The table of all sources."""
    with tempfile.TemporaryDirectory() as folder:
        session = play(Path(folder), 3_000 if options.small else 12_000)
        turns = 5 if options.small else 60
        found = alone("tests.benchmarks.training:work", path=str(session.path), turns=turns)
    whole = {method: median([sum(turn) for turn in found[method]]) for method in METHODS}
    makes = {method: median([turn[0] for turn in found[method]]) for method in METHODS}
    learns = median([turn[1] for method in METHODS for turn in found[method]])
    best = learns + makes["tensors"]
    yield from table(
        (
            f"batches of {BATCH}, network nature",
            "batches/s",
            "time to make one",
            "share of arrays in memory",
            "share from separate medians",
        ),
        (
            (
                title,
                f"{1 / whole[method]:.1f}",
                f"{1e3 * makes[method]:.2f} ms",
                f"{whole['tensors'] / whole[method]:.3f}",
                f"{best / (learns + makes[method]):.3f}",
            )
            for method, title in METHODS.items()
        ),
    )
    yield Ratio("training / arrays in memory", whole["tensors"] / whole["twinplay"])
