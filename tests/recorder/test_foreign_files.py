"""What file managers, network drives and editors leave in a session is none of it; what is of it still counts."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import fsspec
import numpy as np
import pytest
import zarr

from recorder import Library, Session, record, verify
from recorder.agents.experts import scripted
from recorder.errors import SessionError
from recorder.library.copying import copy_session
from recorder.library.merging import merging
from recorder.system.resources import asset

FOREIGN = (
    ".DS_Store",
    "desktop.ini",
    "Thumbs.db",
    "._zarr.json",
    "zarr.json~",
    "zarr.json (conflicted copy)",
    ".nfs000000000001a2b300000001",
    "@eaDir/zarr.json/SYNOINDEX",
    "@eaDir/zarr.json",
    "screen/._c.0.0.0",
    "screen/c.0.0.0~",
    "screen/.DS_Store",
    "screen/c.x",
    "action/@eaDir/c.0",
    "episodes/.DS_Store",
    "episodes/start/Thumbs.db",
    "2026-11-21T10-14-03-breakout.zarr/zarr.json",
    "copy/zarr.json",
    "copy/c.0",
)


@pytest.fixture(scope="module")
def game(library: Path) -> Session:
    """Some seconds of scripted Breakout."""
    return record("breakout", scripted("breakout", seed=3), library=library, seconds=5, seed=3)


@pytest.fixture
def path(game: Session, tmp_path: Path) -> Path:
    """A session that a test may spoil."""
    return Path(shutil.copytree(game.path, tmp_path / "library" / game.path.name))


def litter(session: Path) -> None:
    for name in FOREIGN:
        if not (session / name).exists() and not (session / name).parent.is_file():
            (session / name).parent.mkdir(parents=True, exist_ok=True)
            (session / name).write_bytes(b"not of the session")


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_littered_session_is_the_same_session(game: Session, path: Path) -> None:
    litter(path)
    session = Session.open(path)
    assert (session.digest(), session.size_bytes) == (game.digest(), game.size_bytes)
    certificate = verify(session)
    assert certificate.ok, certificate.difference
    assert [row.size_bytes for row in Library(path.parent).sessions()] == [game.summary()["size_bytes"]]


def test_a_session_of_an_earlier_version_keeps_its_digest(tmp_path: Path) -> None:
    with zipfile.ZipFile(asset("sample") / "session.zip") as archive:
        archive.extractall(tmp_path / "sample.zarr")
    for _ in range(2):
        session = Session.open(tmp_path / "sample.zarr")
        assert session.digest() == session.attributes["digest"]
        litter(session.path)


def test_copies_leave_it_behind(game: Session, path: Path, memory: str, tmp_path: Path) -> None:
    clean = files_of(path)
    litter(path)
    pushed = copy_session(path, memory)
    fs = fsspec.filesystem("memory")
    root = f"/team/library/{path.name}/"
    assert {name.removeprefix(root) for name in fs.find(root)} == set(clean)
    for name in (".DS_Store", "screen/._c.0.0.0", "@eaDir/x"):
        fs.pipe(f"{root}{name}", b"not of the session")
    remote = Session.open(pushed)
    assert (remote.digest(), remote.size_bytes) == (game.digest(), game.size_bytes)
    assert verify(remote).ok
    pulled = copy_session(pushed, tmp_path / "pulled")
    assert isinstance(pulled, Path)
    assert files_of(pulled) == clean
    litter(pulled)
    assert copy_session(path, pulled.parent) == pulled  # it is there already


def test_a_merged_session_has_none_of_it(path: Path, hops: Session, tmp_path: Path) -> None:
    other = record("breakout", scripted("breakout", seed=4), library=tmp_path / "other", seconds=1, seed=4)
    litter(path)
    litter(other.path)
    *_, last = merging([path, other.path], tmp_path / "made")
    assert not [name for name in files_of(last.made[0]) if name in FOREIGN]
    assert verify(Session.open(last.made[0])).ok


def test_the_trash_counts_sessions_alone_and_leaves_the_rest(path: Path) -> None:
    library, size = Library(path.parent), Session.open(path).size_bytes
    litter(path)
    trashed = library.trash(path.name)
    for name in (".DS_Store", "desktop.ini", "._x.zarr"):
        (trashed.parent / name).write_bytes(b"")
    (trashed.parent / "@eaDir").mkdir()
    (trashed.parent / "file.zarr").touch()
    assert [(each.path, each.size_bytes) for each in library.trashed()] == [(trashed, size)]
    assert library.has_trash
    assert library.empty_trash() == (1, size)
    assert not library.has_trash
    assert sorted(left.name for left in trashed.parent.iterdir()) == [
        ".DS_Store",
        "._x.zarr",
        "@eaDir",
        "desktop.ini",
        "file.zarr",
    ]


def test_what_an_interrupted_edit_left_does_not_count_and_what_an_interrupted_recorder_left_does(
    game: Session, path: Path
) -> None:
    (path / "zarr.json.part").write_bytes(b"{")
    (path / "reward" / "c.0.part").write_bytes(b"half")
    assert Session.open(path).digest() == game.digest()
    assert verify(Session.open(path)).ok
    head = path / "zarr.json"
    head.write_text(head.read_text().replace('"complete"', '"recording"'))
    before = Session.open(path).digest()
    (path / "reward" / "c.0.part").unlink()
    assert Session.open(path).digest() != before  # as it always was: runs know the session by it


@pytest.mark.parametrize("name", ["time_ns/c.0", "keys/zarr.json", "screen/zarr.json", "final_screen/c.0.0.0"])
def test_what_is_of_the_session_still_counts(path: Path, name: str) -> None:
    litter(path)
    content = bytearray((path / name).read_bytes())
    content = content.replace(b'"attributes":{}', b'"attributes":{"a":1}').replace(
        b'"attributes": {}', b'"attributes": {"a": 1}'
    )
    if content == (path / name).read_bytes():
        content[-1] ^= 1
    (path / name).write_bytes(content)
    assert not verify(Session.open(path)).ok
    with pytest.raises(SessionError, match="damaged"):
        copy_session(path, path.parents[1] / "elsewhere")


def test_a_chunk_more_counts(path: Path) -> None:
    shutil.copyfile(path / "reward" / "c.0", path / "reward" / "c.1")
    assert "its digest is" in verify(Session.open(path)).difference


@pytest.mark.parametrize("array", ["screen", "reward"])
def test_chunks_under_other_names_are_refused(path: Path, array: str) -> None:
    """They would be read, and the digest would not know of them."""
    metadata = json.loads((path / array / "zarr.json").read_text())
    metadata["chunk_key_encoding"] = {"name": "default", "configuration": {"separator": "/"}}
    (path / array / "zarr.json").write_text(json.dumps(metadata))
    (path / array / "c").mkdir()
    with pytest.raises(SessionError, match=f"'{array}' has chunk names that sessions do not use"):
        _ = Session.open(path).screens(0, 1) if array == "screen" else Session.open(path).rewards


def test_metadata_repeated_in_the_groups_own_are_not_believed(game: Session, path: Path) -> None:
    """The digest covers those of the arrays."""
    with pytest.warns(UserWarning, match="Consolidated metadata"):
        zarr.consolidate_metadata(path, zarr_format=3)
    head = json.loads((path / "zarr.json").read_text())
    known = head["consolidated_metadata"]["metadata"]
    known["reward"]["shape"] = known["action"]["shape"] = [1]
    (path / "zarr.json").write_text(json.dumps(head))
    session = Session.open(path)
    assert np.array_equal(session.rewards, game.rewards)
    assert session.digest() == game.digest()
