"""The lock that a recorder holds while it writes a session; its file is in the library's folder `.locks`."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from recorder.store.places import Place, Url, keep_out_of_sessions, on_this_computer, place
from recorder.system.files import LONGEST_NAME, uninterrupted

_SUFFIX = ".lock"


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
    """Remove the file of a session's lock and release it.

    In this order, because another program may lock the file as soon as it is released: if its name were removed then, a
    third one could lock a new file of that name. (Windows removes no file that is open.)
    """
    steps = [Path(lock.lock_file).unlink, lock.release]
    for step in reversed(steps) if os.name == "nt" else steps:
        with contextlib.suppress(OSError):
            step()


def _lock_file(session: Path) -> Path:
    """The lock file, the same for every path that leads to the session. A name as long as names may be has no room for
    the suffix.
    """
    real = on_this_computer(place(session))
    name = os.fsencode(real.name)
    own = real.name if len(name) <= LONGEST_NAME - len(_SUFFIX) else hashlib.sha256(name).hexdigest()
    return real.parent / ".locks" / f"{own}{_SUFFIX}"


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
