"""The lock that a recorder holds while it writes a session; it lies beside the session, in the library's `.locks`."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from recorder.store.places import Place, Url, keep_out_of_sessions, on_this_computer, place


def session_lock(path: Path) -> FileLock:
    """The operating system's lock that a recorder holds while it writes `path`; it lies outside the session.

    Raises OSError, and LibraryError where the session lies in another one.
    """
    file = _lock_file(path)
    keep_out_of_sessions(file.parents[1])
    file.parent.mkdir(exist_ok=True)
    # Not of one thread: a take is begun in one and finished in another.
    return FileLock(file, thread_local=False)


def _lock_file(session: Path) -> Path:
    """The same for every path that leads to the session."""
    real = on_this_computer(place(session))
    return real.parent / ".locks" / f"{real.name}.lock"


def is_being_written(path: Place) -> bool:
    """Whether a living recorder holds the session; at a URL nobody records."""
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
