"""Growing Zarr v3 arrays that survive a crash, and the only door to zarr.

    rows ──▶ whole chunks ──▶ files ┐
       └──▶ tail (in memory) ───────┴─ commit: tails, fsync, rename, fsync ──▶ `ticks` in the attributes, fsync

Decision: an unfinished chunk becomes durable by writing it again, whole, at every commit, and a commit ends by storing
the number of ticks it vouches for in the group's attributes. A file that replaces another waits under another name
until the commit has fsynced it, since the other may hold what an earlier commit vouched for. Background: zarr replaces
files atomically but does not fsync, and `Array.append` grows the shape before it writes, so a crash can leave rows that
read as zeros, which are valid actions. Readers therefore trim every (T, …) array to `ticks`; the shapes run ahead of
it, in large steps, until the session is finished. Alternative: a journal for the tail, rejected because a session would
then need our code to be read.

Decision: zarr writes the arrays' metadata; chunks and the attributes are written here, chunks byte for byte as zarr
would (a test compares them). Background: zarr hands every step of every chunk to its event loop; done that way, writing
held the interpreter's lock so much that a recording ran at half the emulator's speed.

Codecs are of Zarr's core and registered set only: `transpose` (time fastest, so that zstd sees each pixel's history),
`bytes`, `zstd`, `crc32c` (a flipped bit in a zstd chunk can decode silently wrong). All-zero chunks are stored as well:
a missing one is then a loss that shows, not a run of NOOPs.

What a stranger's session says is not believed: no file is read through a link or from outside its folder, no codec but
these decodes it, and no chunk may unpack to more than it should (see StoredGroup, which reads from URLs as well).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import stat
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import google_crc32c
import numpy as np
import numpy.typing as npt
import zarr
from numcodecs.zstd import Zstd
from zarr.abc.store import ByteRequest
from zarr.codecs import BytesCodec, Crc32cCodec, TransposeCodec, ZstdCodec
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.core.chunk_grids import RegularChunkGrid
from zarr.core.chunk_key_encodings import DefaultChunkKeyEncoding
from zarr.core.metadata import ArrayV3Metadata
from zarr.errors import GroupNotFoundError
from zarr.storage import LocalStore, MemoryStore

from recorder.store.places import Folder, LocalFolder, Place, on_this_computer
from recorder.store.schema import PART
from recorder.store.untrusted import FRAME_HEADER_BYTES, MAX_CHUNK_BYTES, METADATA, StoreError, check_frame, check_size
from recorder.system.files import sync

# zarr's ZARR_ variables and zarr.yaml are for other programs: with them, a whole session would look damaged.
zarr.config.refresh(paths=[], env={})

if TYPE_CHECKING:
    from recorder.store.remote import RemoteFolder

Array = npt.NDArray[Any]

# Level 3 is zstd's own default; higher ones gained under 5 % on screens and cost several times the time.
_ZSTD_LEVEL = 3
MAX_ROWS = 1 << 26  # 300 hours at 60 Hz
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends
_CREATE = os.O_WRONLY | os.O_CREAT | _BINARY
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # a stranger's session may hold a link where a file is to be written
_CODECS = [BytesCodec, ZstdCodec, Crc32cCodec]  # of every array; screens are transposed before
# What zarr raises for metadata that makes no sense.
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


class DurableStore(LocalStore):
    """A LocalStore that loses nothing it had when it is interrupted: what replaces a file takes effect by `sync`."""

    def __init__(self, root: Path | str, *, read_only: bool = False) -> None:
        super().__init__(root, read_only=read_only)
        self.fixed = False  # no more folders are to be made: one that is missing was taken away
        self._folder = str(self.root)
        self._fresh: set[str] = set()
        self._parts: dict[str, str] = {}  # by the name that each is to take
        self._folders: set[str] = {str(self.root.parent)}

    async def set(self, key: str, value: Buffer) -> None:
        self.write(key, value.as_buffer_like())

    def set_sync(self, key: str, value: Buffer) -> None:
        self.write(key, value.as_buffer_like())

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        if not (self.root / key).exists():
            self.write(key, value.as_buffer_like())

    def move_to(self, root: Path) -> None:
        """Sync, then give everything another, new folder. Raises OSError when that exists."""
        self.sync()
        self.root.rename(root)
        self.root, self._folder = root, str(root)
        self._folders.add(str(root.parent))

    def write(self, key: str, content: Any) -> None:
        """Write a file; it is whole and durable after the next `sync`, and until then what it replaces stays.

        A new file needs no other name meanwhile: nothing vouches for it before the sync.
        """
        path = f"{self._folder}/{key}"
        if not self.fixed:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        name = path
        try:
            descriptor = os.open(path, _CREATE | os.O_EXCL, 0o666)
        except FileExistsError:
            name = f"{path}{PART}"
            descriptor = os.open(name, _CREATE | os.O_TRUNC | _NO_LINK, 0o666)
        try:
            with open(descriptor, "wb", buffering=0) as file:
                view = memoryview(content).cast("B")
                while view:
                    view = view[file.write(view) :]
        except BaseException:
            self._parts.pop(path, None)
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        if name == path:
            self._fresh.add(path)
        else:
            self._parts[path] = name
        self._folders.add(os.path.dirname(path))

    def write_attributes(self, attributes: dict[str, Any]) -> None:
        """Write the group's own metadata."""
        metadata = {"attributes": attributes, "zarr_format": 3, "node_type": "group"}
        self.write(METADATA, json.dumps(metadata).encode())

    def sync(self) -> None:
        """Make everything written durable. Raises OSError, and can then be called again."""
        for path in (*self._fresh, *self._parts.values()):
            sync(path)
        self._fresh.clear()
        for path, part in list(self._parts.items()):
            os.replace(part, path)
            del self._parts[path]
        for folder in self._folders:
            sync(folder)
        self._folders.clear()


