"""Where sessions are made, and what else may not be put there; the locks beside them."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock

from recorder import Game, Library, RandomAgent, Session, get_spec, record
from recorder.errors import LibraryError, SessionError, UsageError
from recorder.play.rollout import Rollout
from recorder.store import new_session
from recorder.store.locks import is_being_written, session_lock
from recorder.store.places import Url, is_session, keep_out_of_sessions, place
from recorder.store.session_writer import SessionWriter
from tests.waiting import wait_until

PLAYER = {"kind": "random", "name": "random", "params": {}}


def test_nothing_is_recorded_into_a_session_by_whatever_name(hops: Session, tmp_path: Path) -> None:
    session = Path(shutil.copytree(hops.path, tmp_path / "renamed"))
    for folder, what in ((session, "is a session"), (session / "below", "lies inside the session")):
        with pytest.raises(LibraryError, match=f"{folder} {what}.*choose another folder, such as {tmp_path}"):
            record("hopper", RandomAgent(hops.spec), library=folder, episodes=1)
    assert not (session / "below").exists()


@pytest.mark.parametrize("head", ["", "[]", "{}", '{"attributes": 3}', '{"attributes": {"format": "x"}}', "[" * 9_000])
def test_a_folder_with_another_programs_zarr_json_is_a_library_like_any_other(tmp_path: Path, head: str) -> None:
    (tmp_path / "zarr.json").write_text(head)
    assert not is_session(tmp_path)
    keep_out_of_sessions(tmp_path / "library")
    damaged = tmp_path / "x.zarr"
    damaged.mkdir()
    assert not is_session(damaged)
    (damaged / "zarr.json").write_text(head)
    assert is_session(damaged)


def test_a_path_that_cannot_be_followed_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(tmp_path / "round")
    for path in (tmp_path / "round", "nothing\0here"):
        with pytest.raises(UsageError, match=r"cannot be found \(.*\); give another path"):
            place(path)


def test_where_every_name_of_a_second_is_taken_no_session_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_session, "_SAME_SECOND", 4)
    created = datetime(2026, 11, 21, 10, 14, 3, tzinfo=UTC)
    paths = []
    with Game(get_spec("hopper")) as game:
        attributes = new_session.first_attributes(game, PLAYER, 0, created, 0, {})
        for _ in range(4):
            new = new_session.create_session(tmp_path, game, created, attributes)
            new.lock.release()
            paths.append(new.path)
        with pytest.raises(LibraryError, match="has 4 sessions of the same second; choose another library folder"):
            new_session.create_session(tmp_path, game, created, attributes)
        assert [path.stem.removeprefix("2026-11-21T10-14-03-hopper") for path in paths] == ["", "-2", "-3", "-4"]
        paths[2].rename(tmp_path / "moved")
        assert new_session.create_session(tmp_path, game, created, attributes).path == paths[2]
    assert not list(tmp_path.glob(".making-*"))


def test_whether_a_session_is_being_written_is_known_by_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "x.zarr"
    assert not is_being_written(path)
    lock = session_lock(path)
    with lock:
        assert is_being_written(path)
    assert not is_being_written(path)
    assert not is_being_written(Url("s3://bucket/x.zarr"))
    Path(lock.lock_file).unlink(missing_ok=True)
    Path(lock.lock_file).mkdir()  # whatever that is, nobody holds it
    assert not is_being_written(path)


@pytest.mark.parametrize("end", ["close", "discard"])
def test_a_take_that_was_ended_can_be_discarded_and_takes_no_lock_from_another(tmp_path: Path, end: str) -> None:
    with Game(get_spec("hopper")) as game:
        writer = SessionWriter(tmp_path, game, PLAYER)
        getattr(writer, end)()
        assert list((tmp_path / ".locks").iterdir()) == []
        with session_lock(writer.path):
            writer.discard()
            assert is_being_written(writer.path)
    assert not writer.path.exists()


def test_a_mark_before_the_first_game_is_of_none(tmp_path: Path) -> None:
    with Game(get_spec("hopper")) as game:
        writer = SessionWriter(tmp_path, game, PLAYER)
        writer.mark("success")
        writer.begin_episode(0)
        assert writer.label == ""
        writer.end_episode(game, game.reset(0), "stopped")
        assert writer.close().episodes == []


def test_a_chunk_that_somebody_deletes_meanwhile_is_told_when_the_take_ends(tmp_path: Path) -> None:
    with Game(get_spec("hopper")) as game:
        writer = SessionWriter(tmp_path, game, PLAYER)
        rollout = Rollout(game, RandomAgent(game.spec), sink=writer)
        rollout.begin()
        for _ in range(5):
            rollout.tick()
        rollout.end()
        wait_until(lambda: len(Session.open(writer.path)) >= 5)
        (writer.path / "time_ns" / "c.0").unlink()
        with pytest.raises(SessionError, match="the chunk of 'time_ns' for rows 0 to 8191 is missing"):
            writer.close()
    (row,) = Library(tmp_path).sessions()
    assert row.state == "unreadable"


def test_a_lock_that_another_holds_leaves_its_name_to_it(tmp_path: Path) -> None:
    created = datetime(2026, 11, 21, 10, 14, 3, tzinfo=UTC)
    first = tmp_path / f"{created:%Y-%m-%dT%H-%M-%S}-hopper.zarr"
    with FileLock(session_lock(first).lock_file), Game(get_spec("hopper")) as game:
        attributes = new_session.first_attributes(game, PLAYER, 0, created, 0, {})
        new = new_session.create_session(tmp_path, game, created, attributes)
        new.lock.release()
    assert new.path.name == f"{first.stem}-2.zarr"
