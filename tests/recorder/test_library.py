"""The folder of sessions: its index, and the trash."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recorder import Library, RandomAgent, Session, get_spec, record, verify
from recorder.errors import SessionError
from recorder.library.edits import edit
from recorder.library.index import FILE, MAX_BYTES
from recorder.system.texts import local_time

LONG_AGO = 1_700_000_000


def age(path: Path) -> None:
    """Let the session have been changed a while ago: only then is it settled."""
    os.utime(path / "zarr.json", (LONG_AGO, LONG_AGO))


@pytest.fixture
def shelf(hops: Session, tmp_path: Path) -> Library:
    """A library of three sessions that nobody has touched for years."""
    for number in range(3):
        path = tmp_path / f"2026-11-2{number}T10-00-00-hopper.zarr"
        shutil.copytree(hops.path, path)
        age(path)
    return Library(tmp_path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the sessions that were opened."""
    names: list[str] = []
    original = Session.open.__func__  # type: ignore[attr-defined]

    def counting(cls: type[Session], path: Path | str, **known: Any) -> Session:
        names.append(Path(path).name)
        return original(cls, path, **known)  # type: ignore[no-any-return]

    monkeypatch.setattr(Session, "open", classmethod(counting))
    return names


def test_the_index_is_parsed_again_only_when_it_is_another(shelf: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.sessions()
    parsed: list[int] = []
    original = json.loads
    monkeypatch.setattr(json, "loads", lambda text: parsed.append(len(text)) or original(text))
    assert [row.title for row in Library(shelf.path).sessions()] == ["", "", ""]
    assert parsed == []
    document = original((shelf.path / FILE).read_text())
    for entry in document["sessions"].values():
        entry["facts"]["title"] = "Another"
    (shelf.path / FILE).write_text(json.dumps(document))
    assert [row.title for row in shelf.sessions()] == ["Another"] * 3
    assert len(parsed) == 1


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_moment_is_told_by_the_clock_on_the_wall(in_new_york: None) -> None:
    assert local_time("2026-11-22T01:30:00+00:00") == "2026-11-21 20:30"
    assert local_time("2026-11-22T01:30:00+00:00", "%H:%M") == "20:30"
    assert local_time("nonsense of a stranger") == "nonsense of a st"


def test_a_thousand_sessions_are_listed_from_the_index_without_opening_one(shelf: Library, opened: list[str]) -> None:
    (first, *_) = shelf.sessions()
    document = json.loads((shelf.path / FILE).read_text())
    entry = document["sessions"][first.path.name]
    for number in range(1_000):
        folder = shelf.path / f"2026-10-01T00-00-00-hopper-{number}.zarr"
        folder.mkdir()
        shutil.copy2(first.path / "zarr.json", folder)
        document["sessions"][folder.name] = entry
    (shelf.path / FILE).write_text(json.dumps(document))
    opened.clear()
    found = shelf.sessions()
    assert opened == []
    assert len(found) == 1_003
    assert found[0] == first
    assert {summary.total_rewards for summary in found} == {first.total_rewards}


def test_the_index_says_what_the_session_says(shelf: Library, opened: list[str]) -> None:
    looked_at = shelf.sessions()
    assert len(opened) == 3
    indexed = shelf.sessions()
    assert len(opened) == 3
    assert indexed == looked_at


def test_a_session_that_changed_is_looked_at_again_and_no_other(shelf: Library, opened: list[str]) -> None:
    shelf.sessions()
    path = shelf.path / "2026-11-21T10-00-00-hopper.zarr"
    edit(path, title="The long one", tags=["good"], excluded={0: True})
    opened.clear()
    changed = {summary.path: summary for summary in shelf.sessions()}[path]
    assert opened == [path.name]
    assert (changed.title, changed.tags) == ("The long one", ("good",))
    session = Session.open(path)
    assert changed.learn_ticks == len(session) - len(session.episodes[0])


def test_what_was_changed_this_moment_is_not_believed_to_stay_so(shelf: Library) -> None:
    path = shelf.path / "2026-11-21T10-00-00-hopper.zarr"
    edit(path, title="one")
    os.utime(path / "zarr.json")
    shelf.sessions()
    before = (path / "zarr.json").stat()
    edit(path, title="two")  # as many bytes, and on a coarse clock the same time
    os.utime(path / "zarr.json", ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert (path / "zarr.json").stat().st_size == before.st_size
    assert {summary.path: summary for summary in shelf.sessions()}[path].title == "two"


def test_sessions_that_left_leave_the_index_and_those_that_came_are_found(shelf: Library, hops: Session) -> None:
    shelf.sessions()
    shelf.trash("2026-11-21T10-00-00-hopper")
    new = shelf.path / "2026-11-29T10-00-00-hopper.zarr"
    shutil.copytree(hops.path, new)
    age(new)
    names = [summary.path.name for summary in shelf.sessions()]
    assert names[0] == new.name
    assert len(names) == 3
    assert sorted(json.loads((shelf.path / FILE).read_text())["sessions"]) == sorted(names)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[" * 200_000,
        b"\xff\xfe\x00",
        b'{"format": "twinplay-index", "version": 1, "sessions": []}',
        b'{"format": "another", "version": 1, "sessions": {}}',
    ],
)
def test_a_damaged_index_is_as_good_as_none(shelf: Library, damage: bytes) -> None:
    whole = shelf.sessions()
    (shelf.path / FILE).write_bytes(damage)
    assert shelf.sessions() == whole
    assert json.loads((shelf.path / FILE).read_text())["version"] == 1  # it was made anew


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("player", None),
        ("player", {"kind": "god"}),
        ("ticks", "many"),
        ("ticks", True),
        ("seconds", float("nan")),
        ("total_rewards", [1.0, "x"]),
        ("total_rewards", [10**400]),
        ("timing", {"rate_hz": 10**400}),
        ("tags", [["nested"]]),
        ("labels", {"success": None}),
        ("timing", {"rate_hz": "fast"}),
        ("latency", {"presses": "many"}),
        ("verified", 1),
        ("env", 3),
    ],
)
def test_a_damaged_entry_is_made_anew(shelf: Library, key: str, value: Any, opened: list[str]) -> None:
    whole = shelf.sessions()
    document = json.loads((shelf.path / FILE).read_text())
    document["sessions"][whole[1].path.name]["facts"][key] = value
    (shelf.path / FILE).write_text(json.dumps(document))
    opened.clear()
    assert shelf.sessions() == whole
    assert opened == [whole[1].path.name]


