"""Writes the files of a session; an interrupted write never loses durable data."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

from recorder.store.schema import PART
from recorder.store.untrusted import METADATA
from recorder.system.files import sync

_BINARY = getattr(os, "O_BINARY", 0)  # otherwise Windows translates line ends
_CREATE = os.O_WRONLY | os.O_CREAT | _BINARY
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # a stranger's session may have a link in place of a file that we write


class DurableStore(LocalStore):
    """A LocalStore that loses nothing when it is interrupted: replacements of files take effect in `sync`."""

    def __init__(self, root: Path | str, *, read_only: bool = False) -> None:
        super().__init__(root, read_only=read_only)
        self.fixed = False  # create no more folders: a missing one was removed by somebody
        self._folder = str(self.root)
        self._fresh: set[str] = set()
        self._parts: dict[str, str] = {}  # by the name that each will get
        self._folders: set[str] = {str(self.root.parent)}

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
        self.root.rename(root)
        self.root, self._folder = root, str(root)
        self._folders.add(str(root.parent))

    def write(self, key: str, content: Any) -> None:
        """Write a file. It is complete and durable after the next `sync`; until then, the file that it replaces stays.

        A new file is written under its own name: no commit refers to it before the sync.
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