class GrowingArray:
    """One array of a session, extended at its end. Keeps the unfinished last chunk in memory; see the module.

    A call that raised OSError may be made again: it then does the whole of its work.
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
        self._transposed = axes > 2
        self._array = group.create_array(
            name,
            shape=(0, *shape),
            chunks=(chunk, *shape),
            dtype=dtype,
            filters=[TransposeCodec(order=(*range(1, axes), 0))] if self._transposed else [],
            serializer=BytesCodec() if np.dtype(dtype).itemsize == 1 else BytesCodec(endian="little"),
            compressors=[ZstdCodec(level=_ZSTD_LEVEL), Crc32cCodec()],
            fill_value=0,
            chunk_key_encoding={"name": "default", "separator": "."},  # one file a chunk, no folders below the array
        )
        self._store = store
        self._name = name
        self._dtype = np.dtype(dtype).newbyteorder("<")
        self._chunk = chunk
        self._growth = growth
        self._zstd = Zstd(level=_ZSTD_LEVEL)
        self._tail = np.zeros((chunk, *shape), self._dtype)  # the unfinished chunk
        self._turned = np.empty((math.prod(shape), chunk), self._dtype) if self._transposed else None
        self._tail_written = True
        self.rows = 0

    def append(self, rows: Array) -> None:
        """Add `rows` (n, …) at the end and write the chunks that they complete."""
        end = self.rows + len(rows)
        if end > self._array.shape[0]:
            self._resize((-(-end // self._chunk) + self._growth) * self._chunk if self._growth else end)
        begun = self.rows % self._chunk
        index, done = self.rows // self._chunk, 0
        while begun + len(rows) - done >= self._chunk:
            until = done + self._chunk - begun
            if begun:
                self._tail[begun:] = rows[done:until]
            self._write_chunk(index, self._tail if begun else rows[done:until])
            index, done, begun = index + 1, until, 0
        self._tail[begun : begun + len(rows) - done] = rows[done:]
        self.rows = end
        self._tail_written = False

    def replace(self, rows: Array) -> None:
        """Give the array other rows; for small tables only."""
        self.rows = 0
        self.append(rows)

    def amend(self, row: int, value: Any) -> None:
        """Give a row that was appended another value; of a column of scalars only."""
        index, within = divmod(row, self._chunk)
        if index == self.rows // self._chunk:
            self._tail[within] = value
            self._tail_written = False
            return
        self._store.sync()  # so that the file has what was written last, and keeps it should this write fail
        frame = (self._store.root / self._key(index)).read_bytes()[:-4]
        rows = np.frombuffer(self._zstd.decode(frame), self._dtype).copy()
        rows[within] = value
        self._write_chunk(index, rows)

    def flush(self) -> None:
        """Write the unfinished chunk as it stands."""
        if not self._tail_written:
            if unfinished := self.rows % self._chunk:
                self._tail[unfinished:] = 0
                self._write_chunk(self.rows // self._chunk, self._tail)
            self._tail_written = True

    def finish(self) -> None:
        """Let the stored shape tell the rows there are."""
        self._resize(self.rows)

    def _resize(self, rows: int) -> None:
        if rows != self._array.shape[0]:
            self._array.resize((rows, *self._array.shape[1:]))

    def _write_chunk(self, index: int, rows: Array) -> None:
        """Encode as the array's metadata says: transposed, little-endian, zstd, and its checksum."""
        rows = np.ascontiguousarray(rows, self._dtype)
        if self._transposed:
            # a fifth of NumPy's time, without Python's lock, and into memory that need not be got anew
            rows = cv2.transpose(rows.reshape(self._chunk, -1), self._turned)
        self._store.write(self._key(index), _pack(self._zstd, rows))

    def _key(self, index: int) -> str:
        return f"{self._name}/{'.'.join(['c', str(index), *['0'] * (self._array.ndim - 1)])}"


