"""Sessions at URLs: what finds them, how they are read, and what needs a folder."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from fsspec.implementations.local import LocalFileSystem

from recorder import Library, RandomAgent, Session, get_spec, record, verify
from recorder.errors import RemoteError, SessionError, UsageError
from recorder.library.copying import copy_session
from recorder.library.edits import edit
from recorder.store.places import Place, Url, on_this_computer, place
from recorder.store.remote import RemoteFolder
from recorder.store.schema import CHUNK_TICKS
from recorder.system.jobs import Task
from tests.hostile import crc32c

CHUNKS = 100


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A hundred seconds of Breakout in which nothing is done: as many chunks."""
    library = tmp_path_factory.mktemp("cloud")
    agent = RandomAgent(get_spec("breakout"), 1)
    return record("breakout", agent, library=library, seconds=CHUNKS, seed=1)


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The files that were fetched, a list for each call to the driver."""
    calls: list[list[str]] = []
    original = RemoteFolder._bring

    def counting(self: RemoteFolder, names: Any) -> Any:
        calls.extend([list(names)] if names else [])
        return original(self, names)

    monkeypatch.setattr(RemoteFolder, "_bring", counting)
    return calls


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("recordings/x.zarr", Path("recordings/x.zarr")),
        ("C://recordings", Path("C://recordings")),
        ("file:///home/me/my%20plays/", Path("/home/me/my plays")),
        ("s3://bucket/team/", Url("s3://bucket/team")),
        ("S3://Bucket/x.zarr", Url("s3://Bucket/x.zarr")),
        (Path("s3"), Path("s3")),
    ],
)
def test_what_has_a_scheme_is_a_url_and_all_else_a_path_from_the_root(given: str | Path, found: Place) -> None:
    assert place(given) == (found.resolve() if isinstance(found, Path) else found)


@pytest.mark.parametrize("given", ["s3://", "s3:///", "reference::https://host/x.json", "file://host/folder"])
def test_a_url_that_names_no_place_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="give"):
        place(given)


def test_the_parts_of_a_url() -> None:
    session = Url("s3://bucket/team") / "x.zarr"
    assert (str(session), session.name, session.scheme) == ("s3://bucket/team/x.zarr", "x.zarr", "s3")


def test_a_session_at_a_url_reads_as_the_one_it_was_copied_from(take: Session, memory: str) -> None:
    copy = Session.open(str(copy_session(take.path, memory)))
    for name in ("actions", "rewards", "terminated", "lives", "time_ns", "due_ns", "speed", "keys", "palette"):
        assert np.array_equal(getattr(copy, name), getattr(take, name)), name
    assert np.array_equal(copy.screens(0, len(copy)), take.screens(0, len(take)))
    assert np.array_equal(copy.frames[-1], take.frames[-1])
    assert copy.frames[5:5].shape == take.frames[5:5].shape == (0, 210, 160, 3)
    assert copy.episodes == take.episodes
    assert (copy.digest(), copy.size_bytes, copy.name) == (take.digest(), take.size_bytes, take.name)
    last = copy.episodes[-1].index
    assert np.array_equal(copy.final_observation(last), take.final_observation(last))  # type: ignore[arg-type]


def test_a_library_at_a_url_lists_what_the_folder_lists(take: Session, memory: str, brought: list[list[str]]) -> None:
    assert Library(memory).sessions() == []
    fsspec.filesystem("memory").pipe(f"{memory}/notes.txt", b"no session")
    assert Library(memory).sessions() == []
    copy_session(take.path, memory)
    brought.clear()
    (row,) = Library(memory).sessions()
    (original,) = Library(take.path.parent).sessions()
    assert row.to_json() == original.to_json()
    assert (row.name, row.state, row.place) == (take.name, "complete", Url(f"{memory}/{take.path.name}"))
    assert brought == []  # the `zarr.json` alone, whatever the number of chunks
    fsspec.filesystem("memory").pipe(f"{memory}/half.zarr/screen/c.0.0.0", b"what a push had sent")
    assert len(Library(memory).sessions()) == 1


def test_reading_in_order_brings_every_chunk_once_and_many_at_a_time(
    take: Session, memory: str, brought: list[list[str]]
) -> None:
    copy = Session.open(str(copy_session(take.path, memory)))
    brought.clear()
    for start in range(0, len(copy), 10 * CHUNK_TICKS):
        copy.screens(start, start + 10 * CHUNK_TICKS)
    names = [name for call in brought for name in call]
    assert len(names) == len(set(names))
    assert len([name for name in names if name.startswith("screen/c.")]) == CHUNKS
    assert len(brought) <= 4  # the beginning, ten chunks, and then sixty-odd in each call


def test_one_moment_brings_one_chunk(take: Session, memory: str, brought: list[list[str]]) -> None:
    copy = Session.open(str(copy_session(take.path, memory)))
    copy.screen(0)
    brought.clear()
    copy.screen(70 * CHUNK_TICKS)
    assert brought == [["screen/c.70.0.0"]]


def test_what_is_held_of_a_session_is_bounded(
    take: Session, memory: str, monkeypatch: pytest.MonkeyPatch, brought: list[list[str]]
) -> None:
    monkeypatch.setattr("recorder.store.remote._HELD_BYTES", 50_000)
    copy = Session.open(str(copy_session(take.path, memory)))
    for start in range(0, len(copy), CHUNK_TICKS):
        screens = copy.screens(start, start + CHUNK_TICKS)
        assert np.array_equal(screens, take.screens(start, start + CHUNK_TICKS))
    folder = copy.folder
    assert isinstance(folder, RemoteFolder)
    window = sum(size for name, size in folder.files().items() if name in brought[-1])
    assert sum(map(len, folder._held.values())) <= 50_000 + window + len(folder.head() or b"")


def test_several_threads_read_one_session_and_fetch_in_turn(
    take: Session, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.store.remote._HELD_BYTES", 10_000)
    copy = Session.open(str(copy_session(take.path, memory)))
    screens = take.screens(0, 20 * CHUNK_TICKS)
    original, inside, most = RemoteFolder._bring, 0, 0

    def noting(self: RemoteFolder, names: Any) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        for _ in range(20):
            time.sleep(0)  # the other threads' turn
        inside -= 1
        return original(self, names)

    def read_all() -> bool:
        starts = range(0, len(screens), CHUNK_TICKS)
        return all(
            np.array_equal(copy.screens(start, start + CHUNK_TICKS), screens[start : start + CHUNK_TICKS])
            for start in starts
        )

    monkeypatch.setattr(RemoteFolder, "_bring", noting)
    tasks = [Task(read_all, f"reader-{number}") for number in range(3)]
    for task in tasks:
        task.join()
    assert [(task.result, task.error) for task in tasks] == [(True, "")] * 3
    assert most == 1


def test_a_chunk_that_goes_while_it_is_read_is_an_error_and_no_zeros(take: Session, memory: str) -> None:
    copy = Session.open(str(copy_session(take.path, memory)))
    copy.screens(0, 1)
    fsspec.filesystem("memory").rm(f"{memory}/{take.path.name}/screen/c.80.0.0")
    with pytest.raises(SessionError, match=r"c\.80\.0\.0' has disappeared"):
        copy.screens(80 * CHUNK_TICKS, 80 * CHUNK_TICKS + 1)
    with pytest.raises(SessionError, match="rows 4800 to 4859 is missing"):
        Session.open(copy.place).screens(0, 1)


def test_what_a_chunk_says_of_its_size_is_checked_before_it_is_unpacked(take: Session, memory: str) -> None:
    copy = Session.open(str(copy_session(take.path, memory)))
    frame = b"\x28\xb5\x2f\xfd\xe0" + (2**40).to_bytes(8, "little") + b"harm"
    bomb = frame + crc32c(frame).to_bytes(4, "little")
    fsspec.filesystem("memory").pipe(f"{memory}/{take.path.name}/screen/c.1.0.0", bomb)
    with pytest.raises(
        SessionError, match=r"'screen/c\.1\.0\.0' is damaged \(its unpacked size is missing or too large"
    ):
        copy.screens(CHUNK_TICKS, CHUNK_TICKS + 1)


def test_a_chunk_larger_than_any_is_not_even_fetched(
    take: Session, memory: str, brought: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Session.open(str(copy_session(take.path, memory)))
    monkeypatch.setattr("recorder.store.untrusted.MAX_CHUNK_BYTES", 10)
    brought.clear()
    with pytest.raises(SessionError, match="more than any chunk needs"):
        copy.screens(CHUNK_TICKS, CHUNK_TICKS + 1)
    assert "screen/c.1.0.0" not in [name for call in brought for name in call]


def test_a_session_at_a_url_verifies_but_cannot_be_marked_so(hops: Session, memory: str) -> None:
    copy = copy_session(hops.path, memory)
    assert verify(Session.open(copy)).ok
    assert not Session.open(copy).verified


def test_what_needs_a_folder_says_so(take: Session, memory: str) -> None:
    copy = copy_session(take.path, memory)
    library = Library(memory)
    actions = (
        lambda: record("hopper", RandomAgent(get_spec("hopper"), 1), library=memory, episodes=1),
        lambda: edit(on_this_computer(copy), title="mine"),
        lambda: library.trash(take.name),
        lambda: library.trashed(),
        lambda: library.policies,
        lambda: Session.open(copy).path,
        lambda: Session.open(copy).certify("0"),
    )
    for action in actions:
        with pytest.raises(
            UsageError, match=r"^memory://team/library.* is a URL, but a folder on this computer is needed"
        ):
            action()


def test_the_apps_own_library_cannot_be_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINPLAY_LIBRARY", "s3://bucket/team")
    with pytest.raises(UsageError, match="TWINPLAY_LIBRARY"):
        Library()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("memory://team/nothing.zarr", "it does not exist"),
        ("memory://team/library", "it has no zarr.json"),
        ("gs://bucket/x.zarr", "needs a driver that is not installed .*gcsfs"),
        ("strange://bucket/x.zarr", "Protocol not known: strange"),
    ],
)
def test_what_cannot_be_opened_is_told_in_a_sentence(take: Session, memory: str, url: str, sentence: str) -> None:
    copy_session(take.path, memory)
    with pytest.raises((SessionError, RemoteError), match=f"^{url} .*{sentence}"):
        Session.open(url)


def test_a_driver_that_fails_in_the_middle_is_no_damaged_session(
    take: Session, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Session.open(copy_session(take.path, memory))
    monkeypatch.setattr(type(fsspec.filesystem("memory")), "cat_file", lambda *_, **__: 1 / 0)
    with pytest.raises(RemoteError, match="cannot be reached: division by zero"):
        copy.screens(0, 1)
    with pytest.raises(RemoteError, match="cannot be reached"):
        Library(memory).sessions()


def test_a_session_in_a_folder_can_be_named_by_its_url(hops: Session, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(hops.path, tmp_path / hops.path.name))
    session = Session.open(copy.as_uri())
    assert session.path == copy
    session.certify(session.digest())
    assert Session.open(copy).verified


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def website(hops: Session) -> Iterator[str]:
    """The URL at which a web server shows the library of `hops`, as pages with links."""
    handler = functools.partial(_Quiet, directory=str(hops.path.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, name="website")
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    fsspec.get_filesystem_class("http").clear_instance_cache()


def test_a_web_server_that_tells_no_sizes_lists_sessions_and_says_why_they_are_not_read(
    hops: Session, website: str
) -> None:
    assert hops.name in [row.name for row in Library(website).sessions()]
    session = Session.open(f"{website}/{hops.path.name}")
    assert len(session) == len(hops)
    with pytest.raises(SessionError, match=r"nothing\.zarr is not a readable session: it does not exist"):
        Session.open(f"{website}/nothing.zarr")
    with pytest.raises(RemoteError, match="does not tell how large its files are; copy the session into a folder"):
        _ = session.actions


class Shelf(LocalFileSystem):
    """A driver with folders that must be made before a file lies in them, as those of SFTP and SMB have."""

    protocol = "shelf"
    auto_mkdir = False

    def find(self, path: Any, **options: Any) -> Any:
        if not self.exists(path):
            raise FileNotFoundError(path)
        return super().find(path, **options)

    @classmethod
    def _strip_protocol(cls, path: Any) -> str:
        return str(super()._strip_protocol(str(path).removeprefix("shelf://")))


def test_where_a_store_has_folders_they_are_made(hops: Session, tmp_path: Path) -> None:
    fsspec.register_implementation("shelf", Shelf, clobber=True)
    copy = copy_session(hops.path, f"shelf://{tmp_path}/team/library")
    assert copy == Url(f"shelf://{tmp_path}/team/library/{hops.path.name}")
    with pytest.raises(SessionError, match=r"nothing\.zarr is not a readable session: it does not exist"):
        Session.open(f"shelf://{tmp_path}/team/library/nothing.zarr")
    assert Session.open(copy).digest() == hops.digest()
    lying = {path.relative_to(tmp_path / "team" / "library") for path in tmp_path.rglob("c.*")}
    assert lying == {path.relative_to(hops.path.parent) for path in hops.path.rglob("c.*")}


def test_for_no_files_the_store_is_not_asked(hops: Session, memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Session.open(str(copy_session(hops.path, memory))).folder
    folder.files()
    asked: list[Any] = []
    monkeypatch.setattr(type(fsspec.filesystem("memory")), "cat_ranges", lambda *_: asked.append(_) or [])
    assert list(folder.contents([])) == []
    assert asked == []
