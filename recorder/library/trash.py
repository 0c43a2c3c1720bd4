"""Deleted sessions: they stay in the library's `.trash` until it is emptied.

Other files there (such as a file manager's .DS_Store) are ignored and kept.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recorder.errors import LibraryError, SessionError
from recorder.library.names import session_name
from recorder.library.session_summary import summarize
from recorder.store.places import LocalFolder
from recorder.system.trash import FOLDER, move_to_trash, restore_from_trash


@dataclass(frozen=True)
class Trashed:
    """A session in the trash, which is `called` so, deleted at `when_s` (seconds since 1970, by the file system)."""

    path: Path
    size_bytes: int
    when_s: float
    called: str

    @property
    def name(self) -> str:
        """The folder's name without its suffix."""
        return self.path.name.removesuffix(".zarr")


def listed(library: Path) -> list[Trashed]:
    """The sessions in the trash, the latest first."""
    found = []
    with contextlib.suppress(OSError):
        for path in _sessions(library):
            with contextlib.suppress(OSError):
                size, when = sum(LocalFolder(path).files().values()), path.lstat().st_ctime
                found.append(Trashed(path, size, when, session_name(summarize(path))))
    return sorted(found, key=lambda trashed: (trashed.when_s, trashed.name), reverse=True)


def holds_any(library: Path) -> bool:
    """Whether any session is in the trash."""
    with contextlib.suppress(OSError):
        return any(True for _ in _sessions(library))
    return False


def throw(path: Path) -> Path:
    """Move a session to the trash of its library and return its new path. Raises LibraryError."""
    try:
        return move_to_trash(path)
    except OSError as error:
        raise LibraryError(f"{path} cannot be moved to the trash: {error.strerror}") from error


def restore(trashed: Path) -> Path:
    """Restore a session and return its path; if the name is taken, it gets another. Raises SessionError."""
    if not trashed.is_dir() or trashed.parent.name != FOLDER:
        raise SessionError(f"{trashed} is not in the trash of a library; `twinplay trash` lists the trash")
    try:
        return restore_from_trash(trashed)
    except OSError as error:
        raise LibraryError(f"{trashed} cannot be restored: {error.strerror}") from error


def empty(library: Path) -> tuple[int, int]:
    """Permanently delete the trash; returns the number of sessions and bytes. Raises LibraryError."""
    everything = listed(library)
    for trashed in everything:
        try:
            if trashed.path.is_dir() and not trashed.path.is_symlink():
                shutil.rmtree(trashed.path)
            else:
                trashed.path.unlink()
        except OSError as error:
            raise LibraryError(f"{trashed.path} cannot be deleted: {error.strerror}") from error
    return len(everything), sum(trashed.size_bytes for trashed in everything)


def _sessions(library: Path) -> Iterator[Path]:
    """The sessions in the trash, including damaged ones and links. Raises OSError if there is no trash."""
    for path in (library / FOLDER).iterdir():
        if path.suffix == ".zarr" and not path.name.startswith(".") and (path.is_dir() or path.is_symlink()):
            yield path
