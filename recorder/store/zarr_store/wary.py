"""Read-only stores for a session's files, in a stranger's folder or at a URL."""

from __future__ import annotations

import asyncio
import os
import stat
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zarr
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.storage import LocalStore, MemoryStore

from recorder.store.untrusted import FRAME_HEADER_BYTES, METADATA, StoreError, check_frame, check_size
from recorder.store.zarr_store.chunks import chunk_key

if TYPE_CHECKING:
    from recorder.store.remote import RemoteFolder


class WaryStore(LocalStore):
    """A read-only LocalStore for folders made by strangers. Raises StoreError for files that must not be read."""

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


class RemoteStore(MemoryStore):
    """A read-only store of the files of a RemoteFolder. Raises StoreError for files that must not be read."""

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
        assert byte_range is None  # only shards are read in parts, and sessions have none
        content = self._folder.read(key)
        if content is None:
            return None
        if key.rpartition("/")[2] != METADATA:
            check_frame(key, content)
        return (prototype or default_buffer_prototype()).buffer.from_bytes(content)

    def expect(self, array: zarr.Array[Any], selection: Any) -> None:
        """Fetch all chunks of a selection at once."""
        rows = range(array.shape[0])[selection]
        rows = rows if isinstance(rows, range) else range(rows, rows + 1)
        if rows:
            chunks = range(min(rows) // array.chunks[0], max(rows) // array.chunks[0] + 1)
            self._folder.expect(array.path, chunks, partial(chunk_key, array))
