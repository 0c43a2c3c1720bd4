"""Preprocessed ticks on disk: lossless compression with random access.

    keys    uint8 (groups, pixels)   a key screen for every 120 ticks: for each pixel, the median of three of them
    spots   uint16 (changes,)        the pixels in which a screen differs from its group's key screen
    levels  uint8 (changes,)         their values
    begins  int64 (ticks + 1,)       where the changes of each screen begin

A game's screen hardly changes: of Breakout's 84 x 84 pixels about 42 differ from the key screen. So a tick takes 200
bytes instead of 7,056, and unpacking it means copying a key screen and overwriting 42 pixels. General compressors make
smaller files, but must unpack many screens to return one. (Differences from the previous screen would be fewer, but
have the same drawback.) Vectors are stored unpacked, and so are screens in RGB, whose scenes move as a whole: a change
takes three bytes, and in Car Racing nearly half of the pixels change.

The files are memory-mapped: they use page cache, which the operating system can reclaim, and none of the process's own
memory.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Twice as long saves 2 % of disk, but has half as many pixels again to overwrite; half as long takes a quarter more.
_GROUP_TICKS = 120
_TICK_BYTES = 16  # of `begins`, and of the weight by which a tick is drawn (trainer.data.sampler)


class NoRoomError(Exception):
    """The limit does not allow to store more; what was stored before can be read."""


class Store(Protocol):
    """Ticks that are appended, sealed, and then looked up by position."""

    @property
    def filled(self) -> float:
        """The share of the limit that is taken."""

    def append(self, ticks: Array) -> None:
        """Add ticks (n, …) that belong together. Raises NoRoomError and OSError."""

    def seal(self) -> None:
        """End appending; from now on ticks can be read. Raises OSError."""

    def take(self, positions: npt.NDArray[np.int64]) -> Array:
        """The ticks (m, …) at positions (m,)."""

    def close(self) -> None:
        """Close the files."""


class _Column:
    """A file that grows by rows and is then memory-mapped."""

    def __init__(self, path: Path, dtype: str, shape: tuple[int, ...] = ()) -> None:
        self._path = path
        self._dtype = np.dtype(dtype)
        self._shape = shape
        self._file: BinaryIO = path.open("wb")

    def write(self, rows: Array) -> None:
        self._file.write(np.ascontiguousarray(rows, self._dtype).data)

    def close(self) -> None:
        self._file.close()

    def map(self) -> Array:
        self.close()
        rows = self._path.stat().st_size // (self._dtype.itemsize * math.prod(self._shape))
        if not rows:  # an empty file cannot be mapped
            return np.empty((0, *self._shape), self._dtype)
        return np.asarray(np.memmap(self._path, self._dtype, "r", shape=(rows, *self._shape)))


class PackedFrames:
    """Screens uint8 of `shape` in `folder`, packed as described above into at most `limit` bytes."""

    def __init__(self, folder: Path, shape: tuple[int, ...], limit: int) -> None:
        self._shape = shape
        self._pixels = math.prod(shape)
        self._limit = self._left = limit
        self._firsts: list[int] = []  # the first tick of each group
        self._ticks = self._changes = 0
        self._files = {
            "keys": _Column(folder / "keys", "uint8", (self._pixels,)),
            "spots": _Column(folder / "spots", "uint16"),
            "levels": _Column(folder / "levels", "uint8"),
            "begins": _Column(folder / "begins", "int64"),
        }

    @property
    def filled(self) -> float:
        """See Store."""
        return 1 - self._left / self._limit

    def append(self, ticks: Array) -> None:
        """Add screens uint8 (n, …); see Store."""
        flat = ticks.reshape(len(ticks), self._pixels)
        for first in range(0, len(flat), _GROUP_TICKS):
            self._add_group(flat[first : first + _GROUP_TICKS])

    def _add_group(self, screens: Array) -> None:
        one, two, three = screens[0], screens[len(screens) // 2], screens[-1]
        key = np.maximum(np.minimum(one, two), np.minimum(np.maximum(one, two), three))
        changed = screens != key
        ticks, spots = np.nonzero(changed)
        needed = self._pixels + 3 * len(spots) + _TICK_BYTES * len(screens)
        if needed > self._left:
            raise NoRoomError
        self._left -= needed
        self._files["keys"].write(key)
        self._files["spots"].write(spots)
        self._files["levels"].write(screens[ticks, spots])
        counts = np.bincount(ticks, minlength=len(screens))
        self._files["begins"].write(self._changes + np.cumsum(counts) - counts)
        self._firsts.append(self._ticks)
        self._ticks += len(screens)
        self._changes += len(spots)

    def seal(self) -> None:
        """See Store."""
        self._files["begins"].write(np.array([self._changes]))
        self._keys, self._spots, self._levels, self._begins = (column.map() for column in self._files.values())
        self._groups = np.array(self._firsts, np.int64)

    def take(self, positions: npt.NDArray[np.int64]) -> Array:
        """Screens uint8 (m, …) at positions (m,); see Store."""
        screens = self._keys[np.searchsorted(self._groups, positions, "right") - 1]
        begins = self._begins[positions]
        counts = self._begins[positions + 1] - begins
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        changes = np.repeat(begins - (ends - counts), counts) + np.arange(total)
        places = np.repeat(np.arange(len(positions)) * self._pixels, counts) + self._spots[changes]
        screens.reshape(-1)[places] = self._levels[changes]
        return screens.reshape(len(positions), *self._shape)

    def close(self) -> None:
        """See Store."""
        for column in self._files.values():
            column.close()


class PlainRows:
    """Vectors or screens of `shape` and `dtype` in `folder`, unpacked, in at most `limit` bytes."""

    def __init__(self, folder: Path, shape: tuple[int, ...], dtype: str, limit: int) -> None:
        self._limit = self._left = limit
        self._dtype = np.dtype(dtype)
        self._column = _Column(folder / "rows", dtype, shape)

    @property
    def filled(self) -> float:
        """See Store."""
        return 1 - self._left / self._limit

    def append(self, ticks: Array) -> None:
        """Add rows (n, …); see Store."""
        needed = self._dtype.itemsize * ticks.size + _TICK_BYTES * len(ticks)
        if needed > self._left:
            raise NoRoomError
        self._left -= needed
        self._column.write(ticks)

    def seal(self) -> None:
        """See Store."""
        self._rows = self._column.map()

    def take(self, positions: npt.NDArray[np.int64]) -> Array:
        """Rows (m, …) at positions (m,); see Store."""
        return self._rows[positions]

    def close(self) -> None:
        """See Store."""
        self._column.close()
