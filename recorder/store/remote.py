"""Sessions at URLs, through fsspec and its drivers (s3fs, gcsfs, adlfs, …); only this module imports fsspec.

    fetch ─▶ held: file contents, the latest 16 MB ─▶ read             reading a session
    contents ─▶ batches of up to 128 files or 8 MB                     copying or hashing a session
    session_heads ─▶ the `zarr.json` of each session                   listing a library

Each arrow is one listing, or one call for many files at once, which drivers fetch in parallel: the cost is the round
trip to the store, not the few kilobytes of a chunk. Listings are never cached: somebody else may have pushed.

Credentials, endpoints and all other settings are those of the drivers (environment, configuration files, fsspec's
`FSSPEC_…` variables). Whatever a driver raises becomes one sentence, a RemoteError.
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import fsspec

from recorder.errors import RemoteError, first_line
from recorder.store.places import Url
from recorder.store.schema import is_named
from recorder.store.untrusted import MAX_METADATA_BYTES, METADATA, StoreError, check_size
from recorder.system.jobs import new_lock

_HELD_BYTES = 16 << 20
_BATCH_FILES, _BATCH_BYTES = 128, 8 << 20
_AHEAD_CHUNKS, _AHEAD_BYTES = 64, 8 << 20  # a minute of play usually takes some hundred kilobytes
_FIRST_CHUNK = re.compile(r"/c(\.0)+$")
# These stores need no folders; asked for a folder, s3fs would create a missing bucket.
_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "r2", "memory")


class RemoteFolder:
    """The files of a session at a URL; see `recorder.store.places.Folder`. Every method may raise RemoteError.

    `head` is its `zarr.json`, if already known.
    """

    def __init__(self, url: Url, head: bytes | None = None) -> None:
        self.url = url
        self._fs, self._root = _open(url)
        self._held: dict[str, bytes] = {}
        if head is not None:
            self._held[METADATA] = head
        self._lock = new_lock()  # training reads ahead in a thread
        self._begun = False
        self._littered = False  # the folder has files that may not belong to a session; known after listing
        self._ends: dict[str, int] = {}  # of each array, the end of the chunks last expected

    def files(self) -> dict[str, int]:
        """See Folder. The files are listed once."""
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
        if not all(isinstance(size, int) for size in files.values()):  # some web servers report no sizes
            raise RemoteError(f"{self.url} does not tell how large its files are; copy the session into a folder first")
        return files

    def exists(self) -> bool:
        """Whether there is any file, of a session or not."""
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
                    raise RemoteError(
                        f"{self.url}/{name} changed while it was read; try again when nothing writes to it"
                    )
                yield name, content

    def head(self) -> bytes | None:
        """The `zarr.json`, or None if there is none."""
        if METADATA not in self._held:
            found = _heads(self._fs, self.url, [self._root])[0]
            if found is None:
                return None
            self._held[METADATA] = found
        return self._held[METADATA]

    def fetch(self, names: Sequence[str]) -> None:
        """Fetch those files at once, if they exist and are not held; `read` then returns them."""
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
        """Fetch an array's chunks, named by `key`, at once; if they follow the last ones, read ahead, too.

        Raises StoreError for a chunk that is too large.
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
        """The content of a file; None if there is none. Raises StoreError if it has disappeared or is too large."""
        if name == METADATA:
            return self.head()
        if name not in self._files:
            return None
        check_size(name, self._files[name])
        with self._lock:
            if not self._begun:  # for a short session these are all its files
                self._begun = True
                needed = (name for name in self._files if name.endswith(METADATA) or _FIRST_CHUNK.search(name))
                self.fetch(self._small(sorted(needed, key=self._files.__getitem__)))
            if name not in self._held:
                self.fetch([name])
            if name not in self._held:
                raise StoreError(f"'{name}' has disappeared")
            content = self._held[name]
        check_size(name, len(content))
        return content

    def _small(self, names: Iterable[str]) -> list[str]:
        """The first of the names, up to a small total size; names without a file end the list."""
        chosen, size = [], 0
        for name in names:
            size += self._files.get(name, _AHEAD_BYTES)
            if size >= _AHEAD_BYTES:
                break
            chosen.append(name)
        return chosen

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write files at once, replacing existing ones."""
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
    """The `zarr.json` of each session of a library, by the name of its folder. Raises RemoteError.

    A folder without one is not a session. One that is empty or too long is returned as empty bytes, which are invalid.
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
    """The driver, and its name for the place."""
    with _told(url):
        fs, root = fsspec.core.url_to_fs(url.text)
        return fs, str(root).rstrip("/")


def _heads(fs: Any, url: Url, sessions: Sequence[str]) -> list[bytes | None]:
    """Of each `zarr.json`, at most one byte more than a session's may have."""
    if not sessions:
        return []
    with _told(url):
        found = fs.cat_ranges([f"{path}/{METADATA}" for path in sessions], 0, MAX_METADATA_BYTES + 1)
        heads = [_content(each) for each in found]
    return [None if head is None else head if len(head) <= MAX_METADATA_BYTES else b"" for head in heads]


def _content(found: Any) -> bytes | None:
    """The content from a result of `cat_ranges`; None if there is no such file. Raises the error that it contains."""
    if isinstance(found, FileNotFoundError) and not _lacks_bucket(found):
        return None
    if isinstance(found, OSError) and found.errno == errno.EINVAL:  # S3's error for a range of an empty file
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
    """Turn a driver's error into a RemoteError; drivers raise errors of any type, often not OSError."""
    try:
        yield
    except Exception as error:
        raise RemoteError(_sentence(url, error)) from error


def _sentence(url: Url, error: Exception) -> str:
    kind = type(error).__name__
    reason = first_line(error, 200).rstrip(".") or kind
    if isinstance(error, ImportError):
        extra = "pip install 'twinplay[s3]'" if url.scheme.startswith("s3") else "install it, and try again"
        return f"{url} needs a driver that is not installed ({reason}); {extra}"
    if isinstance(error, ValueError) and "rotocol" in reason:
        return f"{url} cannot be opened: {reason}; a URL starts with s3://, gs://, sftp:// or similar"
    if isinstance(error, PermissionError) or "Credential" in kind:
        return (
            f"access to {url} was denied: {reason}; check the credentials in the environment "
            "(AWS_ACCESS_KEY_ID, AWS_PROFILE and similar)"
        )
    if isinstance(error, FileNotFoundError):
        return f"{url} does not exist: {reason}; check its name"
    return f"{url} cannot be reached: {reason}; check the network, and the endpoint if you set one"


def _lacks_bucket(error: BaseException) -> bool:
    return "bucket does not exist" in str(error).lower()
