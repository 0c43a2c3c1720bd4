"""Where sessions and libraries lie: in a folder on this computer, or at a URL that one of fsspec's drivers opens.

    "recordings"             ─▶ Path                     everything works there
    "file:///home/me/plays"  ─▶ Path
    "s3://bucket/team"       ─▶ Url("s3://bucket/team")  sessions are listed, read and copied, not recorded or edited

    Path ─▶ LocalFolder ┐
    Url ─▶ RemoteFolder ┴▶ Folder: which files a session has, and what is in them

Decision: what needs locks and renames (recording, editing, the trash, runs) takes a Path, and a URL in its place is
refused in one sentence. Background: an object store has neither, and a session there is whole or not there at all, so
nothing but reading and copying is needed. Alternative: a Path that hides a URL, rejected because every `exists` and
`rename` in the program would then have to be right about both.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recorder.errors import UsageError

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)  # two letters and more: C:// is a disk
_LOCAL = ("file", "local")


@dataclass(frozen=True, order=True)
class Url:
    """Where something lies that is not on this computer; `place` makes one. `text` has no slash at its end."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __truediv__(self, name: str) -> Url:
        return Url(f"{self.text}/{name}")

    @property
    def scheme(self) -> str:
        """What names the driver, such as "s3"."""
        return self.text.partition("://")[0]

    @property
    def name(self) -> str:
        """The last part."""
        return self.text.rpartition("/")[2]


Place = Path | Url


class Folder(Protocol):
    """The files of one session, for reading. Names are relative to it, with slashes."""

    def files(self) -> dict[str, int]:
        """The size in bytes of every plain file, by its name."""

    def names(self, folder: str) -> set[str]:
        """What lies directly in a folder. Raises OSError when there is none."""

    def contents(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each file's name and what is in it, in the order of `names`. Raises OSError or RemoteError."""


class LocalFolder:
    """See Folder. No file is found through a link."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def files(self) -> dict[str, int]:
        """See Folder."""
        found = {}
        for file in self.path.rglob("*"):
            with contextlib.suppress(OSError):  # one that is being written takes another name meanwhile
                status = file.lstat()
                if stat.S_ISREG(status.st_mode):
                    found[file.relative_to(self.path).as_posix()] = status.st_size
        return found

    def names(self, folder: str) -> set[str]:
        """See Folder."""
        return set(os.listdir(self.path / folder))

    def contents(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """See Folder."""
        for name in names:
            yield name, (self.path / name).read_bytes()


def place(given: Place | str) -> Place:
    """Where `given` is: text with "://" in it is a URL, "file://…" and anything else a path.

    Raises UsageError for a URL that names no place.
    """
    if not isinstance(given, str):
        return given
    found = _URL.fullmatch(given)
    # fsspec would follow a chain from one driver to the next; some of those run what a file tells them to.
    chain = "::" in given and "://" in given
    if found is None and not chain:
        return Path(given)
    scheme, rest = ("", "") if found is None else (found[1].lower(), found[2].rstrip("/"))
    if chain or not rest:
        raise UsageError(f"{given} is no URL of a session or a library; give one such as s3://bucket/folder")
    return _path_of(given) if scheme in _LOCAL else Url(f"{scheme}://{rest}")


def absolute(where: Place) -> Place:
    """What finds `where` from any folder."""
    return where.resolve() if isinstance(where, Path) else where


def on_this_computer(where: Place, remedy: str = "`twinplay pull` copies sessions from a URL into a folder") -> Path:
    """`where`, unless it is a URL: for what needs a folder. Raises UsageError."""
    if isinstance(where, Url):
        raise UsageError(f"{where} is a URL, and this needs a folder on this computer; {remedy}")
    return where


def _path_of(url: str) -> Path:
    """RFC 8089."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise UsageError(f"{url} names another computer; give a path, or a URL with three slashes: file:///folder")
    return Path(url2pathname(parts.path))
