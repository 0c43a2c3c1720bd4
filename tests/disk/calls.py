"""What a recording asks of the disk, call by call."""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

OPEN, WRITE, FSYNC, RENAME, MKDIR, UNLINK = NAMES = ("open", "write", "fsync", "rename", "mkdir", "unlink")
_WRITING = os.O_WRONLY | os.O_RDWR


@dataclass(frozen=True)
class Call:
    """One call. `target` is the new name of a rename, `content` what is to be written, at `offset`.

    An open may be one that `writes`, `creates` the file if it is not there, or `empties` it.
    """

    name: str
    path: str
    target: str = ""
    content: bytes = b""
    offset: int = 0
    writes: bool = False
    creates: bool = False
    empties: bool = False


class Watcher:
    """Sees every call; this one does nothing."""

    def before(self, call: Call) -> int | None:
        """Raises OSError to let the call fail; a number lets a write end after so many bytes."""

    def after(self, call: Call) -> None:
        """The call was made."""


class _File(io.FileIO):
    """A file opened by its descriptor, the way DurableStore writes."""

    def __init__(self, descriptor: int, calls: _Calls) -> None:
        super().__init__(descriptor, "wb")
        self._calls = calls

    def write(self, content: Any, /) -> int:
        return self._calls.write(self.fileno(), content, super().write)


class _Calls:
    """Stands in for the functions of `os` while a recording runs; only calls below `root` are shown to the watcher."""

    def __init__(self, root: Path, watcher: Watcher) -> None:
        self._root, self._watcher = f"{root}{os.sep}", watcher
        self._paths: dict[int, str] = {}  # by descriptor
        self._os = {name: getattr(os, name) for name in ("open", "write", "fsync", "rename", "mkdir", "unlink")}
        self._replace, self._open_file = os.replace, io.open

    def _seen(self, path: Any) -> str:
        """The path if it is to be seen, else nothing."""
        text = os.path.abspath(os.fsdecode(path)) if isinstance(path, (str, bytes, os.PathLike)) else ""
        return text if f"{text}{os.sep}".startswith(self._root) else ""

    def _made(self, call: Call, make: Callable[[], Any]) -> Any:
        if not call.path:
            return make()
        self._watcher.before(call)
        result = make()
        self._watcher.after(call)
        return result

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        there = os.path.lexists(path)
        call = Call(
            OPEN,
            self._seen(path) if dir_fd is None else "",
            writes=bool(flags & _WRITING),
            creates=bool(flags & os.O_CREAT) and not there,
            empties=bool(flags & os.O_TRUNC) and there,
        )
        descriptor: int = self._made(call, lambda: self._os["open"](path, flags, mode, dir_fd=dir_fd))
        self._paths[descriptor] = call.path
        return descriptor

    def open_file(self, file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        """The built-in open."""
        if isinstance(file, int):
            return _File(file, self) if self._paths.get(file) else self._open_file(file, mode, *args, **options)
        call = Call(OPEN, self._seen(file))
        # What is written in another way than DurableStore does would go unseen.
        assert not call.path or not set(mode) & set("wax+"), call.path
        return self._made(call, lambda: self._open_file(file, mode, *args, **options))

    def write(self, descriptor: int, content: Any, make: Callable[[Any], int] | None = None) -> int:
        make = make or (lambda rest: int(self._os["write"](descriptor, rest)))
        if not self._paths.get(descriptor):
            return make(content)
        call = Call(WRITE, self._paths[descriptor], content=bytes(content), offset=os.lseek(descriptor, 0, os.SEEK_CUR))
        allowed = self._watcher.before(call)
        written = make(content if allowed is None else call.content[:allowed])
        self._watcher.after(Call(WRITE, call.path, content=call.content[:written], offset=call.offset))
        return written

    def fsync(self, descriptor: int) -> None:
        if not self._paths.get(descriptor):
            self._os["fsync"](descriptor)
        # Nobody cuts the power of this disk, so that it need not be waited for.
        self._made(Call(FSYNC, self._paths.get(descriptor, "")), lambda: None)

    def rename(self, source: Any, target: Any, **options: Any) -> None:
        call = Call(RENAME, self._seen(source), self._seen(target))
        self._made(call, lambda: self._os["rename"](source, target, **options))

    def replace(self, source: Any, target: Any, **options: Any) -> None:
        call = Call(RENAME, self._seen(source), self._seen(target))
        self._made(call, lambda: self._replace(source, target, **options))

    def mkdir(self, path: Any, *args: Any, **options: Any) -> None:
        if os.path.isdir(path):  # asked for with "if it is not there": nothing to do
            self._os["mkdir"](path, *args, **options)
        self._made(Call(MKDIR, self._seen(path)), lambda: self._os["mkdir"](path, *args, **options))

    def unlink(self, path: Any, **options: Any) -> None:
        if options.get("dir_fd") is not None or not os.path.lexists(path):
            self._os["unlink"](path, **options)
            return
        self._made(Call(UNLINK, self._seen(path)), lambda: self._os["unlink"](path, **options))


@contextmanager
def watched(root: Path, watcher: Watcher) -> Iterator[None]:
    """Meanwhile every call of this process on files below `root` (and on itself) is shown to `watcher`."""
    calls = _Calls(root, watcher)
    own = {name: getattr(calls, name) for name in ("open", "write", "fsync", "rename", "replace", "mkdir", "unlink")}
    with (
        patch.multiple(os, **own),
        patch.object(builtins, "open", calls.open_file),
        patch.object(io, "open", calls.open_file),
    ):
        yield
