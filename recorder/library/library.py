"""A folder of sessions.

library/
  2026-11-21T10-14-03-breakout.zarr/     sessions
  policies/                              clones trained on them (*.safetensors)
  .locks/   .trash/                      locks of running recorders; deleted sessions
  .index.json   .thumbnails/             derived; made again if they are missing
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from unicodedata import normalize

import platformdirs

from recorder.errors import LibraryError, SessionError, UsageError
from recorder.library import trash
from recorder.library.index import Entry, read_index, stamp_of, write_index
from recorder.library.session_summary import SessionSummary, summarize
from recorder.library.trash import Trashed
from recorder.store.locks import is_being_written
from recorder.store.places import Place, Url, keep_out_of_sessions, on_this_computer, place

POLICIES = "policies"
# What was changed later than that ago may be changed again within the clock of a file system.
_SETTLED_NS = 2_000_000_000


def default_library() -> Path:
    """The default library: $TWINPLAY_LIBRARY, or a folder in the user's data folder."""
    chosen = os.environ.get("TWINPLAY_LIBRARY")
    if chosen:
        return on_this_computer(place(chosen), "set TWINPLAY_LIBRARY to a folder")
    return user_library()


def user_library() -> Path:
    """The library in the user's data folder."""
    return Path(platformdirs.user_data_dir("twinplay", appauthor=False)) / "library"


class Library:
    """The sessions of one folder, which need not exist yet, or of one URL.

    At a URL only `sessions` is available; everything else raises UsageError.
    """

    def __init__(self, path: Place | str | None = None) -> None:
        if path == "":
            raise UsageError("the name of the library is empty; give a folder, or omit --library to use the default")
        self.place = place(default_library() if path is None else path)

    @property
    def path(self) -> Path:
        """The folder. Raises UsageError for a library at a URL, LibraryError if it is a file."""
        path = on_this_computer(self.place)
        there = next((each for each in (path, *path.parents) if os.path.exists(each)), None)
        if there is not None and not os.path.isdir(there):
            raise LibraryError(f"{there} is a file, not a library folder; choose a folder")
        return path

    @property
    def policies(self) -> Path:
        """The folder of policies trained here."""
        return self.path / POLICIES

    def sessions(self) -> list[SessionSummary]:
        """All sessions, the newest first; an unreadable one is listed with its problem.

        At a URL only finished copies are listed, without an index: with one listing, then all `zarr.json` at once.
        Raises LibraryError if the folder cannot be read or is a session itself, RemoteError if the URL cannot be
        reached.
        """
        if isinstance(self.place, Url):
            from recorder.store.remote import session_heads

            heads = session_heads(self.place)
            return [summarize(self.place / name, heads[name]) for name in sorted(heads, reverse=True)]
        folder = self.path  # which is looked for each time that it is asked for
        keep_out_of_sessions(folder)
        try:
            with os.scandir(folder) as found:
                links = {each.name: each.is_symlink() for each in found if each.name.endswith(".zarr")}
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LibraryError(f"{folder} cannot be read: {error.strerror}") from error
        known = read_index(folder)
        summaries, entries = [], {}
        for name in sorted(links, reverse=True):
            path = folder / name
            if name.startswith(".") or (links[name] and not path.exists()):  # its session is in the trash, say
                continue
            summary, entry = _look_up(path, known.get(name))
            summaries.append(summary)
            if entry is not None:
                entries[name] = entry
        if entries != known:
            write_index(folder, entries)
        return summaries

    def find(self, name: str) -> Place:
        """The place of session `name`, given with or without ".zarr". Raises SessionError if a folder has none.

        Composed and decomposed characters (NFC, NFD) are the same: macOS stores the latter, and people type the former.
        """
        where = self.place / f"{Path(name).name.removesuffix('.zarr')}.zarr"
        if isinstance(where, Path) and not where.is_dir():
            for each in os.listdir(self.path) if self.path.is_dir() else ():
                if normalize("NFC", each) == normalize("NFC", where.name):
                    return where.with_name(each)
            raise SessionError(f"{self.place} has no session named {name}; `twinplay sessions` lists them")
        return where

    def trash(self, name: str) -> Path:
        """Move a session to the trash of its library and return its new path; see `restore`.

        A link's target is moved; the link is restored together with it. Raises SessionError if there is no such
        session, or it is being recorded.
        """
        path = on_this_computer(place(self.find(name)))
        if is_being_written(path):
            raise SessionError(f"{path} is being recorded; stop the recording first")
        return trash.throw(path)

    @property
    def has_trash(self) -> bool:
        """Whether any session is in the trash."""
        try:
            return trash.holds_any(self.path)
        except LibraryError:  # a file stands in the way; `sessions` says so
            return False

    def trashed(self) -> list[Trashed]:
        """The sessions in the trash, the latest first."""
        return trash.listed(self.path)

    def restore(self, trashed: Path) -> Path:
        """Restore a session from a trash and return its path. Raises SessionError or LibraryError."""
        return trash.restore(trashed)

    def empty_trash(self) -> tuple[int, int]:
        """Permanently delete the trash; returns the number of sessions and bytes. Raises LibraryError."""
        return trash.empty(self.path)


def session_place(given: str, library: Place | str | None) -> Place:
    """A session given as a path, as a URL, or by its name in the library. Raises SessionError if there is none."""
    where = place(given)
    if isinstance(where, Path) and not where.exists() and os.sep not in given.rstrip(os.sep):
        return place(Library(library).find(given))
    return where


def _look_up(path: Path, entry: Entry | None) -> tuple[SessionSummary, Entry | None]:
    """A session's summary, from its entry in the index if that is still valid, and the entry to store."""
    stamp = stamp_of(path)
    if entry is not None and entry.stamp == stamp:
        with contextlib.suppress(ValueError):
            if path not in entry.made:
                entry.made[path] = SessionSummary.from_json(path, entry.facts)
            return entry.made[path], entry
    summary = summarize(path)
    settled = stamp is not None and time.time_ns() - stamp[0] > _SETTLED_NS
    if stamp is None or not settled or summary.state != "complete":
        return summary, None
    return summary, Entry(stamp, summary.to_json())


def ensure_writable(folder: Path) -> None:
    """Raise LibraryError unless files can be written in `folder`, which is created if needed."""
    keep_out_of_sessions(on_this_computer(place(folder)))
    probe = folder / f".write-probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
    except OSError as error:
        raise LibraryError(f"{folder} cannot be written: {error.strerror}; choose another folder") from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
