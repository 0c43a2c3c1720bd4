"""Whatever is done to a library, and in whatever order: hypothesis makes up the orders, and the promises must hold.

Library        record, edit, delete, restore, merge, split, copy to another library and back, undo, verify, list
Recording      play, rewind, label, end a game, begin another, and an end of every kind

`python -m tests.benchmarks properties` tries many more.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, note, settings
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

from recorder import Library, RandomAgent, Session, get_spec
from recorder.agents.agent import KeyEvent, describe
from recorder.envs.game import Game
from recorder.library.copying import copy_session
from recorder.library.library import summarize
from recorder.library.merging import merging, splitting
from recorder.library.session_edits import edit_undoably
from recorder.library.undo import UndoStack
from recorder.library.undoable import UndoableChanges
from recorder.play.rollout import Phase, Rollout
from recorder.store.schema import LABELS
from recorder.store.session_writer import SessionWriter
from recorder.store.zarr_store import DurableStore
from tests.disk.take import Played, in_step, verified

# The same orders each time: what a test finds, it finds again. Nothing is left in the repository.
FEW = settings(
    max_examples=4,
    stateful_step_count=10,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@cache
def game() -> Game:
    """Games are slow to make, and any one of them will do."""
    return Game(get_spec("hopper"))


def ticks_of(session: Session) -> tuple[str, ...]:
    """What was played, tick by tick."""
    columns = [*session.moments(0, len(session)).values(), session.actions, session.rewards]
    return tuple(
        hashlib.sha256(b"".join(column[tick].tobytes() for column in columns)).hexdigest()[:12]
        for tick in range(len(session))
    )


@dataclass(frozen=True)
class Opinions:
    """What is thought of a session, as `edit` takes it."""

    title: str
    notes: str
    tags: tuple[str, ...]
    excluded: tuple[tuple[int, bool], ...]
    labels: tuple[tuple[int, str], ...]
    spans: tuple[range, ...]

    @classmethod
    def of(cls, session: Session) -> Opinions:
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
    opinions: Opinions

    @classmethod
    def of(cls, path: Path) -> Known:
        session = Session.open(path)
        return cls(ticks_of(session), Opinions.of(session))


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
        indices = st.sampled_from([index for index, _ in old.opinions.excluded])
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
        new = Opinions.of(session)
        assert title is None or new.title == title
        assert tags is None or new.tags == tuple(tags)
        assert (dict(old.opinions.excluded) | (excluded or {})) == dict(new.excluded)
        assert (dict(old.opinions.labels) | (labels or {})) == dict(new.labels)
        if spans is not None:
            assert {t for span in new.spans for t in span} == {t for span in spans for t in range(*span)}
        else:
            assert new.spans == old.opinions.spans
        self.known[path] = replace(old, opinions=new)

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
            if place in self.copied:  # whose opinions are kept
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


@dataclass
class PlayedGame:
    """What its player knows of a game: its ticks, as the session counts them, and its label."""

    line: list[int] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    label: str = ""


class Take(RuleBasedStateMachine):
    """One take in real time, on a disk that may be full for a while; at the end it is closed, left, or killed."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="twinplay-take-"))
        self.stack = ExitStack()
        self.played = Played()
        self.queues = self.stack.enter_context(in_step(self.played))
        write, machine = DurableStore.write, self

        def write_if_there_is_room(store: DurableStore, key: str, content: Any) -> None:
            if machine.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(store, key, content)

        self.full = False
        self.stack.enter_context(patch.object(DurableStore, "write", write_if_there_is_room))
        agent = RandomAgent(game().spec, 1)
        self.writer = SessionWriter(self.home, game(), describe(agent), seed=1, real_time=True, now=self.played.now)
        self.rollout = Rollout(
            game(), agent, seed=1, sink=self.writer, unattended=False, rewindable=True, now=self.played.now
        )
        self.games: list[PlayedGame] = []
        self.rewards: list[float] = []
        self.times: list[int] = []
        self.kept_undone = False

    @initialize(ticks=st.integers(1, 12))
    def begin(self, ticks: int) -> None:
        self.play(ticks)

    @precondition(lambda self: not self.full)
    @rule(ticks=st.integers(1, 12))
    def play(self, ticks: int) -> None:
        for _ in range(ticks):
            if self.rollout.phase is not Phase.PLAYING:
                self.rollout.begin()
                self.games.append(PlayedGame())
            self.played.sleep(0.008)
            self.games[-1].line.append(len(self.rewards))
            self.times.append(self.played.now_ns)
            self.rewards.append(self.rollout.tick(self.played.now_ns, 100).reward)
            self.writer.key(KeyEvent(self.played.now_ns, 1, True))

    @precondition(lambda self: self.rollout.phase is Phase.PLAYING)
    @rule(ticks=st.integers(1, 20), keep=st.booleans())
    def rewind(self, ticks: int, keep: bool) -> None:
        if undone := self.rollout.rewind(ticks, keep=keep):
            last = self.games[-1]
            last.line, gone = last.line[:-undone], last.line[-undone:]
            last.undone += gone
            self.kept_undone = self.kept_undone or keep

    @rule(label=st.sampled_from(LABELS))
    def mark(self, label: str) -> None:
        self.writer.mark(label)
        self.games[-1].label = label

    @precondition(lambda self: self.rollout.phase is Phase.PLAYING)
    @rule()
    def end_game(self) -> None:
        self.rollout.end()

    @rule(full=st.booleans())
    def pause(self, full: bool) -> None:
        """Meanwhile the disk becomes full, or gets room again."""
        self.full = full
        self.writer.flush()
        for _ in range(3):
            self.played.sleep(0.25)
            for each in self.queues:
                each.pass_time()
        assert full or self.writer.trouble == ""

    def teardown(self) -> None:
        try:
            if self.games:
                self.check_killed()
                self.end()
        finally:
            self.stack.close()
            shutil.rmtree(self.home)

    def check_killed(self) -> None:
        """As if the recorder were killed now."""
        copy = shutil.copytree(self.writer.path, self.home / "killed" / self.writer.path.name)
        session = Session.open(copy)
        if not self.full:
            lost = self.times[len(session) :]
            assert not lost or lost[0] > self.played.now_ns - 1_000_000_000
        assert session.rewards.tolist() == self.rewards[: len(session)]
        certificate = verified(session, self.other_game())
        assert certificate.ok, certificate.difference
        assert certificate.ticks == len(session)

    @staticmethod
    @cache
    def other_game() -> Game:
        """For what is verified while the first one is being played."""
        return Game(get_spec("hopper"))

    def end(self) -> None:
        self.full = False
        self.rollout.end()
        session = self.writer.close()
        assert session.rewards.tolist() == self.rewards
        assert session.keys["time_ns"].tolist() == self.times
        games = session.recorded_games
        assert len(games) == len(self.games)
        for found, known in zip(games, self.games, strict=True):
            assert found.line_ticks.tolist() == known.line
            assert sorted(tick for each in found.undone for tick in range(each.start, each.stop)) == sorted(
                known.undone
            )
            assert found.score == pytest.approx(sum(self.rewards[tick] for tick in known.line))
            assert {each.label for each in found.segments} == {known.label}
            assert not any(each.excluded for each in found.line)
            assert self.kept_undone or all(each.excluded for each in found.undone)
        ends = {each.stop - 1 for each in session.episodes}
        stored = session._group.read("truncated", (), "bool", len(session))
        assert set(np.flatnonzero(stored | session.terminated)) == ends
        certificate = verified(session, game())
        assert certificate.ok, certificate.difference
        assert certificate.ticks == len(session) == len(self.rewards)


TestShelf, TestTake = Shelf.TestCase, Take.TestCase
TestShelf.settings, TestTake.settings = FEW, settings(FEW, max_examples=20)
