"""Temporary folders that are removed however their process ends.

    $TMPDIR/twinplay-5f3a…/        the temporary files of one training
    $TMPDIR/twinplay-5f3a….lock    locked by its process from before the folder exists until it is removed

A process that is killed cannot remove its folder, but the operating system releases its lock. Before the next folder is
made, all folders without a locked file are removed.
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
_NEAR_FULL = 0.9  # of the free disk space: other programs need some, too


class TemporaryFolder:
    """A folder `path` that only this process uses, until `close`. Raises OSError if it cannot be created."""

    def __init__(self) -> None:
        parent = Path(tempfile.gettempdir())
        remove_abandoned(parent)
        while True:
            self.path = parent / f"{_PREFIX}{secrets.token_hex(8)}"
            self._lock = _lock_of(self.path)
            try:
                self._lock.acquire(timeout=0)
                break
            except Timeout:  # another process checked it for removal before we locked it
                continue
        self.path.mkdir(0o700)

    def room(self) -> int:
        """The number of bytes that may still be written to its disk."""
        return int(_NEAR_FULL * shutil.disk_usage(self.path).free)

    def close(self) -> None:
        """Remove the folder and everything in it."""
        if self._lock.is_locked:
            _remove(self.path, self._lock)


def remove_abandoned(parent: Path) -> None:
    """Remove the folders in `parent` whose process has ended without removing them."""
    for file in parent.glob(f"{_PREFIX}*.lock"):
        with contextlib.suppress(OSError, Timeout):
            status = file.lstat()
            if stat.S_ISREG(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == os.getuid()):
                lock = _lock_of(file.with_suffix(""))
                lock.acquire(timeout=0)
                _remove(file.with_suffix(""), lock)


def _lock_of(folder: Path) -> FileLock:
    # Not bound to a thread: another thread than the first may close a training.
    return FileLock(folder.with_suffix(".lock"), thread_local=False)


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():  # a file in it is still open (Windows): left for the next clean-up
        lock.release()
        return
    with contextlib.suppress(OSError):
        os.unlink(lock.lock_file)
    lock.release()
    with contextlib.suppress(OSError):  # Windows cannot remove open files
        os.unlink(lock.lock_file)
