"""The arrays and the group of a session that is being written."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zarr
from zarr.codecs import BytesCodec, Crc32cCodec, TransposeCodec, ZstdCodec
from zarr.core.sync import sync

from recorder.store.zarr_store.chunks import (
    RGB_THOROUGH_LEVEL,
    THOROUGH_LEVEL,
    ZSTD_LEVEL,
    Array,
    ChunkCodec,
    chunk_key,
)
from recorder.store.zarr_store.durable import DurableStore


class GrowingArray:
    """One array of a session, which grows at its end. Keeps the unfinished last chunk in memory; see the package.

    A call that raised OSError or MemoryError may be repeated: it then does all of its work.
    """

    def __init__(
        self,
        store: DurableStore,
        group: zarr.Group,
        name: str,
        shape: tuple[int, ...],
        dtype: str,
        chunk: int,
        growth: int,
    ) -> None:
        axes = len(shape) + 1
        # Of palette indices time is the fastest axis. RGB compresses better screen by screen (see the package).
        self._transposed, rgb = axes == 3, axes == 4
        self._array = group.create_array(
            name,
            shape=(0, *shape),
            chunks=(chunk, *shape),
            dtype=dtype,
            filters=[TransposeCodec(order=(*range(1, axes), 0))] if self._transposed else [],
            serializer=BytesCodec() if np.dtype(dtype).itemsize == 1 else BytesCodec(endian="little"),
            compressors=[ZstdCodec(level=ZSTD_LEVEL), Crc32cCodec()],
            fill_value=0,
            chunk_key_encoding={"name": "default", "separator": "."},  # one file a chunk, no folders below the array
        )
        self._store = store
        self._name = name
        self._dtype = np.dtype(dtype).newbyteorder("<")
        self._chunk = chunk
        self._growth = growth
        self._codec = ChunkCodec(RGB_THOROUGH_LEVEL if rgb else THOROUGH_LEVEL)
        self._tail = np.zeros((chunk, *shape), self._dtype)  # the unfinished chunk
        self._turned = np.empty((math.prod(shape), chunk), self._dtype) if self._transposed else None
        self._tail_written = True
        self._chunks = 0  # written so far
        self.rows = 0

    def append(self, rows: Array, *, thorough: bool = False) -> None:
        """Add `rows` (n, …) at the end and write the chunks that are now complete, with `thorough` more compressed."""
        end = self.rows + len(rows)
        if end > self._array.shape[0]:
            self._resize((-(-end // self._chunk) + self._growth) * self._chunk if self._growth else end)
        begun = self.rows % self._chunk
        index, done = self.rows // self._chunk, 0
        while begun + len(rows) - done >= self._chunk:
            until = done + self._chunk - begun
            if begun:
                self._tail[begun:] = rows[done:until]
            self._write_chunk(index, self._tail if begun else rows[done:until], thorough=thorough)
            index, done, begun = index + 1, until, 0
        self._tail[begun : begun + len(rows) - done] = rows[done:]
        self.rows = end
        self._tail_written = False

    def replace(self, rows: Array) -> None:
        """Replace all rows; for small tables only."""
        self.rows = 0
        self.append(rows)

    def amend(self, row: int, value: Any) -> None:
        """Change the value of a row; for columns of scalars only."""
        index, within = divmod(row, self._chunk)
        if index == self.rows // self._chunk:
            self._tail[within] = value
            self._tail_written = False
            return
        self._store.sync()  # so that the file has the latest data, and keeps it if this write fails
        rows = self._codec.decode((self._store.root / self._key(index)).read_bytes(), self._dtype)
        rows[within] = value
        self._write_chunk(index, rows)

    def flush(self) -> None:
        """Write the unfinished chunk."""
        if not self._tail_written:
            if unfinished := self.rows % self._chunk:
                self._tail[unfinished:] = 0
                self._write_chunk(self.rows // self._chunk, self._tail)
            self._tail_written = True

    def finish(self) -> None:
        """Set the stored shape to the actual number of rows."""
        self._resize(self.rows)

    def _resize(self, rows: int) -> None:
        if rows != self._array.shape[0]:
            # To look for the chunks that a shape far ahead allows but nobody wrote takes longest of all.
            beyond = self._chunks > -(-rows // self._chunk)
            shape = (rows, *self._array.shape[1:])
            sync(self._array.async_array.resize(shape, delete_outside_chunks=beyond))

    def _write_chunk(self, index: int, rows: Array, *, thorough: bool = False) -> None:
        """Encode as the array's metadata says: transposed, little-endian, zstd, and its checksum."""
        rows = np.ascontiguousarray(rows, self._dtype)
        try:
            if self._transposed:
                # takes a fifth of NumPy's time, releases Python's lock, and reuses memory
                rows = cv2.transpose(rows.reshape(self._chunk, -1), self._turned)
            content = self._codec.encode(rows, thorough=thorough)
        except (cv2.error, RuntimeError) as error:  # what these libraries raise where there is no memory
            raise MemoryError from error
        self._store.write(self._key(index), content)
        self._chunks = max(self._chunks, index + 1)

    def _key(self, index: int) -> str:
        return chunk_key(self._name, index, self._array.ndim)


class GrowingGroup:
    """The Zarr group of a session being written."""

    def __init__(self, path: Path, attributes: dict[str, Any]) -> None:
        """`path` must be an existing, empty folder."""
        self._store = DurableStore(path)
        self._attributes = attributes
        self._group = zarr.create_group(self._store, zarr_format=3, attributes=attributes)
        self._arrays: list[GrowingArray] = []

    def array(self, name: str, shape: tuple[int, ...], dtype: str, chunk: int, *, growth: int = 0) -> GrowingArray:
        """A new array of rows of `shape`, `chunk` of them in a chunk; `name` may lie in a subgroup ("keys/code").

        The stored shape is up to `growth` chunks ahead of the rows.
        """
        self._arrays.append(GrowingArray(self._store, self._group, name, shape, dtype, chunk, growth))
        return self._arrays[-1]

    def move_to(self, path: Path) -> None:
        """Move the folder to `path`, which must not exist (OSError). No arrays can be added after that."""
        self._store.move_to(path)
        self._store.fixed = True

    def commit(self, **attributes: Any) -> None:
        """Make all appended rows durable, then write the attributes that refer to them; None removes one."""
        for array in self._arrays:
            array.flush()
        self._store.sync()
        self._attributes = {k: v for k, v in (self._attributes | attributes).items() if v is not None}
        self._store.write_attributes(self._attributes)
        self._store.sync()
