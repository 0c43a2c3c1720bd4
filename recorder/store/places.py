"""Places of sessions and libraries: a folder on this computer, or a URL that one of fsspec's drivers opens.

    "recordings"             ─▶ Path                     everything works; absolute, with links resolved
    "file:///home/me/plays"  ─▶ Path
    "s3://bucket/team"       ─▶ Url("s3://bucket/team")  sessions are listed, read and copied, not recorded or edited

    Path ─▶ LocalFolder ┐
    Url ─▶ RemoteFolder ┴▶ Folder: the files of a session, and their contents

Decision: everything that needs locks and renames (recording, editing, the trash, runs) takes a Path; a URL is refused
in one sentence. Background: an object store has neither, and a session there is complete or absent, so only reading and
copying are needed. Alternative: a Path that hides a URL, rejected because every `exists` and `rename` in the program
would then have to work for both.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recorder.errors import LibraryError, UsageError
from recorder.store.schema import FOLDERS, FORMAT, is_named
from recorder.store.untrusted import MAX_METADATA_BYTES, METADATA

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)  # at least two letters: C:// is a disk
_LOCAL = ("file", "local")


@dataclass(frozen=True, order=True)
class Url:
    """The place of something that is not on this computer; use `place` to make one. `text` has no slash at its end."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __truediv__(self, name: str) -> Url:
        return Url(f"{self.text}/{name}")

    @property
    def scheme(self) -> str:
        """The name of the driver, such as "s3"."""
        return self.text.partition("://")[0]

    @property
    def name(self) -> str:
        """The last part."""
        return self.text.rpartition("/")[2]


Place = Path | Url


class Folder(Protocol):
    """The files of one session, for reading. Names are relative to it, with slashes."""

    def files(self) -> dict[str, int]:
        """The size in bytes of every regular file that the schema names (`schema.is_named`), by its name."""

    def names(self, folder: str) -> set[str]:
        """The names directly in a folder. Raises OSError if it does not exist."""

    def contents(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each file's name and content, in the order of `names`. Raises OSError or RemoteError."""


class LocalFolder:
    """See Folder. Links are not followed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def files(self) -> dict[str, int]:
        """See Folder."""
        found = {}
        for folder, below, files in os.walk(self.path):
            inside = Path(folder).relative_to(self.path)
            below[:] = [name for name in below if (inside / name).as_posix() in FOLDERS]
            for name in files:
                file = (inside / name).as_posix()
                with contextlib.suppress(OSError):  # a file that is being written may be renamed meanwhile
                    if is_named(file) and stat.S_ISREG((status := os.lstat(os.path.join(folder, name))).st_mode):
                        found[file] = status.st_size
        return found

    def names(self, folder: str) -> set[str]:
        """See Folder."""
        return set(os.listdir(self.path / folder))

    def contents(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """See Folder."""
        for name in names:
            yield name, (self.path / name).read_bytes()


def place(given: Place | str) -> Place:
    """The place that `given` means: text with "://" is a URL; "file://…" and anything else is a path.

    A path becomes absolute, with links resolved, so that ".", "..", a link and a slash at the end mean the same as the
    folder's own path. Raises UsageError for a URL without a place, and for a path that cannot be resolved.
    """
    if isinstance(given, Url):
        return given
    if isinstance(given, Path):
        return _followed(given)
    found = _URL.fullmatch(given)
    # fsspec would follow chained URLs from one driver to the next, and some drivers execute what a file contains.
    chain = "::" in given and "://" in given
    if found is None and not chain:
        return _followed(Path(given))
    scheme, rest = ("", "") if found is None else (found[1].lower(), found[2].rstrip("/"))
    if chain or not rest:
        raise UsageError(f"{given} is not the URL of a session or a library; give one such as s3://bucket/folder")
    return _followed(_path_of(given)) if scheme in _LOCAL else Url(f"{scheme}://{rest}")


def on_this_computer(where: Place, remedy: str = "`twinplay pull` copies sessions from a URL into a folder") -> Path:
    """`where` as a path, for work that needs a folder. Raises UsageError for a URL."""
    if isinstance(where, Url):
        raise UsageError(f"{where} is a URL, but a folder on this computer is needed; {remedy}")
    return where


def keep_out_of_sessions(folder: Path) -> None:
    """Raise LibraryError for a folder that is a session or is inside one: nothing else may be written there."""
    for around in (folder, *folder.parents):
        if is_session(around):
            what = "is a session" if around == folder else f"lies inside the session {around}"
            raise LibraryError(
                f"{folder} {what}, and nothing else can be stored there; choose another folder, such as {around.parent}"
            )


def is_session(folder: Path) -> bool:
    """Whether a folder is a session, by its name or its metadata; it may be damaged."""
    head = folder / METADATA
    try:
        if not head.is_file() or folder.suffix == ".zarr":
            return head.is_file()
        with head.open("rb") as file:
            document = json.loads(file.read(MAX_METADATA_BYTES))
        return bool(document["attributes"]["format"] == FORMAT)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False


def _followed(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a loop of links; or no current folder
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"{str(path)[:200]!r} cannot be found ({reason[:200]}); give another path") from None


def _path_of(url: str) -> Path:
    """The path of a file URL (RFC 8089)."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise UsageError(f"{url} is on another computer; give a path, or a URL with three slashes: file:///folder")
    return Path(url2pathname(parts.path))
