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


def read_rows(array: zarr.Array[Any], start: int, stop: int, content: Callable[[str], bytes | None]) -> Array:
    """The rows [start, stop) of an array that `StoredGroup.array` has checked; `content` is that of a file.

    Raises ValueError or RuntimeError for a chunk that is damaged, and whatever `content` raises.
    """
    metadata, rows = array.metadata, array.chunks[0]
    assert isinstance(metadata, ArrayV3Metadata)
    transposed = isinstance(metadata.codecs[0], TransposeCodec)
    dtype = np.dtype(array.dtype).newbyteorder("<")
    size = math.prod(array.chunks) * dtype.itemsize
    memory = _take(size)
    found = np.empty((max(0, stop - start), *array.shape[1:]), array.dtype)
    for index in range(start // rows, -(-stop // rows) if len(found) else 0):
        chunk = content(chunk_key(array, index))
        if chunk is None:
            raise ValueError(f"there is none for row {index * rows}")
        _CODEC.unpack(chunk, memory[:size])
        values = memory[:size].view(dtype)
        first = index * rows
        here = slice(max(start - first, 0), min(stop - first, rows))
        target = found[first + here.start - start : first + here.stop - start]
        if transposed:
            _turn(values.reshape(-1, rows)[:, here], target.reshape(len(target), -1))
        else:
            target[...] = values.reshape(array.chunks)[here]
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
