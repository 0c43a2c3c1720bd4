"""Sessions at URLs, through fsspec and its drivers (s3fs, gcsfs, adlfs, …), which nothing else here imports.

    fetch ─▶ held: file contents, the latest 16 MB ─▶ read       one session that is being read
    contents ─▶ batches of up to 128 files or 8 MB                     one that is being copied or hashed
    session_heads ─▶ the `zarr.json` of each session                   a library that is being listed

Each arrow is one listing, or one call for many files at once, which drivers fetch at the same time: what costs is the
way to the store and back, not the few kilobytes of a chunk. Listings are always fresh: somebody else may have pushed.

Credentials, endpoints and all other settings are the drivers' own (environment, configuration files, fsspec's
`FSSPEC_…` variables). Whatever a driver raises is told in one sentence, a RemoteError.
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import fsspec

from recorder.errors import RemoteError
from recorder.store.places import Url
from recorder.store.schema import is_named
from recorder.store.untrusted import MAX_METADATA_BYTES, METADATA, StoreError, check_size
from recorder.system.jobs import new_lock

_HELD_BYTES = 16 << 20
_BATCH_FILES, _BATCH_BYTES = 128, 8 << 20
_AHEAD_CHUNKS, _AHEAD_BYTES = 64, 8 << 20  # a minute of play is mostly some hundred kilobytes
_FIRST_CHUNK = re.compile(r"/c(\.0)+$")
# These have no folders to make, and s3fs would make a missing bucket instead.
_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "r2", "memory")


class RemoteFolder:
    """The files of a session at a URL; see `recorder.store.places.Folder`. Every method may raise RemoteError.

    `head` is its `zarr.json` where that is known already.
    """

    def __init__(self, url: Url, head: bytes | None = None) -> None:
        self.url = url
        self._fs, self._root = _open(url)
        self._held: dict[str, bytes] = {}
        if head is not None:
            self._held[METADATA] = head
        self._lock = new_lock()  # training reads ahead in a thread
        self._begun = False
        self._littered = False  # something lies there that may be none of a session's; known with the listing
        self._ends: dict[str, int] = {}  # the chunk before which what was last expected of each array ended

    def files(self) -> dict[str, int]:
        """See Folder. They are listed once."""
        return self._files

    @cached_property
    def _files(self) -> dict[str, int]:
        with _told(self.url):
            self._fs.invalidate_cache()
            try:
                found = self._fs.find(self._root, detail=True)
            except FileNotFoundError as error:
                if _lacks_bucket(error):
                    raise
                found = {}
        self._littered = bool(found)
        start = len(self._root) + 1
        files = {
            path[start:]: about.get("size")
            for path, about in found.items()
            if about.get("type") == "file" and path.startswith(f"{self._root}/") and is_named(path[start:])
        }
        if not all(isinstance(size, int) for size in files.values()):  # some web servers; what could be read then?
            raise RemoteError(f"{self.url} does not tell how large its files are; copy the session into a folder first")
        return files

    def exists(self) -> bool:
        """Whether anything lies there, of a session or not."""
        return bool(self._files) or self._littered

    def names(self, folder: str) -> set[str]:
        """See Folder."""
        start = len(folder) + 1
        return {name[start:].split("/")[0] for name in self._files if name.startswith(f"{folder}/")}

    def contents(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """See Folder."""
        sizes = self._files
        for batch in _batches((name, sizes.get(name, 0)) for name in names):
            for name, content in zip(batch, self._bring(batch), strict=True):
                if content is None or len(content) != sizes.get(name):
                    raise RemoteError(f"{self.url}/{name} changed while it was read; try again when nobody writes it")
                yield name, content

    def head(self) -> bytes | None:
        """The `zarr.json`, or None where there is none."""
        if METADATA not in self._held:
            found = _heads(self._fs, self.url, [self._root])[0]
            if found is None:
                return None
            self._held[METADATA] = found
        return self._held[METADATA]

    def fetch(self, names: Sequence[str]) -> None:
        """Get those files, as far as they are there and not held, at once; `read` has them then."""
        with self._lock:
            missing = [name for name in names if name not in self._held and name in self._files]
            for name, content in zip(missing, self._bring(missing), strict=True):
                if content is not None:
                    self._held[name] = content
            wanted = {METADATA, *names}
            excess = sum(map(len, self._held.values())) - _HELD_BYTES if missing else 0
            for name in [name for name in self._held if name not in wanted]:
                if excess > 0:
                    excess -= len(self._held.pop(name))

    def expect(self, array: str, chunks: range, key: Callable[[int], str]) -> None:
        """Get an array's chunks, named by `key`, at once; the next ones with them if these follow the last expected.

        Raises StoreError for one that is larger than any chunk may be.
        """
        names = [key(index) for index in chunks]
        for name in names:
            check_size(name, self._files.get(name, 0))
        with self._lock:
            if self._ends.get(array) in (chunks.start, chunks.start + 1) and not self._held.keys() >= set(names):
                names += self._small(map(key, range(chunks.stop, chunks.stop + _AHEAD_CHUNKS)))
            self._ends[array] = chunks.stop
            self.fetch(names)

    def read(self, name: str) -> bytes | None:
        """What is in a file; None where there is none. Raises StoreError for one that has gone, or is too large."""
        if name == METADATA:
            return self.head()
        if name not in self._files:
            return None
        check_size(name, self._files[name])
        with self._lock:
            if not self._begun:  # of a short session, what comes now is everything
                self._begun = True
                needed = (name for name in self._files if name.endswith(METADATA) or _FIRST_CHUNK.search(name))
                self.fetch(self._small(sorted(needed, key=self._files.__getitem__)))
            if name not in self._held:
                self.fetch([name])
            if name not in self._held:
                raise StoreError(f"'{name}' was there, and has gone")
            content = self._held[name]
        check_size(name, len(content))
        return content

    def _small(self, names: Iterable[str]) -> list[str]:
        """The first of the names, as long as they are there and not much together."""
        chosen, size = [], 0
        for name in names:
            size += self._files.get(name, _AHEAD_BYTES)
            if size >= _AHEAD_BYTES:
                break
            chosen.append(name)
        return chosen

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write files, at once. What was there is replaced."""
        with _told(self.url):
            if self.url.scheme not in _OBJECT_STORES:
                for folder in {f"{self._root}/{name}".rpartition("/")[0] for name in contents}:
                    self._fs.makedirs(folder, exist_ok=True)
            self._fs.pipe({f"{self._root}/{name}": content for name, content in contents.items()})

    def _bring(self, names: Sequence[str]) -> list[bytes | None]:
        if not names:
            return []
        with _told(self.url):
            found = self._fs.cat_ranges([f"{self._root}/{name}" for name in names], None, None)
            return [_content(each) for each in found]


