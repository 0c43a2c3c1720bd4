"""Files that are whole or not there at all, and durable where that is promised.

    replacing(path):   .path.5f3a….part ──written──▶ [fsync] ──rename──▶ path ──▶ [fsync of the folder]

What is written takes effect at once or not at all: whoever reads `path` meanwhile, or after a crash, finds what it was
before. The permissions are those that the user's umask gives to new files, whichever library writes the part.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends
_NAME_LENGTH = 40  # characters of the file's own name in that of its part: a name has at most 255 bytes
# What file systems say that cannot sync a folder: network shares, shared folders of virtual machines, WSL. An error of
# the disk itself (EIO, ENOSPC, …) is none of them.
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
    """Gives the path of an empty file beside `path`, which takes that name at the end; after an error it is removed.

    What is `durable` survives a power cut once this has returned. Raises OSError.
    """
    with contextlib.suppress(FileNotFoundError):
        path.lstat()  # a name that cannot be is told before the work, not after it
    part = path.with_name(f".{path.name[:_NAME_LENGTH]}.{uuid.uuid4().hex}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)  # as the umask, or the folder, gives it
    os.close(descriptor)
    try:
        yield part
        if stat.S_IMODE(part.stat().st_mode) != mode:  # whoever wrote it put a file of its own there
            with contextlib.suppress(OSError):  # some file systems have no permissions to change
                part.chmod(mode)
        if durable:
            sync(part)
        os.replace(part, path)
        if durable:
            sync(path.parent)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def sync(path: Path | str) -> None:
    """Make durable what a file holds, or which files a folder holds as far as its file system can. Raises OSError."""
    if not os.path.isdir(path):
        _fsync(path, os.O_RDWR | _BINARY)
    elif os.name != "nt":  # Windows cannot open folders; its directory entries are journalled
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
