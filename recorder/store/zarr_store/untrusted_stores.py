"""Read-only stores for a session's files, in a stranger's folder or at a URL."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.storage import LocalStore, MemoryStore

from recorder.store.untrusted import METADATA, StoreError, check_frame, check_size

if TYPE_CHECKING:
    from recorder.store.remote import RemoteFolder
    from recorder.store.zarr_store.rows import StoredArray


class UntrustedStore(LocalStore):
    """A read-only LocalStore for folders made by strangers. Raises StoreError for files that must not be read.

    Through zarr it reads metadata only; chunks are read by `content`.
    """

    def __init__(self, root: Path | str, *, read_only: bool = True) -> None:
        super().__init__(root, read_only=True)
        self._real_root = os.path.realpath(root)
        self._inside: set[str] = set()  # folders in it, by name, that are no links

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

    def expect(self, array: StoredArray, rows: range) -> None:
        """Nothing is fetched ahead."""

    def content(self, key: str) -> bytes | None:
        """A file; None if there is none. Raises StoreError and OSError."""
        self._check(key)
        try:
            content = (self.root / key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        check_frame(key, content)
        return content

    def _check(self, key: str) -> None:
        path = os.path.join(self.root, key)  # as a Path it would take as long as unpacking a chunk
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return
        folder = os.path.dirname(key)
        if folder not in self._inside and os.path.realpath(os.path.dirname(path)) == os.path.join(
            self._real_root, folder
        ).rstrip(os.sep):
            self._inside.add(folder)
        if folder not in self._inside or stat.S_ISLNK(status.st_mode):
            raise StoreError(f"'{key}' is a link or lies outside the session")
        if not stat.S_ISREG(status.st_mode):
            raise StoreError(f"'{key}' is not a file")
        check_size(key, status.st_size)


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
        content = self.content(key)
        if content is None:
            return None
        return (prototype or default_buffer_prototype()).buffer.from_bytes(content)

    def content(self, key: str) -> bytes | None:
        """A file; None if there is none. Raises StoreError."""
        content = self._folder.read(key)
        if content is not None and key.rpartition("/")[2] != METADATA:
            check_frame(key, content)
        return content

    def expect(self, array: StoredArray, rows: range) -> None:
        """Fetch the chunks of rows at once."""
        if rows:
            chunks = range(rows.start // array.chunk, (rows.stop - 1) // array.chunk + 1)
            self._folder.expect(array.path, chunks, array.key)
