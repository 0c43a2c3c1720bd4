"""Whatever is done to a library, in whatever order: hypothesis makes up the orders, and the promises must hold.

Record, edit, delete, restore, merge, split, copy to another library and back, undo, verify, list.

`python -m tests.benchmarks properties` tries many more.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from recorder import Library, RandomAgent, Session
from recorder.agents.agent import describe
from recorder.library.copying import copy_session
from recorder.library.merging import merging, splitting
from recorder.library.preview import read_details
from recorder.library.session_edits import edit_undoably
from recorder.library.session_summary import summarize
from recorder.library.undo import UndoStack
from recorder.library.undoable import UndoableChanges
from recorder.play.rollout import Phase, Rollout
from recorder.store.schema import LABELS
from recorder.store.session_writer import SessionWriter
from tests.disk.take import Played, in_step, verified
from tests.recorder.orders import FEW, game


def ticks_of(session: Session) -> tuple[str, ...]:
    """What was played, tick by tick."""
    columns = [*session.moments(0, len(session)).values(), session.actions, session.rewards]
    return tuple(
        hashlib.sha256(b"".join(column[tick].tobytes() for column in columns)).hexdigest()[:12]
        for tick in range(len(session))
    )


@dataclass(frozen=True)
class Annotations:
    """What is thought of a session, as `edit` takes it."""

    title: str
    notes: str
    tags: tuple[str, ...]
    excluded: tuple[tuple[int, bool], ...]
    labels: tuple[tuple[int, str], ...]
    spans: tuple[range, ...]

    @classmethod
    def of(cls, session: Session) -> Annotations:
        episodes = session.episodes
        return cls(
            session.title,
            session.notes,
            session.tags,
            tuple((each.index, each.excluded) for each in episodes),
            tuple((each.index, each.label) for each in episodes),
            session.excluded_spans,
        )


@dataclass(frozen=True)
class Known:
    """What must be in a session."""

    ticks: tuple[str, ...]
    annotations: Annotations

    @classmethod
    def of(cls, path: Path) -> Known:
        session = Session.open(path)
        return cls(ticks_of(session), Annotations.of(session))


@contextmanager
def playing(library: Path, seed: int) -> Iterator[tuple[SessionWriter, Rollout, Played]]:
    """A take in `library`, whose writer keeps in step with the game."""
    played = Played()
    with in_step(played):
        agent = RandomAgent(game().spec, seed)
        writer = SessionWriter(library, game(), describe(agent), seed=seed, real_time=True, now=played.now)
        rollout = Rollout(game(), agent, seed=seed, sink=writer, unattended=False, rewindable=True, now=played.now)
        yield writer, rollout, played


def play(rollout: Rollout, played: Played, ticks: int) -> None:
    for _ in range(ticks):
        if rollout.phase is not Phase.PLAYING:
            rollout.begin()
        played.sleep(0.008)
        rollout.tick(played.now_ns, 100)


@cache
def takes() -> Sequence[Path]:
    """A few short takes: several games, a rewind, one that was interrupted, a single tick."""
    folder = Path(tempfile.mkdtemp(prefix="twinplay-takes-"))
    for number, (ticks, back, end) in enumerate(
        [(50, 0, "close"), (30, 9, "close"), (25, 4, "leave"), (1, 0, "close")]
    ):
        with playing(folder / str(number), number) as (writer, rollout, played):
            play(rollout, played, ticks)
            if back and rollout.phase is Phase.PLAYING:
                rollout.rewind(back)
                writer.mark("success")
                play(rollout, played, 12)
            if end == "close":
                rollout.end()
            getattr(writer, end)()
    return sorted(path for path in folder.glob("*/*.zarr"))


@cache
def taken(number: int) -> Known:
    """What is in one of these."""
    return Known.of(takes()[number])


class Shelf(RuleBasedStateMachine):
    """A library that is used by one person, and another one to which sessions are copied."""

    sessions = Bundle("sessions")
    trashed = Bundle("trashed")

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="twinplay-shelf-"))
        self.library, self.other = Library(self.home / "library"), Library(self.home / "other")
        self.library.path.mkdir()
        self.stack = UndoStack()
        self.changes = UndoableChanges(self.library, self.stack)
        self.known: dict[Path, Known] = {}  # of the library
        self.thrown: dict[Path, Known] = {}  # of its trash
        self.copied: dict[Path, Known] = {}  # of the other
        # What there was, before what can be undone, and what that has deleted.
        self.before: list[tuple[dict[Path, Known], Path | None]] = []
        self.recorded = 0
        self.clock = 0

    def here(self, path: Path) -> bool:
        return path in self.known

    @initialize(target=sessions, numbers=st.lists(st.integers(0, 3), min_size=2, max_size=3))
    def stock(self, numbers: list[int]) -> Any:
        return multiple(*map(self.record, numbers))

    @rule(target=sessions, number=st.integers(0, 3))
    def record(self, number: int) -> Path:
        """A take that was made before is put where its recorder would have put it."""
        self.recorded += 1
        path = self.library.path / f"2026-01-01T00-00-{self.recorded:02d}-hopper.zarr"
        shutil.copytree(takes()[number], path)
        self.known[path] = taken(number)
        return path

    @rule(
        path=sessions,
        title=st.none() | st.sampled_from(["", "Über", "x" * 80]),
        notes=st.none() | st.just("a note"),
        tags=st.none() | st.lists(st.sampled_from("abc"), unique=True),
        data=st.data(),
    )
    def edit(self, path: Path, title: str | None, notes: str | None, tags: list[str] | None, data: Any) -> None:
        if not self.here(path):
            return
        old = self.known[path]
        indices = st.sampled_from([index for index, _ in old.annotations.excluded])
        edges = st.integers(0, len(old.ticks))
        excluded = data.draw(st.none() | st.dictionaries(indices, st.booleans(), max_size=3))
        labels = data.draw(st.none() | st.dictionaries(indices, st.sampled_from(LABELS), max_size=3))
        spans = data.draw(st.none() | st.lists(st.tuples(edges, edges).filter(lambda s: s[0] < s[1]), max_size=3))
        given = {
            "title": title,
            "notes": notes,
            "tags": tags,
            "excluded": excluded,
            "labels": labels,
            "spans": None if spans is None else [range(*span) for span in spans],
        }
        depth = len(self.stack._done)
        edit_undoably(self.stack, "edited", path, lambda _: given)
        self.note_undoable(depth)
        session = Session.open(path)
        new = Annotations.of(session)
        assert title is None or new.title == title
        assert tags is None or new.tags == tuple(tags)
        assert (dict(old.annotations.excluded) | (excluded or {})) == dict(new.excluded)
        assert (dict(old.annotations.labels) | (labels or {})) == dict(new.labels)
        if spans is not None:
            assert {t for span in new.spans for t in span} == {t for span in spans for t in range(*span)}
        else:
            assert new.spans == old.annotations.spans
        self.known[path] = replace(old, annotations=new)

    def note_undoable(self, depth: int, deleted: Path | None = None) -> None:
        """Called before the model changes."""
        if len(self.stack._done) > depth:
            self.before.append((dict(self.known), deleted))

    @rule(path=sessions, target=trashed)
    def delete(self, path: Path) -> Any:
        if not self.here(path):
            return multiple()
        depth, had = len(self.stack._done), set(self.library.path.glob(".trash/*.zarr"))
        self.changes.delete([path])
        self.note_undoable(depth, path)
        (moved,) = set(self.library.path.glob(".trash/*.zarr")) - had
        self.thrown[moved] = self.known.pop(path)
        return moved

    @rule(moved=consumes(trashed), target=sessions)
    def restore(self, moved: Path) -> Any:
        if moved not in self.thrown:
            return multiple()
        depth = len(self.stack._done)
        (path,) = self.changes.restore(moved)
        self.note_undoable(depth)
        self.known[path] = self.thrown.pop(moved)
        return path

    @rule(paths=st.lists(sessions, min_size=2, max_size=3, unique=True), target=sessions)
    def merge(self, paths: list[Path]) -> Any:
        paths = [path for path in paths if self.here(path)]
        if len(paths) < 2:
            return multiple()
        *_, last = merging(paths, self.library.path)
        ordered = sorted(map(Session.open, paths), key=lambda session: (session.created, session.name))
        made = Known.of(last.made[0])
        assert made.ticks == tuple(tick for each in ordered for tick in self.known[each.path].ticks)
        depth = len(self.stack._done)
        self.changes.note_made(last.made, paths)
        self.note_undoable(depth)
        self.known[last.made[0]] = made
        return last.made[0]

    @rule(path=sessions, data=st.data(), target=sessions)
    def split(self, path: Path, data: Any) -> Any:
        if not self.here(path) or (games := len(Session.open(path).recorded_games)) < 2:
            return multiple()
        *_, last = splitting(path, data.draw(st.integers(2, games)), self.library.path)
        parts = [Known.of(part) for part in last.made]
        assert parts[0].ticks + parts[1].ticks == self.known[path].ticks
        depth = len(self.stack._done)
        self.changes.note_made(last.made, [path])
        self.note_undoable(depth)
        self.known.update(zip(last.made, parts, strict=True))
        return multiple(*last.made)

    @rule(path=sessions)
    def push(self, path: Path) -> None:
        if self.here(path):
            place = copy_session(path, self.other.path)
            assert isinstance(place, Path)
            if place in self.copied:  # whose annotations are kept
                assert self.copied[place].ticks == self.known[path].ticks
            else:
                self.copied[place] = self.known[path]

    @precondition(lambda self: self.copied)
    @rule(data=st.data(), target=sessions)
    def pull(self, data: Any) -> Any:
        source = data.draw(st.sampled_from(sorted(self.copied)))
        path = copy_session(source, self.library.path)
        assert isinstance(path, Path)
        if path in self.known:
            assert self.known[path].ticks == self.copied[source].ticks
            return multiple()
        self.known[path] = self.copied[source]
        return path

    @rule()
    def empty_trash(self) -> None:
        depth = len(self.stack._done)
        kept = [not (done.needs and done.needs <= set(self.thrown)) for done in self.stack._done]
        self.changes.empty_trash()
        self.before = [before for before, keep in zip(self.before, kept, strict=True) if keep]
        assert len(self.before) == len(self.stack._done) <= depth
        self.thrown.clear()

    @precondition(lambda self: self.before)
    @rule(target=sessions)
    def undo(self) -> Any:
        before, deleted = self.before.pop()
        trash = set(self.library.path.glob(".trash/*.zarr"))
        here = set(self.library.path.glob("*.zarr"))
        self.changes.take_back()
        for moved in trash - set(self.library.path.glob(".trash/*.zarr")):
            self.thrown.pop(moved)
        now = set(self.library.path.glob("*.zarr"))
        for moved in set(self.library.path.glob(".trash/*.zarr")) - trash:
            gone = (here - now) & set(self.known)
            path = next(each for each in sorted(gone) if self.known[each].ticks == Known.of(moved).ticks)
            self.thrown[moved] = self.known.pop(path)
        for path in now:
            found = Known.of(path)
            if path in before:  # what there was is as it was
                assert found == before[path], path.name
            else:
                assert found == self.known.get(path, found)
            self.known[path] = found
        assert deleted is None or before[deleted].ticks in [self.known[path].ticks for path in now - here]
        note(f"undone: {[path.name for path in now - here]}")
        return multiple(*(now - here))

    @rule()
    def time_passes(self) -> None:
        """So that the index believes what it knows of the sessions."""
        for path in self.known:
            self.clock += 1
            os_time = 1_700_000_000_000_000_000 + self.clock * 1_000_000_000
            head = path / "zarr.json"
            if head.stat().st_mtime_ns > 1_750_000_000_000_000_000:
                os.utime(head, ns=(os_time, os_time))

    @rule(path=sessions)
    def verify(self, path: Path) -> None:
        if self.here(path):
            certificate = verified(Session.open(path), game())
            assert certificate.ok, certificate.difference
            assert certificate.ticks == len(self.known[path].ticks)

    @invariant()
    def nothing_comes_or_goes_by_itself(self) -> None:
        assert set(self.library.path.glob("*.zarr")) == set(self.known)
        assert {each.path for each in self.library.trashed()} == set(self.thrown)
        assert not list(self.library.path.glob(".making-*"))

    def teardown(self) -> None:
        try:
            for path, known in (self.known | self.thrown | self.copied).items():
                assert Known.of(path) == known, path.name
        finally:
            shutil.rmtree(self.home)

    @invariant()
    def the_index_says_what_the_sessions_say(self) -> None:
        listed = self.library.sessions()
        assert {summary.path for summary in listed} == set(self.known)
        for summary in listed:
            assert summary == summarize(summary.path), summary.name
            assert summary.state != "unreadable", summary.problem


TestShelf = Shelf.TestCase
TestShelf.settings = FEW


def test_a_game_that_is_being_recorded_is_going_on_and_one_that_was_left_is_interrupted(tmp_path: Path) -> None:
    with playing(tmp_path, 1) as (writer, rollout, played):
        play(rollout, played, 60)
        writer.flush()
        for left, ending in ((False, "going on"), (True, "interrupted")):
            if left:
                writer.leave()
            details = read_details(Session.open(writer.path))
            assert details.ending(details.games[-1]) == ending
