"""Reads rows of an array from its chunks.

    a chunk's file ─▶ checksum, zstd ─▶ memory that is used again ─▶ transposed back ─▶ rows

See the package for why chunks are unpacked here and not by zarr: 60 screens take 0.6 to 1.5 ms instead of 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import TransposeCodec
from zarr.core.metadata import ArrayV3Metadata

from recorder.store.zarr_store.chunks import Array, ChunkCodec, chunk_key

_FEW_ROWS = 8  # of fewer, NumPy copies each by itself faster than OpenCV transposes them
_KEPT_BYTES, _MOST_KEPT = 8 << 20, 4
_CODEC = ChunkCodec()
_memory: list[npt.NDArray[np.uint8]] = []  # what nobody uses at the moment; taken and given back by any thread


class StoredArray:
    """An array to be read; what zarr's metadata say of it is looked up once. Make it of one that has been checked."""

    def __init__(self, array: zarr.Array[Any]) -> None:
        metadata = array.metadata
        assert isinstance(metadata, ArrayV3Metadata)
        self.path, self.shape, self.chunk = array.path, array.shape, array.chunks[0]
        self._dtype = np.dtype(array.dtype)
        self._chunk_bytes = math.prod(array.chunks) * self._dtype.itemsize
        self._transposed = isinstance(metadata.codecs[0], TransposeCodec)

    def key(self, index: int) -> str:
        """The file of a chunk, relative to the session."""
        return chunk_key(self.path, index, len(self.shape))

    def read(self, start: int, stop: int, content: Callable[[str], bytes | None]) -> Array:
        """The rows [start, stop); `content` is that of a file.

        Raises ValueError or RuntimeError for a chunk that is damaged, and whatever `content` raises.
        """
        rows, dtype = self.chunk, self._dtype.newbyteorder("<")
        found = np.empty((max(0, stop - start), *self.shape[1:]), self._dtype)
        memory = _take(self._chunk_bytes)
        part = memory[: self._chunk_bytes]
        for index in range(start // rows, -(-stop // rows) if len(found) else 0):
            chunk = content(self.key(index))
            if chunk is None:
                raise ValueError(f"there is none for row {index * rows}")
            _CODEC.unpack(chunk, part)
            first = index * rows
            here = slice(max(start - first, 0), min(stop - first, rows))
            target = found[first + here.start - start : first + here.stop - start]
            if self._transposed:
                _turn(part.view(dtype).reshape(-1, rows)[:, here], target.reshape(len(target), -1))
            else:
                target[...] = part.view(dtype).reshape(rows, *self.shape[1:])[here]
        if len(memory) <= _KEPT_BYTES and len(_memory) < _MOST_KEPT:
            _memory.append(memory)
        return found


def _take(size: int) -> npt.NDArray[np.uint8]:
    """At least `size` bytes, with anything in them."""
    try:
        memory = _memory.pop()
    except IndexError:
        memory = np.empty(0, np.uint8)
    return memory if len(memory) >= size else np.empty(size, np.uint8)


def _turn(columns: Array, target: Array) -> None:
    """Copy columns (n, rows) to the rows of `target`, (rows, n)."""
    if columns.dtype.itemsize == 1 and len(target) >= _FEW_ROWS:
        turned = cv2.transpose(columns, target)
        assert np.shares_memory(turned, target)
    else:
        target[...] = columns.T
