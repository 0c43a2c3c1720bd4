"""Which ticks a batch is drawn from: all of them if their packed form fits into the cache, otherwise a pool.

    all:    ████████████████████  every tick of every session, at any time: this is full shuffling
    pool:   ██░█░░███░█░█░░██░█   ten-second pieces, in a new random order for each pass, as many as there is room for;
            ░░█░█░░░░█░█░██░░█░   the next pool is read meanwhile, and replaces this one after a while

Packed (trainer.data.frame_codec), a minute of Breakout takes 0.7 MB and the default cache of 8 GB holds 180 hours, so
usually all data fit. The pool is a shuffle buffer like those of tf.data and WebDataset (Aizman et al. 2019, "High
performance I/O for large scale deep learning"), with two differences. First, it holds pieces drawn at random from all
sessions instead of neighbours in reading order, and samples are drawn from it with replacement, by weight. Second, it
is replaced as a whole, not sample by sample. So its content depends only on the seed and the batch number, and a
training that resumes from a checkpoint gets the same pool again. `python -m tests.benchmarks mixing` compares how
diverse the batches of both are.

A piece includes the ticks before and after it that samples at its edges look at. So in a pool (and only there) one
chunk in ten is decoded twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.system.jobs import Task
from trainer.config import TrainConfig
from trainer.data.frame_cache import FrameCache
from trainer.data.frame_codec import NoRoomError
from trainer.data.tick_table import Ranges, Rows, TickTable
from trainer.errors import TrainingError

_PIECE_TICKS = 600
_ENOUGH_TO_TELL = 100_000  # ticks, after which it can be predicted whether all will fit
# Shares of the cache: two pools (the current and the next one), and the validation ticks.
_POOL_SHARE, _ASIDE_SHARE = 3 / 8, 1 / 4
# How often each tick of a pool is drawn on average before the pool is replaced. With fewer draws a pass over all data
# takes fewer batches, but there is more to read per batch.
_DRAWS = 2
_ROOM = 0.9  # of the number of pieces that fit into the first pool, so that nearly every later pool fits, too
_ORDERS = 0x9001  # separates this random generator from others with the same seed

Weigh = Callable[[Rows], npt.NDArray[np.float64]]


class _ShuffleBuffer:
    """A cache, and rows in it that are drawn by weight (uniformly if there are no weights)."""

    def __init__(self, cache: FrameCache, rows: Ranges, weigh: Weigh | None, file: Path) -> None:
        self.cache = cache
        self.rows = rows
        self._cumulated: npt.NDArray[np.float64] | None = None
        if weigh is not None:
            total = 0.0
            with file.open("wb") as out:
                for block in rows.blocks():
                    cumulated = total + np.cumsum(weigh(block))
                    total = float(cumulated[-1])
                    out.write(cumulated.data)
            self._cumulated = np.asarray(np.memmap(file, "float64", "r"))

    def pick(self, rng: np.random.Generator, count: int) -> Rows:
        if self._cumulated is None:
            return self.rows[rng.integers(0, len(self.rows), count)]
        picks = np.searchsorted(self._cumulated, rng.random(count) * self._cumulated[-1], "right")
        return self.rows[picks.clip(max=len(self.rows) - 1)]


class Sampler:
    """Draws from the training rows `train` of a tick table; its files in `folder` take at most `limit` bytes in all.

    `margins` are the numbers of rows before and after its own that a sample may look at. `weigh` gives the weights
    float64 (n,) of rows (n,); without it all rows have the same weight. `needed` are the runs of rows, each within a
    part, that this one of several processes looks at; they must all fit, since all processes would need the same pool.

    Methods raise TrainingError, SessionError and OSError.
    """

    def __init__(
        self,
        tick_table: TickTable,
        train: Ranges,
        weigh: Weigh | None,
        config: TrainConfig,
        margins: tuple[int, int],
        folder: Path,
        limit: int,
        needed: list[range] | None = None,
    ) -> None:
        self._tick_table = tick_table
        self._needed = needed
        self._train = train
        self._weigh = weigh
        self._config = config
        self._margins = margins
        self._folder = folder
        self._limit = limit
        self._buffer: _ShuffleBuffer | None = None
        self._draws = 0
        self._pieces: list[range] = []  # for pools; empty if all data fit
        self._first = self._each = 0  # how many of them are in the first pool, and in each later one
        self._number = 0  # of the current pool
        self._next: Task | None = None
        self._closing = False

    @property
    def pooled(self) -> bool:
        """Whether batches come from a pool."""
        return bool(self._pieces)

    def load(self, only: list[range] | None = None) -> Iterator[float]:
        """Read everything, or the first pool; yields the share that is done.

        With `only`, rows of some parts, only these are read and drawn from.
        """
        cache = FrameCache(self._folder / "all", self._tick_table, self._limit)
        if only is not None:
            for done in cache.fill(self._tick_table.within(piece, *self._margins) for piece in only):
                yield min(1.0, done / sum(map(len, only)))
            self._buffer = _ShuffleBuffer(cache, Ranges(only), self._weigh, self._folder / "weights")
            return
        runs = self._tick_table.parts if self._needed is None else self._needed
        total = sum(map(len, runs))
        try:
            for done in cache.fill(runs):
                yield done / total
                if done > _ENOUGH_TO_TELL and cache.filled * total > 1.5 * done:
                    raise NoRoomError
            self._buffer = _ShuffleBuffer(cache, self._train, self._weigh, self._folder / "weights")
        except NoRoomError:
            cache.close()
            if self._needed is not None:
                raise TrainingError(
                    f"this process's {total:,} ticks do not fit into {self._limit / 1e6:,.1f} MB of temporary files; "
                    f"free some disk space in {self._folder.parent}, allow more with cache_bytes, or use more "
                    "processes"
                ) from None
            self._pieces = self._tick_table.cut(self._train, _PIECE_TICKS)
            yield from self._fill_pool(0)

    def draw(self, rng: np.random.Generator, count: int) -> Rows:
        """Training rows (count,), for the next batch."""
        if self._pieces:
            for _ in self._go_to(self._draws):
                pass
            self._draws += 1
        return self.some(rng, count)

    def some(self, rng: np.random.Generator, count: int) -> Rows:
        """Training rows (count,) of what is loaded; the next batches are the same with and without this call."""
        assert self._buffer is not None
        return self._buffer.pick(rng, count)

    def take(self, rows: Rows) -> npt.NDArray[Any]:
        """The inputs of rows (…). With a pool, only rows that the samples drawn last may look at are available."""
        assert self._buffer is not None
        return self._buffer.cache.take(rows)

    def put_aside(self, runs: list[range]) -> FrameCache | None:
        """A cache of these runs, to be closed by the caller; None if its share of the room cannot hold them."""
        limit = int(_ASIDE_SHARE * self._limit)
        cache = FrameCache(self._folder / "aside", self._tick_table, limit)
        try:
            for _ in cache.fill(runs):
                pass
        except NoRoomError:
            cache.close()
            return None
        return cache

    def resume(self, draws: int) -> Iterator[float]:
        """Continue as if `draws` batches had been drawn; yields like `load` if something must be read for it."""
        self._draws = draws
        if self._pieces:
            yield from self._go_to(draws)

    def close(self) -> None:
        """Stop reading ahead, and remove the files."""
        self._closing = True
        if self._next is not None:
            self._next.join()
            if self._next.result is not None:
                self._next.result.cache.close()
        if self._buffer is not None:
            self._buffer.cache.close()

    def _go_to(self, draws: int) -> Iterator[float]:
        """Make the pool for draw number `draws` the current one, and start reading the next."""
        number = draws // max(1, _DRAWS * self._each * _PIECE_TICKS // self._config.batch_ticks)
        if self._next is not None and number == self._number:
            return
        if number == self._number + 1 and self._next is not None:
            self._next.join()
            if self._next.error:
                raise TrainingError(self._next.error)
            self._replace(number, self._next.result)
        elif number != self._number:
            yield from self._fill_pool(number)
        self._next = Task(lambda: self._read(number + 1), "read-ahead")

    def _fill_pool(self, number: int) -> Iterator[float]:
        for step in self._pool(number):
            if isinstance(step, _ShuffleBuffer):
                self._replace(number, step)
            else:
                yield step

    def _read(self, number: int) -> _ShuffleBuffer | None:
        """Read a pool; None if it is no longer wanted."""
        with contextlib.closing(self._pool(number)) as steps:
            for step in steps:
                if isinstance(step, _ShuffleBuffer):
                    return step
                if self._closing:
                    break
        return None

    def _replace(self, number: int, buffer: _ShuffleBuffer) -> None:
        if self._buffer is not None:
            self._buffer.cache.close()
        self._buffer, self._number = buffer, number
        if not self._first:
            self._first = buffer.cache.held
            self._each = max(1, int(_ROOM * self._first))

    def _pool(self, number: int) -> Generator[float | _ShuffleBuffer, None, None]:
        """Read a pool; yields the share of its room that is used, and finally the pool."""
        pieces = self._pieces_of(number)
        folder = self._folder / f"pool-{number}"
        cache = FrameCache(folder, self._tick_table, int(_POOL_SHARE * self._limit))
        try:
            with contextlib.suppress(NoRoomError):
                for _ in cache.fill(self._tick_table.within(piece, *self._margins) for piece in pieces):
                    yield cache.filled
            if not cache.held:
                raise TrainingError(
                    f"{self._limit / 1e6:.1f} MB of temporary files are too little for ten seconds of play; free some "
                    f"disk space in {self._folder.parent}, or allow more with cache_bytes"
                )
            yield _ShuffleBuffer(cache, Ranges(pieces[: cache.held]), self._weigh, folder / "weights")
        except BaseException:
            cache.close()
            raise

    def _pieces_of(self, number: int) -> list[range]:
        """The pieces of a pool: the next ones in order, where each pass over all pieces has its own random order."""
        count = len(self._pieces)
        first = self._first + (number - 1) * self._each if number else 0
        places = np.arange(first, first + (self._each if number else count))
        turns = places // count
        indices = np.empty(len(places), np.int64)
        for turn in np.unique(turns).tolist():
            order = np.random.default_rng([self._config.seed, _ORDERS, turn]).permutation(count)
            indices[turns == turn] = order[places[turns == turn] % count]
        # A pool that spans two passes must not contain a piece twice.
        return [self._pieces[index] for index in dict.fromkeys(indices.tolist())]
