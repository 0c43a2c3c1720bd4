"""Temporary folders that are gone afterwards, however their process ended.

    $TMPDIR/twinplay-5f3a…/        what one training keeps on disk while it runs
    $TMPDIR/twinplay-5f3a….lock    locked by its process from before the folder exists until it is gone

A process that is killed cannot remove its folder, but the operating system releases its lock: whoever makes the next
folder removes first what nobody holds any more.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "twinplay-"
_NEAR_FULL = 0.9  # of what the disk has free: others write there, too


class TemporaryFolder:
    """A folder `path` of this process alone, until `close`. Raises OSError where none can be made."""

    def __init__(self) -> None:
        parent = Path(tempfile.gettempdir())
        remove_abandoned(parent)
        while True:
            self.path = parent / f"{_PREFIX}{secrets.token_hex(8)}"
            self._lock = _lock_of(self.path)
            try:
                self._lock.acquire(timeout=0)
                break
            except Timeout:  # somebody who clears up looked at it before we held it
                continue
        self.path.mkdir(0o700)

    def room(self) -> int:
        """Bytes that may still be written to its disk."""
        return int(_NEAR_FULL * shutil.disk_usage(self.path).free)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        if self._lock.is_locked:
            _remove(self.path, self._lock)


def remove_abandoned(parent: Path) -> None:
    """Remove the folders in `parent` whose process has ended without doing so."""
    for file in parent.glob(f"{_PREFIX}*.lock"):
        with contextlib.suppress(OSError, Timeout):
            status = file.lstat()
            if stat.S_ISREG(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == os.getuid()):
                lock = _lock_of(file.with_suffix(""))
                lock.acquire(timeout=0)
                _remove(file.with_suffix(""), lock)


def _lock_of(folder: Path) -> FileLock:
    # Not of one thread: a training may be closed by another than began it.
    return FileLock(folder.with_suffix(".lock"), thread_local=False)


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():  # something in it is still open (Windows): it stays for whoever comes next
        lock.release()
        return
    with contextlib.suppress(OSError):
        os.unlink(lock.lock_file)
    lock.release()
    with contextlib.suppress(OSError):  # Windows removes no file that is open
        os.unlink(lock.lock_file)
