"""Files that are whole or not there, and disks that cannot make a folder durable."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from zarr.core.buffer import default_buffer_prototype

from recorder import Library, RandomAgent, Session, get_spec, record, verify
from recorder.errors import LibraryError, SessionError
from recorder.library.copying import copy_session
from recorder.library.edits import edit
from recorder.library.merging import merging
from recorder.store.zarr_store import DurableStore
from recorder.system.files import portable_name, replacing, sync, uninterrupted


class Disk:
    """Says `error` when a folder is to be made durable; remembers the inodes of the files that were."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: int, *, files_too: bool = False) -> None:
        self.synced: set[int] = set()
        self.refused = 0
        self._error, self._files_too = error, files_too
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self.fsync)

    def fsync(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode) or self._files_too:
            self.refused += 1
            raise OSError(self._error, os.strerror(self._error))
        self._fsync(descriptor)
        self.synced.add(found.st_ino)


def play(library: Path) -> Session:
    return record("hopper", RandomAgent(get_spec("hopper"), 1), library=library, episodes=2, seed=1)


@pytest.mark.parametrize("name", ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EBADF", "EACCES", "EPERM"])
def test_a_disk_that_cannot_sync_folders_is_recorded_on_and_every_file_is_synced(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch, getattr(errno, name))
    session = play(tmp_path / "library")
    assert disk.refused
    files = [path for path in session.path.rglob("*") if path.is_file()]
    assert [path for path in files if path.stat().st_ino not in disk.synced] == []
    assert verify(session).ok
    edit(session.path, title="On a share")
    copy_session(session.path, tmp_path / "copies")
    list(merging([session.path, play(tmp_path / "library").path], tmp_path / "library"))
    assert {summary.state for summary in Library(tmp_path / "library").sessions()} == {"complete"}
    with replacing(tmp_path / "policy", durable=True) as part:
        part.write_text("weights")
    assert (tmp_path / "policy").stat().st_ino in disk.synced


@pytest.mark.parametrize("name", ["EIO", "ENOSPC", "EDQUOT", "EROFS"])
def test_an_error_of_the_disk_itself_stops_a_recording(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Disk(monkeypatch, getattr(errno, name))
    with pytest.raises((LibraryError, SessionError), match=os.strerror(getattr(errno, name))):
        play(tmp_path)
    assert Library(tmp_path).sessions() == []
    assert not list(tmp_path.glob(".making-*"))


@pytest.mark.parametrize("name", ["EINVAL", "EIO"])
def test_a_file_that_cannot_be_synced_is_an_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Disk(monkeypatch, getattr(errno, name), files_too=True)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=os.strerror(getattr(errno, name))):
        sync(tmp_path / "file")
    with pytest.raises(LibraryError, match="cannot be written"):
        play(tmp_path / "library")


def test_what_is_replaced_stays_as_it_was_until_its_successor_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("old")

    def interrupted() -> None:
        with replacing(path) as part:
            part.write_text("half of the n")
            assert path.read_text() == "old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]
    assert path.read_text() == "old"
    with replacing(path) as part:
        part.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]
    assert path.read_text() == "new"


def test_a_name_as_long_as_names_may_be_can_be_replaced_and_a_longer_one_is_refused_at_once(tmp_path: Path) -> None:
    with replacing(tmp_path / ("ü" * 127)) as part:
        part.write_text("whole")
    assert (tmp_path / ("ü" * 127)).read_text() == "whole"
    with pytest.raises(OSError, match="File name too long"), replacing(tmp_path / ("ü" * 128)):
        pytest.fail("there was work done for a name that cannot be")


@pytest.mark.parametrize("way", ["set", "set_sync", "set_if_not_exists", "write"])
def test_by_whatever_way_zarr_writes_what_was_durable_stays_until_the_next_sync(tmp_path: Path, way: str) -> None:
    store = DurableStore(tmp_path)

    def put(key: str, content: bytes) -> None:
        buffer = default_buffer_prototype().buffer.from_bytes(content)
        done = getattr(store, way)(key, content if way == "write" else buffer)
        if done is not None:
            asyncio.run(done)

    put("keys/zarr.json", b"old")
    store.sync()
    put("keys/zarr.json", b"new")
    assert (tmp_path / "keys" / "zarr.json").read_bytes() == b"old"
    store.sync()
    assert (tmp_path / "keys" / "zarr.json").read_bytes() == (b"old" if way == "set_if_not_exists" else b"new")
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["zarr.json"]


@pytest.mark.parametrize("already", [False, True])
def test_a_write_that_fails_in_the_middle_leaves_what_was_there_and_can_be_made_again(
    tmp_path: Path, already: bool
) -> None:
    store = DurableStore(tmp_path)
    if already:
        store.write("reward/c.0", b"old")
        store.sync()
    with pytest.raises(TypeError):
        store.write("reward/c.0", "no bytes")
    store.sync()
    assert [path.read_bytes() for path in tmp_path.rglob("c.*")] == [b"old"] * already
    store.write("reward/c.0", b"new")
    store.sync()
    assert [path.read_bytes() for path in tmp_path.rglob("c.*")] == [b"new"]


@pytest.mark.parametrize("already", [False, True])
def test_what_the_system_dropped_because_it_could_not_sync_it_is_written_again(
    tmp_path: Path, already: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DurableStore(tmp_path)
    store.write("reward/c.0", b"older")
    store.sync()
    store.fixed = True
    key = "reward/c.0" if already else "reward/c.1"
    store.write(key, b"newer")

    def fail(descriptor: int) -> None:
        os.truncate(descriptor, 0)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output error"):
            store.sync()
    store.sync()
    assert (tmp_path / key).read_bytes() == b"newer"
    assert (tmp_path / "reward/c.0").read_bytes() == (b"newer" if already else b"older")


@pytest.mark.parametrize("interrupted", [os.mkdir, os.replace])
def test_a_call_that_a_signal_interrupts_is_made_again(tmp_path: Path, interrupted: Callable[..., None]) -> None:
    calls: list[tuple[object, ...]] = []

    def call(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) < 3:
            raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))
        interrupted(*arguments)

    (tmp_path / "old").mkdir()
    names = [tmp_path / "new"] if interrupted is os.mkdir else [tmp_path / "old", tmp_path / "new"]
    uninterrupted(call, *names)
    assert len(calls) == 3
    assert (tmp_path / "new").is_dir()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ada and twin, Breakout, 48 to 61", "Ada and twin, Breakout, 48 to 61"),
        ('a/b\\c: "d" <e> | f? *', "a-b-c- -d- -e- - f- -"),
        ("Zoe\u0301\n\tand\x00 twin. . ", "Zo\u00e9 and twin"),
        ("con", "con file"),
        ("Lpt1.x", "Lpt1.x file"),
        ("é" * 300, "é" * 80),
        ("../..", "video"),
        (" . ", "video"),
        ("", "video"),
    ],
)
def test_a_name_made_of_words_is_one_that_every_file_system_takes(tmp_path: Path, text: str, name: str) -> None:
    found = portable_name(text, "video")
    assert found == name
    (tmp_path / f"{found}.mp4").touch()
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.mp4"]
