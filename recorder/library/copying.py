"""Copies sessions from one library to another, each a folder or a URL, so that a team can share recordings.

    source ─▶ all files but zarr.json ─▶ read back and compared ─▶ zarr.json ─▶ listed from now on
                        └▶ the digest, compared with the session's stored digest

Files that the schema does not name are not copied. The group's `zarr.json` makes a folder a session, so it is copied
last: an interrupted copy is not listed anywhere, and the next attempt overwrites it. A copy into a folder is made under
a temporary name and then renamed.

Existing sessions are never replaced. If the name is taken by a session with another digest, or by the remains of
another interrupted copy, the first eight digits of the digest are added to the copy's name. A session that exists
already is not copied again: the digest covers what was played, so titles, tags and exclusions at the target are kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unicodedata import normalize

from recorder.errors import LibraryError, SessionError
from recorder.library.edits import alone
from recorder.store.places import LocalFolder, Place, Url, keep_out_of_sessions, place
from recorder.store.session import Session
from recorder.store.untrusted import METADATA, StoreError, check_size
from recorder.store.zarr_store import DurableStore
from recorder.system.files import make_folders

_NAME = re.compile(r"\w[\w .,+=@-]{0,150}\.zarr")  # nothing that a URL, a driver's pattern or a disk reads otherwise
_SEND_FILES, _SEND_BYTES = 128, 8 << 20


@dataclass(frozen=True)
class TransferProgress:
    """Bytes written or read back so far, of `total`, which is twice the session's.

    The last one has the copy's place, and whether it existed before.
    """

    done: int
    total: int
    made: Place | None = None
    was_there: bool = False


def copying(source: Place | str, library: Place | str) -> Generator[TransferProgress, None, None]:
    """Copy a session into a library, unless it exists there; yields progress. Closed early, it leaves no session.

    Raises SessionError for a session that cannot be read, is damaged or is being recorded, LibraryError if the library
    cannot be written or is a session itself, and RemoteError for a URL that cannot be reached.
    """
    library = place(library)
    _keep_out_of_sessions(library)
    with _standing_still(place(source)) as session, _read(session):
        digest = str(session.attributes.get("digest")) if session.complete else session.digest()
        files = _checked_files(session)
        total = 2 * sum(files.values())  # written, and read back
        target, was_there = _choose(session, digest, library, files)
        if was_there:
            yield TransferProgress(total, total, target, True)
            return
        head = dict(session.folder.contents([METADATA]))[METADATA]
        with contextlib.closing(_sink(target, total)) as sink:
            yield from _copy(session, digest, files, sink)
            sink.finish(head)
        yield TransferProgress(total, total, target)


def copy_session(source: Place | str, library: Place | str) -> Place:
    """Copy a session into a library, unless it exists there, and return its place there; see `copying`."""
    made: Place | None = None
    for step in copying(source, library):
        made = step.made
    assert made is not None
    return made


class _RemoteSink:
    """A copy at a URL, which is not listed before `finish`."""

    def __init__(self, url: Url) -> None:
        from recorder.store.remote import RemoteFolder

        self.place = url
        self._open = partial(RemoteFolder, url)

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write files. Raises LibraryError."""
        self._open().write(contents)

    def written(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The written files, read back."""
        return self._open().contents(names)

    def finish(self, head: bytes) -> None:
        """Write the `zarr.json`, so that the copy is a session. Raises LibraryError."""
        self.write({METADATA: head})

    def close(self) -> None:
        """The written files are kept; the next attempt overwrites them."""


class _LocalSink:
    """A copy in a folder, made under a temporary name and then renamed."""

    def __init__(self, path: Path, size: int) -> None:
        self.place = path
        self._making = path.parent / f".making-{uuid.uuid4().hex}"
        with _told(path):
            make_folders(self._making)
            free = shutil.disk_usage(self._making).free
        if size > free:
            self.close()
            raise LibraryError(
                f"{path} needs {size / 1e6:,.1f} MB, but only {free / 1e6:,.1f} MB are free; free some disk space"
            )
        self._store = DurableStore(self._making)

    def write(self, contents: Mapping[str, bytes]) -> None:
        """See _RemoteSink."""
        with _told(self.place):
            for name, content in contents.items():
                self._store.write(name, content)

    def written(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """See _RemoteSink."""
        with _told(self.place):
            self._store.sync()
            yield from LocalFolder(self._making).contents(names)

    def finish(self, head: bytes) -> None:
        """See _RemoteSink."""
        self.write({METADATA: head})
        with _told(self.place):
            self._store.move_to(self.place)
            self._store.sync()

    def close(self) -> None:
        """Remove an unfinished copy."""
        shutil.rmtree(self._making, ignore_errors=True)


def _sink(target: Place, size: int) -> _RemoteSink | _LocalSink:
    return _RemoteSink(target) if isinstance(target, Url) else _LocalSink(target, size // 2)


@contextlib.contextmanager
def _read(session: Session) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # what is written tells of its own
        raise SessionError(f"{session.place} cannot be read: {os.strerror(error.errno or 0)}") from error


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LibraryError(f"{path} cannot be written: {os.strerror(error.errno or 0)}") from error


@contextlib.contextmanager
def _standing_still(where: Place) -> Iterator[Session]:
    """The session, locked against recording and editing on this computer."""
    with contextlib.ExitStack() as stack:
        if isinstance(where, Path) and where.is_dir():
            with contextlib.suppress(LibraryError):  # a library that cannot be written is nobody's to change
                stack.enter_context(alone(where))
        yield Session.open(where)


def _keep_out_of_sessions(library: Place) -> None:
    """See recorder.store.places. In a URL, the last folder and all that are named like sessions are checked."""
    if isinstance(library, Path):
        return keep_out_of_sessions(library)
    from recorder.store.remote import RemoteFolder

    scheme, _, path = library.text.partition("://")
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        around = Url(f"{scheme}://{'/'.join(parts[:count])}")
        if (count == len(parts) or around.name.endswith(".zarr")) and RemoteFolder(around).head() is not None:
            raise LibraryError(f"{around} is a session, and nothing else can be stored there; choose another folder")


def _checked_files(session: Session) -> dict[str, int]:
    """The files to copy, with their sizes. Raises SessionError for a file that is too large for its kind."""
    files = session.files()
    for name, size in files.items():
        try:
            check_size(name, size)
        except StoreError as error:
            raise SessionError(f"{session.place} was not copied: {error}") from None
    return files


def _choose(session: Session, digest: str, library: Place, files: Mapping[str, int]) -> tuple[Place, bool]:
    """The place of a session in a library, and whether it exists there."""
    own = normalize("NFC", session.name)  # macOS takes letters and their accents apart
    if not _NAME.fullmatch(f"{own}.zarr"):
        raise SessionError(f"{session.place}: its name cannot be used in a URL; rename the folder")
    for name in (own, f"{own}-{digest[:8]}"):
        target = library / f"{name}.zarr"
        try:
            if _digest_at(target) == digest:
                return target, True
        except SessionError:  # no session, or one that cannot be read
            if _is_free(target, files):
                return target, False
    raise LibraryError(
        f"{library} already has other files with the name of {session.place}; rename the session's folder"
    )


def _digest_at(target: Place) -> str:
    """The digest of the session there. Raises SessionError if there is none, and RemoteError."""
    found = Session.open(target)
    return str(found.attributes.get("digest")) if found.complete else found.digest()


def _is_free(target: Place, files: Mapping[str, int]) -> bool:
    """Whether the place is empty, or has only the remains of the same interrupted copy."""
    if isinstance(target, Path):
        return not target.exists()
    from recorder.store.remote import RemoteFolder

    return METADATA not in (left := RemoteFolder(target).files()) and left.items() <= files.items()


def _copy(
    session: Session, digest: str, files: Mapping[str, int], sink: _RemoteSink | _LocalSink
) -> Iterator[TransferProgress]:
    """Copy everything but the `zarr.json`, and read it back. Raises SessionError or LibraryError if it differs."""
    names = sorted(set(files) - {METADATA})
    hashes: dict[str, str] = {}
    done, total = 0, 2 * sum(files.values())
    batch: dict[str, bytes] = {}
    for name, content in session.folder.contents(names):
        hashes[name] = hashlib.sha256(content).hexdigest()
        batch[name] = content
        if len(batch) == _SEND_FILES or sum(map(len, batch.values())) > _SEND_BYTES or name == names[-1]:
            sink.write(batch)
            done += sum(map(len, batch.values()))
            batch = {}
            yield TransferProgress(done, total)
    if session.digest_of(hashes.items()) != digest:
        raise SessionError(f"{session.place} is damaged: its files do not match its digest; nothing was copied")
    for name, content in sink.written(names):
        if hashlib.sha256(content).hexdigest() != hashes[name]:
            raise LibraryError(f"{sink.place}: {name} was changed on the way; the copy is not listed; try again")
        done += len(content)
        yield TransferProgress(done, total)
