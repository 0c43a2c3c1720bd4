"""Faults of the machine: no memory, Ctrl-C within a tick, clocks that jump, names as long as names may be."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from recorder import Library, RandomAgent, Session, get_spec, record, verify
from recorder.agents.agent import KeyAgent
from recorder.envs.game import Game
from recorder.errors import SessionError
from recorder.library.copying import copy_session
from recorder.library.edits import edit
from recorder.library.merging import merging
from recorder.play.rollout import Rollout
from recorder.recording.recordings import LiveRecording
from recorder.recording.take_control import RecordState
from recorder.store import session_writer
from recorder.store.locks import release, session_lock
from recorder.store.zarr_store.chunks import ChunkCodec
from tests.disk.take import Played, play, verified
from tests.recorder.victim import play_for_a_moment, wait_for
from tests.waiting import PATIENCE_S

HOUR_NS = 3_600_000_000_000


@pytest.fixture(scope="module")
def game() -> Iterator[Game]:
    with Game(get_spec("hopper")) as game:
        yield game


class Shortage:
    """From call `first` of a method on, so many calls find no memory."""

    def __init__(self, method: Any, first: int, count: int) -> None:
        self._method, self._first, self._count = method, first, count
        self.calls = 0

    def __get__(self, owner: Any, kind: type) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            self.calls += 1
            if self._first <= self.calls < self._first + self._count:
                raise MemoryError
            return self._method(owner, *args, **options)

        return call


@pytest.mark.parametrize("first", [5, 41])
@pytest.mark.parametrize("real_time", [True, False])
def test_a_writer_without_memory_loses_nothing_in_real_time_and_is_told_otherwise(
    game: Game, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int, real_time: bool
) -> None:
    shortage, played, told = Shortage(ChunkCodec.encode, first, 1), Played(), ""
    monkeypatch.setattr(ChunkCodec, "encode", shortage)
    try:
        play(tmp_path, game, played, real_time=real_time)
    except SessionError as error:
        told = str(error)
    assert shortage.calls >= first
    (summary,) = Library(tmp_path).sessions()
    session = Session.open(summary.path)
    assert verified(session, game).ok
    if real_time:
        assert (summary.state, len(session), told) == ("complete", len(played.times_ns), "")
    else:
        assert summary.state == "interrupted"
        assert "could not be written: there is not enough memory; everything up to about one second" in told
        assert "close other programs before the next take" in told


def test_an_error_that_nobody_thought_of_ends_a_recording_instead_of_holding_it_for_ever(
    game: Game, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> bytes:
        raise ZeroDivisionError("by mistake")

    monkeypatch.setattr(ChunkCodec, "encode", fail)
    with pytest.raises(SessionError, match="could not be written: ZeroDivisionError: by mistake; everything up to"):
        record("hopper", RandomAgent(game.spec, 1), library=tmp_path, seconds=3_600)
    assert "by mistake" in capfd.readouterr().err


def test_a_recorder_whose_memory_is_used_up_keeps_every_tick(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.recorder.victim", "memory", str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=PATIENCE_S)
    found = json.loads(done.stdout.splitlines()[-1])
    (summary,) = Library(tmp_path).sessions()
    assert not summary.problem
    session = Session.open(summary.path)
    assert len(session) == found["ticks"] >= 60, found
    assert verify(session).ok


def test_an_error_within_a_tick_leaves_an_interrupted_session_that_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Game(get_spec("breakout")) as game:
        recording = LiveRecording(game, KeyAgent({}), tmp_path, seed=1, key_names={})
        for _ in range(9):
            recording.advance()
        step = game.step

        def step_and_fail(action: Any) -> Any:
            step(action)
            raise MemoryError

        monkeypatch.setattr(game, "step", step_and_fail)
        with pytest.raises(MemoryError):
            recording.advance()
        monkeypatch.undo()
        with pytest.raises(AssertionError):  # it would be a tick ahead of what was recorded
            recording.advance()
        path = recording.stop()
    assert path is not None
    session = Session.open(path)
    assert (session.complete, len(session)) == (False, 9)
    assert verify(session).ok
    assert list((tmp_path / ".locks").iterdir()) == []


def test_a_take_ends_where_its_game_fails_and_what_was_played_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError("by mistake")

    presenter = play_for_a_moment(tmp_path)
    monkeypatch.setattr(Game, "step", fail)
    with pytest.raises(ZeroDivisionError):  # for the log
        wait_for(presenter, lambda: False)
    monkeypatch.undo()
    assert presenter.state is RecordState.IDLE
    assert presenter.error == "ZeroDivisionError: by mistake"
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert (session.complete, len(session) >= 60) == (False, True)
    assert verify(session).ok
    presenter.shutdown()


def test_ctrl_c_waits_for_the_end_of_a_tick_and_the_session_is_complete(tmp_path: Path) -> None:
    class Interrupts(RandomAgent):
        acts = 0

        def act(self, observation: object) -> Any:
            self.acts += 1
            if self.acts == 7:
                os.kill(os.getpid(), signal.SIGINT)
            return super().act(observation)

    with pytest.raises(KeyboardInterrupt):
        record("hopper", Interrupts(get_spec("hopper"), 1), library=tmp_path, seconds=3_600)
    (summary,) = Library(tmp_path).sessions()
    assert (summary.state, summary.ticks) == ("complete", 7)
    assert verify(Session.open(summary.path)).ok
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_computer_that_was_asleep_goes_on_where_it_was(game: Game, tmp_path: Path) -> None:
    now = [HOUR_NS]
    spec = get_spec("breakout")
    with Game(spec) as breakout:
        recording = LiveRecording(breakout, KeyAgent({}), tmp_path, seed=1, key_names={}, now=lambda: now[0])
        recording.resume()
        for tick in range(40):
            now[0] += HOUR_NS if tick == 20 else round(1e9 / spec.rate_hz) + 1
            recording.poll()
        path = recording.stop()
    assert path is not None
    session = Session.open(path)
    assert len(session) == 40  # no tick was made up for the hour
    assert verify(session).ok
    assert session.timing is not None
    assert session.timing.late_ticks == 1


def test_a_clock_that_is_set_back_harms_no_session(game: Game, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        ahead = timedelta(hours=1)

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + cls.ahead

    monkeypatch.setattr(session_writer, "datetime", Clock)
    agent = RandomAgent(game.spec, 1)
    first = record("hopper", agent, library=tmp_path, episodes=1)
    soon = first.path.joinpath("zarr.json").stat().st_mtime_ns + HOUR_NS
    os.utime(first.path / "zarr.json", ns=(soon, soon))
    Clock.ahead = timedelta(0)
    second = record("hopper", agent, library=tmp_path, episodes=1)
    assert first.created > second.created
    library = Library(tmp_path)
    for title in ("one", "two"):  # whose index believes no time that is yet to come
        edit(first.path, title=title)
        os.utime(first.path / "zarr.json", ns=(soon, soon))
        assert {summary.title for summary in library.sessions()} == {title, ""}
    *_, last = merging([first.path, second.path], tmp_path)
    merged = Session.open(last.made[0])
    assert len(merged) == len(first) + len(second)
    assert all(merged.time_ns[1:] >= merged.time_ns[:-1])
    assert verify(merged).ok


LONG = "ü" * 125 + ".zarr"  # 255 bytes
APART = unicodedata.normalize("NFD", "Größe Ä") + ".zarr"


@pytest.mark.parametrize("name", [LONG, "x" * 250 + ".zarr", APART], ids=["long", "long ASCII", "NFD"])
def test_a_session_may_have_any_name(hops: Session, tmp_path: Path, name: str) -> None:
    library, path = Library(tmp_path), tmp_path / name
    assert shutil.copytree(hops.path, path) == library.find(unicodedata.normalize("NFC", name))
    assert edit(path, title="seen").title == "seen"
    assert library.restore(library.trash(name)) == path
    thrown = library.trash(name)
    shutil.copytree(hops.path, path)
    again = library.trash(name)  # whose name in the trash is taken
    assert library.restore(again) != library.restore(thrown) == path
    assert [summary.problem for summary in library.sessions()] == ["", ""]


def test_a_copy_has_a_name_that_every_computer_spells_alike(hops: Session, tmp_path: Path) -> None:
    made = copy_session(shutil.copytree(hops.path, tmp_path / APART), tmp_path / "other")
    assert made.name == unicodedata.normalize("NFC", APART)


def test_an_interrupted_session_with_a_long_name_does_not_keep_a_library_from_being_listed(
    hops: Session, tmp_path: Path
) -> None:
    path = shutil.copytree(hops.path, tmp_path / LONG)
    head = path / "zarr.json"
    head.write_text(head.read_text().replace('"complete"', '"recording"'))
    (summary,) = Library(tmp_path).sessions()
    assert (summary.state, summary.problem) == ("interrupted", "")
    with session_lock(path):
        assert Library(tmp_path).sessions()[0].state == "recording"


def test_a_lock_loses_its_name_before_another_can_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = session_lock(tmp_path / "a.zarr")
    lock.acquire()
    unlink = Path.unlink

    def unlink_and_try(path: Path, missing_ok: bool = False) -> None:
        with pytest.raises(Timeout):
            FileLock(path).acquire(timeout=0)
        unlink(path)

    monkeypatch.setattr(Path, "unlink", unlink_and_try)
    release(lock)
    assert not lock.is_locked
    assert list((tmp_path / ".locks").iterdir()) == []


def test_rollouts_are_not_torn_by_what_a_player_does(game: Game) -> None:
    class Fails(RandomAgent):
        def act(self, observation: object) -> Any:
            raise MemoryError

    rollout = Rollout(game, Fails(game.spec))
    rollout.begin()
    with pytest.raises(MemoryError):
        rollout.tick()
    assert not rollout.torn
