"""Copies of sessions from library to library: whole or not there at all, and never in the place of another."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import fsspec
import pytest

from recorder import Library, RandomAgent, Session, get_spec, record
from recorder.errors import LibraryError, SessionError
from recorder.library.copying import TransferProgress, copy_session, copying
from recorder.store.locks import session_lock
from recorder.store.places import Place, Url
from recorder.store.remote import RemoteFolder

NAME = "2026-11-21T10-14-03-hopper.zarr"


@pytest.fixture(params=["memory://team/library", "folder"])
def library(request: pytest.FixtureRequest, memory: str, tmp_path: Path) -> str:
    """A library at a URL, and one in a folder."""
    return str(tmp_path / "library") if request.param == "folder" else memory


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two sessions that two people recorded in the same second."""
    made = []
    for seed in (1, 2):
        folder = tmp_path_factory.mktemp(f"person-{seed}")
        session = record("hopper", RandomAgent(get_spec("hopper"), seed), library=folder, episodes=1, seed=seed)
        made.append(session.path.rename(folder / NAME))
    return made[0], made[1]


@pytest.fixture
def mine(people: tuple[Path, Path], tmp_path: Path) -> Path:
    """A session that a test may spoil."""
    return Path(shutil.copytree(people[0], tmp_path / "mine" / NAME))


def stored(library: str) -> dict[str, bytes]:
    """All files of a library."""
    fs, root = fsspec.core.url_to_fs(library)
    return {path.removeprefix(root): fs.cat_file(path) for path in fs.find(root)} if fs.exists(root) else {}


def test_the_sessions_of_several_people_come_together(people: tuple[Path, Path], library: str, tmp_path: Path) -> None:
    first, second = (copy_session(path, library) for path in people)
    digests = [Session.open(path).digest() for path in people]
    assert (first.name, second.name) == (NAME, f"{NAME.removesuffix('.zarr')}-{digests[1][:8]}.zarr")
    assert [Session.open(copy).digest() for copy in (first, second)] == digests
    before = stored(library)
    assert [list(copying(path, library))[-1].was_there for path in people] == [True, True]
    assert stored(library) == before
    # and from there to a third
    third = tmp_path / "third"
    for row in Library(library).sessions():
        copy_session(row.place, third)
    rows = Library(third).sessions()
    assert {row.digest for row in rows} == set(digests)
    assert {row.state for row in rows} == {"complete"}
    assert sorted(path.name for path in third.glob("*.zarr")) == sorted([first.name, second.name])


def test_a_copy_is_the_same_to_the_byte(people: tuple[Path, Path], library: str, tmp_path: Path) -> None:
    copy = copy_session(people[0], library)
    back = copy_session(copy, tmp_path / "back")
    assert isinstance(back, Path)
    files = {path.relative_to(back): path.read_bytes() for path in back.rglob("*") if path.is_file()}
    origin = people[0]
    assert files == {path.relative_to(origin): path.read_bytes() for path in origin.rglob("*") if path.is_file()}
    assert not [path for path in (tmp_path / "back").iterdir() if path.name.startswith(".making")]


def test_progress_grows_to_its_total_and_ends_with_the_place(people: tuple[Path, Path], library: str) -> None:
    steps = list(copying(people[0], library))
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert {step.made for step in steps[:-1]} == {None}
    last = steps[-1]
    assert (last.done, last.was_there, str(last.made)) == (last.total, False, f"{library}/{NAME}")


@pytest.mark.parametrize("steps", [1, 5])
def test_an_interrupted_copy_is_no_session_and_the_next_one_is_whole(
    people: tuple[Path, Path], library: str, steps: int
) -> None:
    going = copying(people[0], library)
    for _ in range(steps):
        next(going)
    going.close()
    assert Library(library).sessions() == []
    with pytest.raises(SessionError):
        Session.open(f"{library}/{NAME}")
    copy = copy_session(people[0], library)
    assert copy.name == NAME
    assert [row.digest for row in Library(library).sessions()] == [Session.open(people[0]).digest()]


def test_what_another_persons_copy_left_is_not_written_over(people: tuple[Path, Path], memory: str) -> None:
    going = copying(people[1], memory)
    next(going)
    going.close()
    left = stored(memory)
    copy = copy_session(people[0], memory)
    assert copy.name != NAME
    assert left.items() <= stored(memory).items()
    copy_session(people[1], memory)
    assert {row.digest for row in Library(memory).sessions()} == {Session.open(path).digest() for path in people}