def test_an_index_that_is_a_link_or_too_large_is_not_read(
    shelf: Library, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = shelf.sessions()
    index = shelf.path / FILE
    lies = json.loads(index.read_text())
    for entry in lies["sessions"].values():
        entry["facts"]["title"] = "a lie"
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "index.json"
    elsewhere.write_text(json.dumps(lies))
    index.unlink()
    index.symlink_to(elsewhere)
    assert shelf.sessions() == whole
    assert json.loads(elsewhere.read_text()) == lies
    lies["padding"] = "x" * MAX_BYTES
    index.unlink(missing_ok=True)
    index.write_text(json.dumps(lies))
    assert shelf.sessions() == whole


def test_a_library_that_cannot_be_written_still_lists(shelf: Library) -> None:
    (shelf.path / FILE).mkdir()  # root may write everywhere; but no file replaces a folder
    (shelf.path / FILE / "x").touch()
    assert len(shelf.sessions()) == 3
    assert not list(shelf.path.glob("*.part"))


def test_a_session_that_was_interrupted_or_is_damaged_shows_its_present_state(shelf: Library) -> None:
    interrupted, damaged, _ = sorted(shelf.path.glob("*.zarr"))
    document = json.loads((interrupted / "zarr.json").read_text())
    document["attributes"]["state"] = "recording"
    shelf.sessions()
    (interrupted / "zarr.json").write_text(json.dumps(document))
    (damaged / "zarr.json").write_text("{")
    age(interrupted)
    age(damaged)
    for _ in range(2):
        states = {summary.path: summary.state for summary in shelf.sessions()}
        assert (states[interrupted], states[damaged]) == ("interrupted", "unreadable")


def test_a_certificate_shows_in_a_list_from_the_index(shelf: Library) -> None:
    first = shelf.sessions()[0]
    assert not first.verified
    assert verify(Session.open(first.path)).ok
    age(first.path)
    assert [summary.verified for summary in (shelf.sessions()[0], shelf.sessions()[0])] == [True, True]


def test_the_trash_lists_restores_beside_a_namesake_and_empties(shelf: Library) -> None:
    first, second, third = (summary.name for summary in shelf.sessions())
    thrown = [shelf.trash(first), shelf.trash(second)]
    assert {trashed.path for trashed in shelf.trashed()} == set(thrown)
    assert all(trashed.size_bytes > 10_000 for trashed in shelf.trashed())
    shutil.copytree(shelf.path / f"{third}.zarr", shelf.path / f"{first}.zarr")
    back = shelf.restore(thrown[0])
    assert back.name.startswith(first)
    assert len(shelf.sessions()) == 3
    count, size = shelf.empty_trash()
    assert (count, size > 10_000) == (1, True)
    assert shelf.trashed() == []
    assert len(shelf.sessions()) == 3


def test_emptying_the_trash_follows_no_link(shelf: Library, tmp_path_factory: pytest.TempPathFactory) -> None:
    precious = tmp_path_factory.mktemp("precious")
    (precious / "file").touch()
    trash = shelf.path / ".trash"
    trash.mkdir()
    (trash / "x.zarr").symlink_to(precious)
    assert shelf.empty_trash()[0] == 1
    assert (precious / "file").exists()


def test_only_what_is_in_the_trash_is_restored(shelf: Library) -> None:
    with pytest.raises(SessionError, match="is not in the trash"):
        shelf.restore(shelf.path / "2026-11-21T10-00-00-hopper.zarr")


def test_a_session_being_recorded_is_told_as_such(tmp_path: Path) -> None:
    from recorder import Game
    from recorder.agents.agent import describe
    from recorder.store.session_writer import SessionWriter

    spec = get_spec("hopper")
    agent = RandomAgent(spec)
    with Game(spec) as game:
        writer = SessionWriter(tmp_path, game, describe(agent))
        for _ in range(2):
            assert [summary.state for summary in Library(tmp_path).sessions()] == ["recording"]
        with pytest.raises(SessionError, match="is being recorded, or changed by another program"):
            edit(writer.path, title="mine")
        writer.discard()
    record("hopper", agent, library=tmp_path, episodes=1)
    assert [summary.state for summary in Library(tmp_path).sessions()] == ["complete"]
