"""Stacked samples a second of one core: Twinplay's batches, and four ways that one might pick instead.

    twinplay     Dataset.draw: packed screens on disk, unpacked at random
    pool         the same from a pool, in a cache too small for everything
    tensors      every preprocessed screen in memory, batches by indexing: no loader can do less
    session      torch's DataLoader over single samples, each read from the recording and preprocessed
    png          the same from a folder of PNG files
    hdf5         the same from HDF5 as Minari 0.5.4 writes it: RGB, uncompressed, in chunks of h5py's own choice

A sample is five screens of 84 x 84 (now, and 2, 4, 8 and 16 ticks ago) and an action.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from recorder import Session
from tests.benchmarks.common import Lines, Options, Ratio, alone, play, table

BATCH = 128
METHODS = {
    "twinplay": "Twinplay, all data",
    "pool": "Twinplay, from a pool of a third",
    "tensors": "preprocessed arrays in memory",
    "session": "DataLoader, one sample at a time, recording",
    "png": "DataLoader, one sample at a time, PNG files",
    "hdf5": "DataLoader, one sample at a time, HDF5",
}


@contextlib.contextmanager
def batches_of(method: str, session: Session, folder: Path) -> Iterator[Callable[[], Any]]:
    """What gives the next batch of a way to make them."""
    from trainer import TrainConfig
    from trainer.data.dataset import Dataset

    small = 170 * len(session) if method == "pool" else 8_000_000_000
    config = TrainConfig.for_env("breakout", network="nature", cache_bytes=small)
    rng = np.random.default_rng(0)
    if method in ("twinplay", "pool"):
        data = Dataset([session], config)
        with contextlib.closing(data):
            list(data.load())
            yield lambda: data.draw(rng, BATCH)
    elif method == "tensors":
        yield in_memory(session, config, rng)
    else:
        yield one_at_a_time(method, session, config, folder)


def in_memory(session: Session, config: Any, rng: np.random.Generator) -> Callable[[], Any]:
    """Batches from all screens as one array, by NumPy, whose indexing is quicker than torch's here."""
    from trainer.data.samples import Batch
    from trainer.policy.preprocess import Preprocess

    preprocess = Preprocess.of(config)
    read = (session.screens(first, first + 600) for first in range(0, len(session), 600))
    screens = np.concatenate([preprocess.from_stored(some, session.palette) for some in read])
    actions = session.actions.astype(np.int64)
    ages = np.array(config.history)

    def batch() -> Batch:
        rows = rng.integers(16, len(screens), BATCH)
        labels, nothing = actions[rows], np.zeros((BATCH, 2), np.int64)
        seen = screens[rows[:, None] - ages]
        none, no_positions = nothing[:, :0], np.empty((BATCH, 0, 0), np.float32)
        return Batch(seen, labels, labels[:, None], nothing, none, no_positions, nothing[:, 0], np.arange(BATCH), BATCH)

    return batch


def one_at_a_time(method: str, session: Session, config: Any, folder: Path) -> Callable[[], Any]:
    """Batches of torch's DataLoader over a dataset of single samples, shuffled."""
    import cv2
    import h5py
    import torch

    from trainer.policy.preprocess import Preprocess

    preprocess = Preprocess.of(config)
    if method == "png":
        for tick, screen in enumerate(session.frames[0 : len(session)]):
            cv2.imwrite(str(folder / f"{tick:06d}.png"), screen[:, :, ::-1])
    if method == "hdf5":
        with h5py.File(folder / "main.hdf5", "w") as file:
            file.create_dataset(
                "observations", data=session.frames[0 : len(session)], chunks=True, maxshape=(None, 210, 160, 3)
            )
    file = h5py.File(folder / "main.hdf5") if method == "hdf5" else None
    actions = session.actions

    def screen(tick: int) -> Any:
        if method == "png":
            return cv2.imread(str(folder / f"{tick:06d}.png"))[:, :, ::-1]
        return session.palette[session.screens(tick, tick + 1)[0]] if file is None else file["observations"][tick]

    class Samples(torch.utils.data.Dataset[Any]):
        def __len__(self) -> int:
            return len(session) - 16

        def __getitem__(self, index: int) -> Any:
            tick = index + 16
            seen = [preprocess.from_rgb(np.ascontiguousarray(screen(tick - age))) for age in config.history]
            return torch.from_numpy(np.stack(seen)), int(actions[tick])

    batches = iter(torch.utils.data.DataLoader(Samples(), BATCH, shuffle=True))
    return lambda: next(batches)


def work(method: str, path: str, seconds: float) -> dict[str, float]:
    """Samples a second of a core and of the clock, on one core."""
    import torch

    from trainer.learn.learner import keep_freed_memory

    torch.set_num_threads(1)
    keep_freed_memory()
    with (
        tempfile.TemporaryDirectory() as folder,
        batches_of(method, Session.open(path), Path(folder)) as batch,
    ):
        batch()
        count, begun, busy = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - begun < seconds:
            batch()
            count += BATCH
        return {
            "rate": count / (time.process_time() - busy),
            "clock": count / (time.perf_counter() - begun),
        }


def loader(options: Options) -> Lines:
    """The table of all methods, on the same play."""
    with tempfile.TemporaryDirectory() as folder:
        session = play(Path(folder), 3_000 if options.small else 6_000)
        found = {
            method: alone(
                "tests.benchmarks.loader:work", method=method, path=str(session.path), seconds=1 if options.small else 5
            )
            for method in METHODS
        }
    first = found["twinplay"]["rate"]
    yield from table(
        ("method", "stacked samples per second per core", "Twinplay / this", "peak anonymous memory"),
        (
            (title, f"{found[m]['rate']:,.0f}", f"{first / found[m]['rate']:,.2f}", f"{found[m]['peak'] / 1e6:,.0f} MB")
            for m, title in METHODS.items()
        ),
    )
    yield Ratio("batches / arrays in memory", first / found["tensors"]["rate"])
