"""A session's group opened for reading; every array is checked before it is read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BytesCodec, Crc32cCodec, TransposeCodec, ZstdCodec
from zarr.core.chunk_grids import RegularChunkGrid
from zarr.core.chunk_key_encodings import DefaultChunkKeyEncoding
from zarr.core.metadata import ArrayV3Metadata
from zarr.errors import GroupNotFoundError

from recorder.errors import first_line
from recorder.store.places import Folder, LocalFolder, Place, on_this_computer
from recorder.store.untrusted import MAX_CHUNK_BYTES, METADATA, StoreError
from recorder.store.zarr_store.chunks import Array, ChunkCodec
from recorder.store.zarr_store.durable import DurableStore
from recorder.store.zarr_store.rows import StoredArray
from recorder.store.zarr_store.untrusted_stores import RemoteStore, UntrustedStore

MAX_ROWS = 1 << 26  # 300 hours at 60 Hz
_CODECS = [BytesCodec, ZstdCodec, Crc32cCodec]  # of every array; screens are transposed first
# The exceptions that zarr raises for invalid metadata.
_METADATA_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    RecursionError,
    OverflowError,
    NotImplementedError,
    GroupNotFoundError,
)


class StoredGroup:
    """A group opened for reading. Its files may come from anybody, so every array is checked before it is read."""

    def __init__(self, place: Place, head: bytes | None = None) -> None:
        """`head` is the `zarr.json` of a group at a URL, if already known.

        Raises StoreError if `place` is not a readable Zarr v3 group, and RemoteError.
        """
        self.place = place
        self.folder: Folder
        store: UntrustedStore | RemoteStore
        if isinstance(place, Path):
            self.folder, store = LocalFolder(place), UntrustedStore(place)
            if not (place / METADATA).is_file():
                kind = "it is a file" if place.is_file() else "there is no such folder"
                raise StoreError("it has no zarr.json" if place.is_dir() else kind)
        else:
            from recorder.store.remote import RemoteFolder

            self.folder = folder = RemoteFolder(place, head)
            store = RemoteStore(folder)
            if folder.head() is None:
                raise StoreError("it has no zarr.json" if folder.exists() else "it does not exist")
        self._store = store
        try:
            # Consolidated metadata in the group repeat those of the arrays, but the digest does not cover them.
            self._group = zarr.open_group(store, mode="r", zarr_format=3, use_consolidated=False)
            self.attributes: dict[str, Any] = dict(self._group.attrs)
        except _METADATA_ERRORS as error:
            raise StoreError(f"its zarr.json is damaged ({first_line(error)})") from error

    def array(self, name: str, shape: tuple[int, ...] | None, dtype: str, rows: int | None = None) -> StoredArray:
        """The array `name`, each row of `shape` (None: one axis of any length), with at least `rows` rows.

        Raises StoreError, naming the expected and the found value.
        """
        try:
            array = self._group[name]
        except KeyError:
            raise StoreError(f"the array '{name}' is missing") from None
        except _METADATA_ERRORS as error:
            raise StoreError(f"the array '{name}' is damaged ({first_line(error)})") from error
        if not isinstance(array, zarr.Array):
            raise StoreError(f"'{name}' is not an array")
        assert isinstance(array.metadata, ArrayV3Metadata)
        row = array.shape[1:]
        if str(array.dtype) != dtype or (row != shape if shape is not None else len(row) != 1):
            raise StoreError(f"'{name}' has {array.dtype} {row} per row, expected {dtype} {shape or '(n,)'}")
        codecs = array.metadata.codecs
        turned = isinstance(codecs[0], TransposeCodec) and codecs[0].order == (*range(1, array.ndim), 0)
        if [type(codec) for codec in codecs[turned:]] != _CODECS or codecs[turned] == BytesCodec(endian="big"):
            names = ", ".join(type(codec).__name__ for codec in codecs)
            raise StoreError(f"'{name}' is stored with codecs that sessions do not use ({names})")
        regular = isinstance(array.metadata.chunk_grid, RegularChunkGrid)
        if not regular or array.chunks[1:] != row or array.chunks[0] < 1:
            raise StoreError(f"'{name}' is not divided into chunks of whole rows")
        if array.metadata.chunk_key_encoding != DefaultChunkKeyEncoding(separator="."):
            raise StoreError(f"'{name}' has chunk names that sessions do not use")
        chunk_bytes = math.prod(array.chunks) * array.dtype.itemsize
        if chunk_bytes > MAX_CHUNK_BYTES or array.shape[0] > MAX_ROWS:
            raise StoreError(f"'{name}' claims {array.shape[0]:,} rows in chunks of {chunk_bytes:,} bytes")
        if rows is not None and array.shape[0] < rows:
            raise StoreError(f"'{name}' has {array.shape[0]} rows, expected {rows}")
        stored = StoredArray(array)
        self._check_chunks(name, stored, array.shape[0] if rows is None else rows)
        return stored

    def read(self, array: StoredArray, selection: int | slice) -> Array:
        """A row, or a slice of rows without gaps, of an array of this group.

        Raises StoreError when a chunk is damaged or missing.
        """
        chosen = slice(selection, selection + 1) if isinstance(selection, int) else selection
        start, stop, _ = chosen.indices(array.shape[0])
        try:
            self._store.expect(array, range(start, stop))
            rows = array.read(start, stop, self._store.content)
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            raise StoreError(f"a chunk of '{array.path}' is damaged ({first_line(error)})") from error
        return rows[0] if isinstance(selection, int) else rows

    def _check_chunks(self, name: str, array: StoredArray, rows: int) -> None:
        """Raise StoreError for a missing chunk: it would read as zeros, which are valid actions."""
        try:
            present = self.folder.names(name)
        except OSError as error:
            raise StoreError(f"the array '{name}' is damaged ({first_line(error)})") from error
        for index in range(-(-rows // array.chunk)):
            if array.key(index).removeprefix(f"{name}/") not in present:
                start = index * array.chunk
                raise StoreError(f"the chunk of '{name}' for rows {start} to {start + array.chunk - 1} is missing")

    def set_attributes(self, **attributes: Any) -> None:
        """Change attributes of a session that is not being written; None removes one, the others keep their values.

        Raises OSError, and StoreError if the group can no longer be read.
        """
        path = on_this_computer(self.place)
        changed = StoredGroup(path).attributes | attributes
        self.attributes = {k: v for k, v in changed.items() if v is not None or k not in attributes}
        store = DurableStore(path)
        store.fixed = True
        store.write_attributes(self.attributes)
        store.sync()

    def set_column(self, name: str, values: Array) -> None:
        """Replace the first rows of a column; only for the user's annotations and to mend a torn table of episodes.

        Raises OSError, and StoreError for a column that cannot be read.
        """
        store, codec = DurableStore(on_this_computer(self.place)), ChunkCodec()
        array = self.array(name, (), str(values.dtype), len(values))
        chunk = array.chunk
        rows = self.read(array, slice(-(-len(values) // chunk) * chunk))
        rows[: len(values)] = values
        store.fixed = True
        for start in range(0, len(values), chunk):
            whole = np.zeros(chunk, values.dtype.newbyteorder("<"))
            here = rows[start : start + chunk]
            whole[: len(here)] = here
            store.write(array.key(start // chunk), codec.encode(whole))
        store.sync()
