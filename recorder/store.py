"""Growing Zarr v3 arrays that survive a crash, and the only door to zarr.

    rows ──▶ tail (the unfinished chunk, in memory) ──▶ chunk files ──fsync──▶ `ticks` in the group's attributes ──fsync

Decision: an unfinished chunk becomes durable by writing it again, whole, at every commit, and a commit ends by storing
the number of ticks it vouches for in the group's attributes. Background: zarr replaces files atomically but does not
fsync, and `Array.append` grows the shape before it writes, so a crash can leave rows that read as zeros, which are
valid actions. Readers therefore trim every (T, …) array to `ticks`. Alternative: a journal for the tail, rejected
because a session would then need our code to be read.

Codecs are of Zarr's core and registered set only: `transpose` (time fastest, so that zstd sees each pixel's history),
`bytes`, `zstd`, `crc32c` (a flipped bit in a zstd chunk can decode silently wrong). All-zero chunks are stored as well:
a missing one is then a loss that shows, not a run of NOOPs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import BytesCodec, Crc32cCodec, TransposeCodec, ZstdCodec
from zarr.core.buffer import Buffer
from zarr.core.metadata import ArrayV3Metadata
from zarr.errors import GroupNotFoundError
from zarr.storage import LocalStore

Array = npt.NDArray[Any]

# Level 3 is zstd's own default; higher ones gained under 5 % on screens and cost several times the time.
_ZSTD_LEVEL = 3
_MAX_CHUNK_BYTES = 64 << 20
_MAX_ROWS = 1 << 40


class StoreError(Exception):
    """A group or array is not as it should be; the message says how, without the path."""


class _TrackedStore(LocalStore):
    """A LocalStore that remembers what was written, so that a commit can fsync it."""

    def __init__(self, root: Path | str, *, read_only: bool = False) -> None:
        super().__init__(root, read_only=read_only)
        self.written: set[str] = set()

    async def set(self, key: str, value: Buffer) -> None:
        await super().set(key, value)
        self.written.add(key)

    def sync(self) -> None:
        folders = set()
        for key in self.written:
            path = Path(self.root) / key
            _fsync(path)
            folders.add(path.parent)
        for folder in folders:
            _fsync(folder)
        self.written.clear()


def _fsync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders; its directory entries are journalled
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class GrowingArray:
    """One array of a session, extended at its end. Keeps the unfinished last chunk in memory; see the module."""

    def __init__(self, group: zarr.Group, name: str, shape: tuple[int, ...], dtype: str, chunk: int) -> None:
        """`shape` is that of one row; `chunk` counts rows."""
        compressors = [ZstdCodec(level=_ZSTD_LEVEL), Crc32cCodec()]
        axes = len(shape) + 1
        filters = [TransposeCodec(order=(*range(1, axes), 0))] if len(shape) > 1 else []
        self._array = group.create_array(
            name,
            shape=(0, *shape),
            chunks=(chunk, *shape),
            dtype=dtype,
            filters=filters,
            serializer=BytesCodec() if np.dtype(dtype).itemsize == 1 else BytesCodec(endian="little"),
            compressors=compressors,
            fill_value=0,
            chunk_key_encoding={"name": "default", "separator": "."},  # one file a chunk, no folders below the array
            config={"write_empty_chunks": True},
        )
        self._chunk = chunk
        self._tail = np.empty((0, *shape), dtype)
        self.rows = 0

    def append(self, rows: Array) -> None:
        """Write `rows` (n, …) at the end; whole chunks and the unfinished one alike."""
        if not len(rows):
            return
        block = np.concatenate([self._tail, rows]) if len(self._tail) else rows
        start = self.rows - len(self._tail)
        end = start + len(block)
        self._array.resize((end, *block.shape[1:]))
        self._array[start:end] = block
        self._tail = block[len(block) - (end % self._chunk) :].copy()
        self.rows = end

    def replace(self, rows: Array) -> None:
        """Write the whole array anew; for small tables only."""
        self._array.resize(rows.shape)
        if len(rows):
            self._array[:] = rows
        self._tail, self.rows = rows[len(rows) - len(rows) % self._chunk :].copy(), len(rows)


class GrowingGroup:
    """The Zarr group of a session being written."""

    def __init__(self, path: Path, attributes: dict[str, Any]) -> None:
        """`path` must be an existing, empty folder."""
        self._store = _TrackedStore(path)
        self._group = zarr.create_group(self._store, zarr_format=3, attributes=attributes)

    def array(self, name: str, shape: tuple[int, ...], dtype: str, chunk: int) -> GrowingArray:
        """A new array; `name` may lie in a subgroup ("keys/code")."""
        return GrowingArray(self._group, name, shape, dtype, chunk)

    def commit(self, **attributes: Any) -> None:
        """Make everything written durable, then the attributes that vouch for it."""
        self._store.sync()
        self._group.attrs.update(attributes)
        self._store.sync()


class StoredGroup:
    """A group opened for reading, with every array checked before it is touched."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError when `path` is not a readable Zarr v3 group."""
        self.path = path
        if not (path / "zarr.json").is_file():
            raise StoreError("it holds no zarr.json" if path.is_dir() else "there is no such folder")
        try:
            self._group = zarr.open_group(LocalStore(path, read_only=True), mode="r", zarr_format=3)
            self.attributes: dict[str, Any] = dict(self._group.attrs)
        except (OSError, ValueError, TypeError, KeyError, GroupNotFoundError) as error:
            raise StoreError(f"its zarr.json is damaged ({_first_line(error)})") from error

    def array(self, name: str, shape: tuple[int, ...] | None, dtype: str, rows: int | None = None) -> zarr.Array[Any]:
        """The array `name`, each row of `shape` (None: one axis of any length), with at least `rows` rows.

        Raises StoreError, naming what was expected and what was found.
        """
        try:
            array = self._group[name]
        except KeyError:
            raise StoreError(f"the array '{name}' is missing") from None
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(f"the array '{name}' is damaged ({_first_line(error)})") from error
        if not isinstance(array, zarr.Array):
            raise StoreError(f"'{name}' is not an array")
        row = array.shape[1:]
        if str(array.dtype) != dtype or (row != shape if shape is not None else len(row) != 1):
            raise StoreError(f"'{name}' holds {array.dtype} {row} a row, expected {dtype} {shape or '(n,)'}")
        chunk_bytes = int(np.prod(array.chunks, dtype=np.float64)) * array.dtype.itemsize
        if chunk_bytes > _MAX_CHUNK_BYTES or array.shape[0] > _MAX_ROWS:
            raise StoreError(f"'{name}' claims {array.shape[0]} rows in chunks of {chunk_bytes} bytes")
        if rows is not None and array.shape[0] < rows:
            raise StoreError(f"'{name}' has {array.shape[0]} rows, expected {rows}")
        self._check_chunks(name, array, array.shape[0] if rows is None else rows)
        return array

    def _check_chunks(self, name: str, array: zarr.Array[Any], rows: int) -> None:
        """A chunk that is not there would read as zeros, which are valid actions."""
        assert isinstance(array.metadata, ArrayV3Metadata)  # the group was opened as version 3
        encode = array.metadata.chunk_key_encoding.encode_chunk_key
        present = set(os.listdir(self.path / name))
        others = (0,) * (array.ndim - 1)
        for index in range(-(-rows // array.chunks[0])):
            if encode((index, *others)) not in present:
                start = index * array.chunks[0]
                raise StoreError(f"the chunk of '{name}' for rows {start} to {start + array.chunks[0] - 1} is missing")

    def set_attributes(self, **attributes: Any) -> None:
        """Change attributes of a finished session; its arrays are never changed."""
        zarr.open_group(LocalStore(self.path), mode="r+", zarr_format=3).attrs.update(attributes)


def read(array: zarr.Array[Any], selection: Any) -> Array:
    """Read part of an array. Raises StoreError when a chunk is damaged or missing."""
    try:
        return np.asarray(array[selection])
    except (OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
        raise StoreError(f"a chunk of '{array.name.strip('/')}' is damaged ({_first_line(error)})") from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
