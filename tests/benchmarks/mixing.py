"""How diverse batches are, compared with full shuffling.

A batch is as good as one of shuffled data if no part of the recordings is over-represented in it. Measured on batches
of 128, drawn without weights from many sessions of equal length:

    sessions             distinct sessions in a batch
    distance             mean distance of two samples of a batch in the sequence of all ticks, in thirds of its length;
                         1 for independent samples
    spread of places     variance of the batches' mean position in that sequence, and
    spread of sessions   variance of the batches' share of every second session, both relative to independent samples:
                         1 for these, 128 if every batch were all of one kind
    seen                 share of the ticks that were drawn, after as many samples as there are ticks; 63 % for
                         independent samples

The shuffle buffer works like those of tf.data and WebDataset. It is as large as the smallest pool and is filled session
after session.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recorder import Session, record
from recorder.agents.experts import scripted
from tests.benchmarks.common import Options, table

BATCH = 128
COLUMNS = (
    "Columns: distinct sessions in a batch; mean distance of two samples; spread of the batches' mean position in the "
    "data and of their share of every second session (1: independent samples, 128: batches of one kind); share of all "
    "ticks drawn."
)
Draw = Callable[[], npt.NDArray[np.int64]]


def material(folder: Path, sessions: int, ticks: int) -> list[Session]:
    """Hopper in games of 1,000 ticks: cheap to make, and pools are made of it as of anything."""
    return [
        record("hopper", scripted("hopper", k), library=folder, seconds=ticks / 125, seed=k) for k in range(sessions)
    ]


def figures(draw: Draw, ticks: int, sessions: int, batches: int) -> dict[str, float]:
    """The measures of the module over so many batches of rows below `ticks`, of sessions of equal length."""
    drawn = np.stack([draw() for _ in range(batches)])
    places = drawn / ticks
    half = BATCH // 2
    odd = drawn * sessions // ticks % 2  # a label that whole sessions share
    return {
        "sessions": float(np.mean([len(np.unique(rows * sessions // ticks)) for rows in drawn])),
        "distance": float(3 * np.abs(places[:, :half] - places[:, half : 2 * half]).mean()),
        "spread of places": float(BATCH * places.mean(axis=1).var() / (1 / 12)),
        "spread of sessions": float(BATCH * odd.mean(axis=1).var() / 0.25),
        "seen": float(len(np.unique(drawn)) / ticks),
    }


def shuffle_buffer(ticks: int, size: int, rng: np.random.Generator) -> Draw:
    """Read in order, keep `size`, give a random one of them away for each that comes."""
    buffer, place = np.arange(size), size

    def draw() -> npt.NDArray[np.int64]:
        nonlocal place
        given = np.empty(BATCH, np.int64)
        for k in range(BATCH):
            index = int(rng.integers(size))
            given[k], buffer[index] = buffer[index], place % ticks
            place += 1
        return given

    return draw


def draws(sessions: list[Session], cache_bytes: int) -> tuple[Draw, Callable[[], None], int, float]:
    """How Twinplay draws rows in a cache of this size, how to end it, of how many rows, and a pool's share of them."""
    from trainer import TrainConfig
    from trainer.data.dataset import Dataset

    config = TrainConfig.for_env("hopper", batch_size=BATCH, validation_share=0.01, cache_bytes=cache_bytes)
    data = Dataset(sessions, config)
    list(data.load())
    mix = data._sampler
    assert mix is not None
    rng = np.random.default_rng(0)
    share = len(mix._buffer.rows) / data.ticks if mix._buffer is not None else 1.0
    return lambda: mix.draw(rng, BATCH), data.close, data.ticks, share


def mixing(options: Options) -> Iterator[str]:
    """The table of all ways to draw."""
    count, ticks = (8, 1_000) if options.small else (40, 5_000)
    with tempfile.TemporaryDirectory() as name:
        sessions = material(Path(name), count, ticks)
        total = sum(len(session) for session in sessions)
        batches = total // BATCH
        rng = np.random.default_rng(1)
        found = {"independent samples (NumPy)": figures(lambda: rng.integers(0, total, BATCH), total, count, batches)}
        size = total // 8
        for share in (1, 4, 8):
            draw, close, rows, held = draws(sessions, int(total * (80 if share == 1 else 72 / 0.375 / share)))
            what = "all data" if share == 1 else f"pools of {100 * held:.0f} %"
            found[f"Twinplay, {what}"] = figures(draw, rows, count, batches)
            close()
            size = int(held * total)
        title = f"shuffle buffer of {100 * size / total:.0f} %"
        found[title] = figures(shuffle_buffer(total, size, rng), total, count, batches)
    yield f"{count} sessions of {ticks:,} ticks, {batches:,} batches of {BATCH}. {COLUMNS}"
    yield ""
    head = ["batches of", *found["independent samples (NumPy)"]]
    yield from table(head, ((name, *(f"{value:.2f}" for value in values.values())) for name, values in found.items()))
