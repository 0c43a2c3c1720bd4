"""A cache of preprocessed ticks: runs of rows of a TickTable, with random access."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.data.frame_codec import PackedFrames, PlainRows, Store
from trainer.data.tick_table import Rows, TickTable


class FrameCache:
    """Runs of rows, in files of at most `limit` bytes in all. It creates the folder `path` for them.

    Raises OSError if they cannot be written.
    """

    def __init__(self, path: Path, tick_table: TickTable, limit: int) -> None:
        path.mkdir()
        self._path = path
        self._tick_table = tick_table
        self._store: Store
        if tick_table.locate is not None:
            self._store = PlainRows(path, (tick_table.positions,), "float32", limit)
        elif not tick_table.spec.sees_screen:
            self._store = PlainRows(path, tick_table.spec.observation_shape, "float32", limit)
        elif tick_table.spec.colours == "rgb":
            self._store = PlainRows(path, tick_table.screen_shape, "uint8", limit)
        else:
            self._store = PackedFrames(path, tick_table.screen_shape, limit)
        self._runs: list[range] = []

    def fill(self, runs: Iterable[range]) -> Iterator[int]:
        """Read runs of rows, each within a part, in this order; yields the number of rows read every now and then.

        Raises NoRoomError when the limit is reached; the runs before that are kept. Raises SessionError.
        """
        done = 0
        try:
            for run in runs:
                for inputs in self._tick_table.inputs(run):
                    self._store.append(inputs)
                    done += len(inputs)
                    yield done
                self._runs.append(run)
        finally:
            self._seal()

    def take(self, rows: Rows) -> npt.NDArray[Any]:
        """The inputs of rows (…), all of which must be in the cache: uint8 (…, size, size) or float32 (…, m)."""
        flat = rows.reshape(-1)
        run = np.searchsorted(self._firsts, flat, "right") - 1
        inputs = self._store.take(self._positions[run] + flat - self._firsts[run])
        return inputs.reshape(*rows.shape, *inputs.shape[1:])

    @property
    def held(self) -> int:
        """The number of runs in the cache."""
        return len(self._runs)

    @property
    def filled(self) -> float:
        """The share of the limit that is used."""
        return self._store.filled

    def close(self) -> None:
        """Remove the files."""
        self._store.close()
        shutil.rmtree(self._path, ignore_errors=True)

    def _seal(self) -> None:
        self._store.seal()
        firsts = np.array([run.start for run in self._runs], np.int64)
        lengths = np.array([len(run) for run in self._runs], np.int64)
        # Two runs may overlap at their ends; rows from the later one's first on are looked up there.
        order = np.argsort(firsts, kind="stable")
        self._firsts = firsts[order]
        self._positions = (np.cumsum(lengths) - lengths)[order]
