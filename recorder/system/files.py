"""Atomic and, if requested, durable file writes.

    replacing(path):   .path.5f3a….part ──written──▶ [fsync] ──rename──▶ path ──▶ [fsync of the folder]

A write takes effect completely or not at all: whoever reads `path` meanwhile, or after a crash, finds the old content.
The file's permissions are those of new files by the user's umask, whichever library writes it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LONGEST_NAME = 255  # bytes of a file's name, on most file systems
_BINARY = getattr(os, "O_BINARY", 0)  # otherwise Windows translates line ends
_NAME_LENGTH = 40  # characters of the file's name that are used in its temporary name: names have at most 255 bytes
_FORBIDDEN = frozenset('<>:"/\\|?*')  # in names on Windows
_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{digit}" for port in ("COM", "LPT") for digit in range(10))}
_PORTABLE_BYTES = 160  # leaves room for a number and a suffix in the shorter names of encrypted folders
# Errors of file systems that cannot sync a folder: network shares, shared folders of virtual machines, WSL. Errors of
# the disk itself (EIO, ENOSPC, …) are not among them.
_NO_FOLDER_SYNC = {
    errno.EINVAL,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EBADF,
    errno.EACCES,
    errno.EPERM,
    errno.EISDIR,
}


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yields the path of an empty file beside `path`, which replaces `path` at the end; after an error it is removed.

    A `durable` file survives a power cut once the context has ended. Raises OSError.
    """
    with contextlib.suppress(FileNotFoundError):
        path.lstat()  # so that an impossible name is reported before the work, not after it
    part = path.with_name(f".{path.name[:_NAME_LENGTH]}.{uuid.uuid4().hex}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)  # given by the umask or the folder
    os.close(descriptor)
    try:
        yield part
        if stat.S_IMODE(part.stat().st_mode) != mode:  # the writer has replaced the file with its own
            with contextlib.suppress(OSError):  # some file systems have no permissions
                part.chmod(mode)
        if durable:
            sync(part)
        os.replace(part, path)
        if durable:
            sync(path.parent)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def portable_name(text: str, otherwise: str) -> str:
    """The text as the name of a file, without a suffix, on every file system; `otherwise` if nothing of it is left."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    kept = "".join("-" if c in _FORBIDDEN else c for c in text if c.isprintable())
    kept = kept.encode("utf-8", "ignore")[:_PORTABLE_BYTES].decode("utf-8", "ignore")
    kept = kept.strip(". ")
    if not kept.strip("-_ "):
        return otherwise
    return f"{kept} file" if kept.split(".")[0].rstrip().upper() in _DEVICES else kept


def uninterrupted(call: Callable[..., object], *arguments: Any) -> None:
    """Call `os.replace`, `os.rename` or `os.mkdir` again until no signal interrupts it.

    Some network file systems allow interruptions. Python itself repeats open, write and fsync (PEP 475), but not these.
    """
    while True:
        try:
            call(*arguments)
        except InterruptedError:
            continue
        return


def make_folders(folder: Path) -> None:
    """Create a folder, which must not exist, and missing ones around it; the names of those are durable.

    Raises OSError.
    """
    missing = [each for each in folder.parents if not each.exists()]
    for each in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another program was faster
            uninterrupted(os.mkdir, each)
        sync(each.parent)
    uninterrupted(os.mkdir, folder)


def sync(path: Path | str) -> None:
    """Make a file's content durable, or a folder's list of files, if its file system can. Raises OSError."""
    if not os.path.isdir(path):
        _fsync(path, os.O_RDWR | _BINARY)
    elif os.name != "nt":  # Windows cannot open folders, and journals directory entries
        try:
            _fsync(path, os.O_RDONLY)
        except OSError as error:
            if error.errno not in _NO_FOLDER_SYNC:
                raise


def _fsync(path: Path | str, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