def _pack(zstd: Zstd, rows: Array) -> bytes:
    frame: bytes = zstd.encode(rows)
    checksum: int = google_crc32c.value(frame)
    return frame + checksum.to_bytes(4, "little")


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

        The stored shape grows `growth` chunks ahead of the rows.
        """
        self._arrays.append(GrowingArray(self._store, self._group, name, shape, dtype, chunk, growth))
        return self._arrays[-1]

    def move_to(self, path: Path) -> None:
        """Move the folder to `path`, which must not exist (OSError). After that, no more arrays."""
        self._store.move_to(path)
        self._store.fixed = True

    def commit(self, **attributes: Any) -> None:
        """Make everything appended durable, then the attributes that vouch for it."""
        for array in self._arrays:
            array.flush()
        self._store.sync()
        self._attributes |= attributes
        self._store.write_attributes(self._attributes)
        self._store.sync()


class _WaryStore(LocalStore):
    """A read-only LocalStore for folders made by strangers. Raises StoreError for what should not be read."""

    def __init__(self, root: Path | str, *, read_only: bool = True) -> None:
        super().__init__(root, read_only=True)
        self._real_root = Path(os.path.realpath(root))

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        await asyncio.to_thread(self._check, key)
        return await super().get(key, prototype, byte_range)

    def get_sync(
        self, key: str, *, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        self._check(key)
        return super().get_sync(key, prototype=prototype, byte_range=byte_range)

    def _check(self, key: str) -> None:
        path = self.root / key
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return
        if not self._real_root.joinpath(key) == Path(os.path.realpath(path)):
            raise StoreError(f"'{key}' is a link or lies outside the session")
        if not stat.S_ISREG(status.st_mode):
            raise StoreError(f"'{key}' is not a file")
        check_size(key, status.st_size)
        if path.name != METADATA:
            with path.open("rb") as file:
                check_frame(key, file.read(FRAME_HEADER_BYTES))


class _RemoteStore(MemoryStore):
    """A read-only store of what a RemoteFolder brings. Raises StoreError for what should not be read."""

    def __init__(self, folder: RemoteFolder) -> None:
        super().__init__(read_only=True)
        self._folder = folder

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        return self.get_sync(key, prototype=prototype, byte_range=byte_range)

    def get_sync(
        self, key: str, *, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        assert byte_range is None  # only shards are read in parts, and no session has any
        content = self._folder.read(key)
        if content is None:
            return None
        if key.rpartition("/")[2] != METADATA:
            check_frame(key, content)
        return (prototype or default_buffer_prototype()).buffer.from_bytes(content)

    def expect(self, array: zarr.Array[Any], selection: Any) -> None:
        """Get all chunks of a selection at once."""
        rows = range(array.shape[0])[selection]
        rows = rows if isinstance(rows, range) else range(rows, rows + 1)
        if rows:
            chunks = range(min(rows) // array.chunks[0], max(rows) // array.chunks[0] + 1)
            self._folder.expect(array.path, chunks, partial(_chunk_key, array))


def _chunk_key(array: zarr.Array[Any], index: int) -> str:
    """The file of a chunk of whole rows, from the top of the session."""
    assert isinstance(array.metadata, ArrayV3Metadata)  # groups are opened as version 3
    key = array.metadata.chunk_key_encoding.encode_chunk_key((index, *(0,) * (array.ndim - 1)))
    return f"{array.path}/{key}"


class StoredGroup:
    """A group opened for reading, with every array checked before it is touched: its files may come from anybody."""

    def __init__(self, place: Place, head: bytes | None = None) -> None:
        """`head` is its `zarr.json`, where it lies at a URL and that is known already.

        Raises StoreError when `place` is not a readable Zarr v3 group, and RemoteError.
        """
        self.place = place
        self.folder: Folder
        store: LocalStore | MemoryStore
        if isinstance(place, Path):
            self.folder, store = LocalFolder(place), _WaryStore(place)
            if not (place / METADATA).is_file():
                raise StoreError("it holds no zarr.json" if place.is_dir() else "there is no such folder")
        else:
            from recorder.store.remote import RemoteFolder

            self.folder = folder = RemoteFolder(place, head)
            store = _RemoteStore(folder)
            if folder.head() is None:
                raise StoreError("it holds no zarr.json" if folder.exists() else "nothing has that name")
        try:
            # Metadata of the arrays that are repeated in the group's own are not what the digest covers.
            self._group = zarr.open_group(store, mode="r", zarr_format=3, use_consolidated=False)
            self.attributes: dict[str, Any] = dict(self._group.attrs)
        except _METADATA_ERRORS as error:
            raise StoreError(f"its zarr.json is damaged ({_first_line(error)})") from error

    def array(self, name: str, shape: tuple[int, ...] | None, dtype: str, rows: int | None = None) -> zarr.Array[Any]:
        """The array `name`, each row of `shape` (None: one axis of any length), with at least `rows` rows.

        Raises StoreError, naming what was expected and what was found.
        """
        try:
            array = self._group[name]
        except KeyError:
            raise StoreError(f"the array '{name}' is missing") from None
        except _METADATA_ERRORS as error:
            raise StoreError(f"the array '{name}' is damaged ({_first_line(error)})") from error
        if not isinstance(array, zarr.Array):
            raise StoreError(f"'{name}' is not an array")
        assert isinstance(array.metadata, ArrayV3Metadata)
        row = array.shape[1:]
        if str(array.dtype) != dtype or (row != shape if shape is not None else len(row) != 1):
            raise StoreError(f"'{name}' holds {array.dtype} {row} a row, expected {dtype} {shape or '(n,)'}")
        codecs = [type(codec) for codec in array.metadata.codecs]
        if codecs[len(codecs) - 3 :] != _CODECS or codecs[:-3] not in ([], [TransposeCodec]):
            names = ", ".join(codec.__name__ for codec in codecs)
            raise StoreError(f"'{name}' is stored with codecs that no session has ({names})")
        if not isinstance(array.metadata.chunk_grid, RegularChunkGrid) or array.chunks[1:] != row:
            raise StoreError(f"'{name}' is not cut into chunks of whole rows")
        if array.metadata.chunk_key_encoding != DefaultChunkKeyEncoding(separator="."):
            raise StoreError(f"'{name}' has its chunks under names that no session has")
        chunk_bytes = math.prod(array.chunks) * array.dtype.itemsize
        if chunk_bytes > MAX_CHUNK_BYTES or array.shape[0] > MAX_ROWS:
            raise StoreError(f"'{name}' claims {array.shape[0]:,} rows in chunks of {chunk_bytes:,} bytes")
        if rows is not None and array.shape[0] < rows:
            raise StoreError(f"'{name}' has {array.shape[0]} rows, expected {rows}")
        self._check_chunks(name, array, array.shape[0] if rows is None else rows)
        return array

    def _check_chunks(self, name: str, array: zarr.Array[Any], rows: int) -> None:
        """A chunk that is not there would read as zeros, which are valid actions."""
        present = self.folder.names(name)
        for index in range(-(-rows // array.chunks[0])):
            if _chunk_key(array, index).removeprefix(f"{name}/") not in present:
                start = index * array.chunks[0]
                raise StoreError(f"the chunk of '{name}' for rows {start} to {start + array.chunks[0] - 1} is missing")

    def set_attributes(self, **attributes: Any) -> None:
        """Change attributes of a session that nobody writes any more; others stay as they are by now.

        Raises OSError, and StoreError when it can no longer be read.
        """
        path = on_this_computer(self.place)
        self.attributes = StoredGroup(path).attributes | attributes
        store = DurableStore(path)
        store.fixed = True
        store.write_attributes(self.attributes)
        store.sync()

    def set_column(self, name: str, values: Array) -> None:
        """Give the first rows of a column other values; for what is thought of a session, never for what was recorded.

        Raises OSError, and StoreError for a column that cannot be read.
        """
        store, zstd = DurableStore(on_this_computer(self.place)), Zstd(level=_ZSTD_LEVEL)
        array = self.array(name, (), str(values.dtype), len(values))
        rows = read(array, slice(None))
        rows[: len(values)] = values
        chunk = array.chunks[0]
        store.fixed = True
        for start in range(0, len(values), chunk):
            whole = np.zeros(chunk, values.dtype.newbyteorder("<"))
            here = rows[start : start + chunk]
            whole[: len(here)] = here
            store.write(_chunk_key(array, start // chunk), _pack(zstd, whole))
        store.sync()


def read(array: zarr.Array[Any], selection: Any) -> Array:
    """Read part of an array. Raises StoreError when a chunk is damaged or missing."""
    try:
        if isinstance(array.store, _RemoteStore):
            array.store.expect(array, selection)
        return np.asarray(array[selection])
    except (OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
        raise StoreError(f"a chunk of '{array.name.strip('/')}' is damaged ({_first_line(error)})") from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