def test_the_zarr_json_goes_last(people: tuple[Path, Path], memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    original = RemoteFolder.write

    def noting(self: RemoteFolder, contents: Any) -> None:
        written.extend(contents)
        original(self, contents)

    monkeypatch.setattr(RemoteFolder, "write", noting)
    copy_session(people[0], memory)
    assert written.index("zarr.json") == len(written) - 1
    assert len(written) == len(list(path for path in people[0].rglob("*") if path.is_file()))


def test_what_did_not_arrive_as_it_was_sent_is_found(
    people: tuple[Path, Path], memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = RemoteFolder.write

    def damaging(self: RemoteFolder, contents: Any) -> None:
        original(
            self, {name: content[:-1] + b"!" if "lives/c" in name else content for name, content in contents.items()}
        )

    monkeypatch.setattr(RemoteFolder, "write", damaging)
    with pytest.raises(LibraryError, match=r"lives/c\.0 was changed on the way"):
        copy_session(people[0], memory)
    assert Library(memory).sessions() == []


def test_what_did_not_arrive_at_all_is_found(
    people: tuple[Path, Path], memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = RemoteFolder.write

    def losing(self: RemoteFolder, contents: Any) -> None:
        original(self, {name: content for name, content in contents.items() if "lives/c" not in name})

    monkeypatch.setattr(RemoteFolder, "write", losing)
    with pytest.raises(LibraryError, match=r"lives/c\.0 changed while it was read"):
        copy_session(people[0], memory)
    assert Library(memory).sessions() == []


def test_a_damaged_session_is_not_copied(mine: Path, library: str) -> None:
    chunk = mine / "action" / "c.0.0"
    data = bytearray(chunk.read_bytes())
    data[-1] ^= 1
    chunk.write_bytes(data)
    with pytest.raises(SessionError, match="is damaged: its files do not match its digest"):
        copy_session(mine, library)
    assert Library(library).sessions() == []


def test_a_session_that_is_being_recorded_is_not_copied(mine: Path, library: str) -> None:
    with session_lock(mine), pytest.raises(SessionError, match="is being recorded"):
        copy_session(mine, library)
    assert stored(library) == {}


def test_an_interrupted_session_is_copied_as_it_is(mine: Path, library: str) -> None:
    head = mine / "zarr.json"
    head.write_text(head.read_text().replace('"complete"', '"recording"'))
    copy = copy_session(mine, library)
    assert [row.state for row in Library(library).sessions()] == ["interrupted"]
    assert Session.open(copy).digest() == Session.open(mine).digest()
    assert list(copying(mine, library))[-1].was_there


def test_annotations_change_neither_digest_nor_the_copy(mine: Path, library: str) -> None:
    from recorder.library.edits import edit

    copy = copy_session(mine, library)
    edit(mine, title="Better", excluded={0: True})
    assert list(copying(mine, library))[-1] == TransferProgress(*[2 * Session.open(mine).size_bytes] * 2, copy, True)
    assert Session.open(copy).title == ""


def test_a_name_that_no_url_can_hold_is_refused(mine: Path, memory: str) -> None:
    strange = mine.rename(mine.with_name("what?[1].zarr"))
    with pytest.raises(SessionError, match="its name cannot be used in a URL"):
        copy_session(strange, memory)


@pytest.mark.parametrize(
    "name", ["../../evil", "screen/../../../evil", "/etc/evil", ".evil", "a/b/c/d/evil", "c:\\evil", "action/c.0/évil"]
)
def test_files_that_no_session_has_stay_behind(
    people: tuple[Path, Path], memory: str, tmp_path: Path, name: str
) -> None:
    copy = copy_session(people[0], memory)
    fs = fsspec.filesystem("memory")
    fs.pipe(f"{memory}/{NAME}/evil", b"harm")
    root = f"/team/library/{NAME}"
    fs.store[f"{root}/{name}"] = fs.store.pop(f"{root}/evil")
    pulled = copy_session(copy, tmp_path / "deep" / "library")
    assert isinstance(pulled, Path)
    assert {path.relative_to(pulled) for path in pulled.rglob("*")} == {
        path.relative_to(people[0]) for path in people[0].rglob("*")
    }
    assert not list(tmp_path.rglob("*vil*"))


def test_a_file_larger_than_any_of_a_session_is_not_pulled(
    people: tuple[Path, Path], memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copy_session(people[0], memory)
    monkeypatch.setattr("recorder.store.untrusted.MAX_CHUNK_BYTES", 50)
    with pytest.raises(SessionError, match=r"was not copied: .*more than any chunk needs"):
        copy_session(copy, tmp_path / "library")
    assert not (tmp_path / "library").exists()


def test_a_full_disk_is_told_before_anything_is_copied(
    people: tuple[Path, Path], memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy: Place = copy_session(people[0], memory)
    assert isinstance(copy, Url)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=1_000))
    with pytest.raises(LibraryError, match="free some disk space"):
        copy_session(copy, tmp_path / "library")
    assert list((tmp_path / "library").iterdir()) == []
