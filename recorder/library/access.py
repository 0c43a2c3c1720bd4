"""Whether a library's folder can be used, and what to tell where it cannot.

READY      everything works
READ_ONLY  sessions are listed, watched and learned from; runs and twins go to another library (`outputs_of`)
MISSING    there is no such folder: it was removed, cannot be made, or a file is in its place
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from recorder.errors import LibraryError
from recorder.library.library import ensure_writable, user_library


class Access(Enum):
    """See the module's docstring."""

    READY = "ready"
    READ_ONLY = "read-only"
    MISSING = "missing"


@dataclass(frozen=True)
class LibraryAccess:
    """`sentence` says what is wrong and what can be done; empty where all is well."""

    access: Access = Access.READY
    sentence: str = ""

    @property
    def missing(self) -> bool:
        """Whether there is no folder."""
        return self.access is Access.MISSING

    @property
    def keeps_sessions_as_they_are(self) -> str:
        """Why sessions of this library can be neither changed nor deleted, in a sentence; empty if they can."""
        return "The library folder is read-only" if self.access is Access.READ_ONLY else ""

    @property
    def refusal(self) -> str:
        """Why nothing can be recorded, in a sentence; empty if it can."""
        why = {
            Access.READY: "",
            Access.READ_ONLY: "The library folder is read-only. Choose another to record.",
            Access.MISSING: "There is no library folder to record into; see the message above.",
        }
        return why[self.access]


def has_sessions(library: Path) -> bool:
    """Whether anything was ever recorded into a library, readable or not."""
    return any(library.glob("*.zarr"))


def open_access(library: Path) -> LibraryAccess:
    """The access to a library that is opened: its folder is made if need be, and a file is written for a try.

    Raises LibraryError for a folder that is a session, or inside one.
    """
    try:
        ensure_writable(library)
    except LibraryError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        return _refused(library, error.__cause__)
    return LibraryAccess()


def look_at(library: Path) -> LibraryAccess:
    """The access to a library that was opened; nothing is made or written."""
    if not library.is_dir() or not os.access(library, os.R_OK | os.X_OK):
        return _refused(library, None)
    return LibraryAccess() if os.access(library, os.W_OK) else _read_only(library)


def outputs_of(library: Path) -> Path:
    """The library whose folder holds the runs and twins made from this one: itself, unless it is read-only."""
    if not library.is_dir():
        return library
    try:
        ensure_writable(library)
    except LibraryError:
        return user_library()
    return library


def _refused(library: Path, error: OSError | None) -> LibraryAccess:
    if library.is_dir():
        if os.access(library, os.R_OK | os.X_OK):
            return _read_only(library)
        return LibraryAccess(Access.MISSING, f"Library folder cannot be read: {library}. Allow that or choose another.")
    if library.exists():
        return LibraryAccess(Access.MISSING, f"{library} is a file, not a library folder. Choose a folder.")
    if error is None:
        return LibraryAccess(Access.MISSING, f"Library folder not found: {library}. Restore it or choose another.")
    reason = error.strerror or str(error)
    return LibraryAccess(Access.MISSING, f"Library folder cannot be created: {library} ({reason}). Choose another.")


def _read_only(library: Path) -> LibraryAccess:
    can, outputs = "You can browse and watch it, but not record", user_library()
    if outputs != library:
        can = f"You can browse, watch and train, but not record; runs and twins are saved in {outputs}"
    return LibraryAccess(Access.READ_ONLY, f"Library folder is read-only: {library}. {can}.")
