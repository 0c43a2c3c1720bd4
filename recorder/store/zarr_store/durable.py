"""Writes the files of a session; an interrupted write never loses durable data."""

from __future__ import annotations

import contextlib
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

from recorder.store.schema import PART
from recorder.store.untrusted import METADATA
from recorder.system.files import sync, uninterrupted

_BINARY = getattr(os, "O_BINARY", 0)  # otherwise Windows translates line ends
_CREATE = os.O_WRONLY | os.O_CREAT | _BINARY
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # a stranger's session may have a link in place of a file that we write


class DurableStore(LocalStore):
    """A LocalStore that loses nothing when it is interrupted: replacements of files take effect in `sync`.

    If a file cannot be synced, the system may drop what it could not write and take it for written from then on
    (Rebello et al., "Can Applications Recover from fsync Failures?", 2020). The file is therefore written again.
    """

    def __init__(self, root: Path | str, *, read_only: bool = False) -> None:
        super().__init__(root, read_only=read_only)
        # Create no more folders: a missing one was removed by somebody. Before that, an error means to start anew, so
        # that what was written need not be kept in memory.
        self.fixed = False
        self._folder = str(self.root)
        self._written: dict[str, Any] = {}  # files to sync, and their content if it is kept
        self._dropped: set[str] = set()  # files that could not be synced
        self._parts: dict[str, str] = {}  # by the name that each will get
        self._folders: dict[str, None] = {str(self.root.parent): None}

    async def set(self, key: str, value: Buffer) -> None:
        self.write(key, value.as_buffer_like())

    def set_sync(self, key: str, value: Buffer) -> None:
        self.write(key, value.as_buffer_like())

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        if not (self.root / key).exists():
            self.write(key, value.as_buffer_like())

    def move_to(self, root: Path) -> None:
        """Sync, then move everything to a new folder. Raises OSError if it exists."""
        self.sync()
        uninterrupted(os.rename, self.root, root)
        self.root, self._folder = root, str(root)
        self._folders[str(root.parent)] = None

    def write(self, key: str, content: Any) -> None:
        """Write a file. It is complete and durable after the next `sync`; until then, the file that it replaces stays.

        A new file is written under its own name: no commit refers to it before the sync.
        """
        path = f"{self._folder}/{key}"
        if not self.fixed:
            uninterrupted(partial(os.makedirs, exist_ok=True), os.path.dirname(path))
        name = path
        try:
            descriptor = os.open(path, _CREATE | os.O_EXCL, 0o666)
        except FileExistsError:
            name = f"{path}{PART}"
            descriptor = os.open(name, _CREATE | os.O_TRUNC | _NO_LINK, 0o666)
        try:
            _fill(descriptor, content)
        except BaseException:
            self._parts.pop(path, None)
            self._forget(name)
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        self._forget(name)
        self._written[name] = content if self.fixed else None
        if name != path:
            self._parts[path] = name
        self._folders[os.path.dirname(path)] = None

    def write_attributes(self, attributes: dict[str, Any]) -> None:
        """Write the group's own metadata."""
        metadata = {"attributes": attributes, "zarr_format": 3, "node_type": "group"}
        self.write(METADATA, json.dumps(metadata).encode())

    def sync(self) -> None:
        """Make everything written durable. Raises OSError, and can then be called again."""
        for name, content in list(self._written.items()):
            if name in self._dropped and content is not None:
                _fill(os.open(name, _CREATE | os.O_TRUNC | _NO_LINK, 0o666), content)
            self._dropped.add(name)
            sync(name)
            self._forget(name)
        for path, part in list(self._parts.items()):
            uninterrupted(os.replace, part, path)
            del self._parts[path]
        for folder in self._folders:
            sync(folder)
        self._folders.clear()

    def _forget(self, name: str) -> None:
        self._written.pop(name, None)
        self._dropped.discard(name)


def _fill(descriptor: int, content: Any) -> None:
    """Write an open file, and close it."""
    with open(descriptor, "wb", buffering=0) as file:
        view = memoryview(content).cast("B")
        while view:
            view = view[file.write(view) :]
