"""The lock that a recorder holds while it writes a session; its file is in the library's folder `.locks`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from recorder.store.places import Place, Url, keep_out_of_sessions, on_this_computer, place
from recorder.system.files import uninterrupted


def session_lock(path: Path) -> FileLock:
    """The operating-system lock that a recorder holds while it writes `path`; its file is outside the session.

    Raises OSError, and LibraryError if the session is inside another one.
    """
    file = _lock_file(path)
    keep_out_of_sessions(file.parents[1])
    if not file.parent.is_dir():
        with contextlib.suppress(FileExistsError):  # another recorder was faster
            uninterrupted(os.mkdir, file.parent)
    # Not bound to a thread: a take may begin in one thread and end in another.
    return FileLock(file, thread_local=False)


def release(lock: FileLock) -> None:
    """Release a session's lock and remove its file."""
    lock.release()
    with contextlib.suppress(OSError):
        Path(lock.lock_file).unlink()


def _lock_file(session: Path) -> Path:
    """The lock file, the same for every path that leads to the session."""
    real = on_this_computer(place(session))
    return real.parent / ".locks" / f"{real.name}.lock"


def is_being_written(path: Place) -> bool:
    """Whether a running recorder holds the session; always False at a URL."""
    if isinstance(path, Url):
        return False
    lock_file = _lock_file(path)
    if not lock_file.exists():
        return False
    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