def session_heads(library: Url) -> dict[str, bytes]:
    """The `zarr.json` of each session of a library, by the name of its folder; one without is none. Raises RemoteError.

    What is longer than that of any session, or empty, comes back as nothing, which no session is.
    """
    fs, root = _open(library)
    with _told(library):
        fs.invalidate_cache()
        try:
            found = fs.ls(root, detail=True)
        except FileNotFoundError as error:
            if _lacks_bucket(error):
                raise
            return {}
    paths = [str(each["name"]).rstrip("/") for each in found if each.get("type") == "directory"]
    names = [name for path in paths if (name := path.rpartition("/")[2]).endswith(".zarr") and name[0] != "."]
    heads = _heads(fs, library, [f"{root}/{name}" for name in names])
    return {name: head for name, head in zip(names, heads, strict=True) if head is not None}


def _open(url: Url) -> tuple[Any, str]:
    """The driver, and what it calls the place."""
    with _told(url):
        fs, root = fsspec.core.url_to_fs(url.text)
        return fs, str(root).rstrip("/")


def _heads(fs: Any, url: Url, sessions: Sequence[str]) -> list[bytes | None]:
    """At most so much of each `zarr.json` as a session may have, and one byte."""
    with _told(url):
        found = fs.cat_ranges([f"{path}/{METADATA}" for path in sessions], 0, MAX_METADATA_BYTES + 1)
        heads = [_content(each) for each in found]
    return [None if head is None else head if len(head) <= MAX_METADATA_BYTES else b"" for head in heads]


def _content(found: Any) -> bytes | None:
    """What `cat_ranges` has for a file: its content, nothing where there is no such file, or an error to raise."""
    if isinstance(found, FileNotFoundError) and not _lacks_bucket(found):
        return None
    if isinstance(found, OSError) and found.errno == errno.EINVAL:  # S3's answer for a part of an empty file
        return b""
    if isinstance(found, BaseException):
        raise found
    return bytes(found)


def _batches(sizes: Iterable[tuple[str, int]]) -> Iterator[list[str]]:
    batch: list[str] = []
    total = 0
    for name, size in sizes:
        if batch and (len(batch) == _BATCH_FILES or total + size > _BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(name)
        total += size
    yield batch


@contextlib.contextmanager
def _told(url: Url) -> Iterator[None]:
    """Drivers raise what their libraries do: of any kind, and often not OSError."""
    try:
        yield
    except Exception as error:
        raise RemoteError(_sentence(url, error)) from error


def _sentence(url: Url, error: Exception) -> str:
    kind = type(error).__name__
    reason = (str(error).strip().splitlines() or [kind])[0][:200].rstrip(".") or kind
    if isinstance(error, ImportError):
        extra = "pip install 'twinplay[s3]'" if url.scheme.startswith("s3") else "install it, and try again"
        return f"{url} needs a driver that is not installed ({reason}); {extra}"
    if isinstance(error, ValueError) and "rotocol" in reason:
        return f"{url} cannot be opened: {reason}; a URL begins with s3://, gs://, sftp:// or the like"
    if isinstance(error, PermissionError) or "Credential" in kind:
        return (
            f"{url} may not be opened: {reason}; check the credentials, which its driver takes from the environment "
            "(AWS_ACCESS_KEY_ID, AWS_PROFILE and the like)"
        )
    if isinstance(error, FileNotFoundError):
        return f"{url} is not there: {reason}; check its name"
    return f"{url} cannot be reached: {reason}; check the network, and the endpoint if you set one"


def _lacks_bucket(error: BaseException) -> bool:
    return "bucket does not exist" in str(error).lower()
