"""The last tick of every episode is terminated or truncated, for whoever reads the arrays alone."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import zarr

from recorder import Library, RandomAgent, Session, get_spec, record, verify
from recorder.agents.agent import describe
from recorder.agents.experts import scripted
from recorder.envs.game import Game
from recorder.library.merging import merging, splitting
from recorder.play.rollout import Phase, Rollout
from recorder.store.session_writer import SessionWriter
from recorder.system.resources import asset

REPOSITORY = Path(__file__).parents[2]


def stored(path: Path, name: str = "truncated") -> npt.NDArray[Any]:
    """An array as any other tool reads it."""
    group = zarr.open_group(path, mode="r")
    return np.asarray(group[name])[: int(group.attrs["ticks"])]  # type: ignore[call-overload]


def assert_parted(path: Path) -> None:
    """Every episode, and nothing else, ends where an array says that one ends."""
    session = Session.open(path)
    over = stored(path, "terminated") | stored(path)
    assert (np.flatnonzero(over) + 1).tolist() == sorted(episode.stop for episode in session.episodes)
    assert np.array_equal(session.truncated, stored(path))
    certificate = verify(session)
    assert certificate.ok, certificate.difference


def forget(path: Path) -> None:
    """Make the session one of an earlier version, which stored no `truncated` of a game that was stopped."""
    with zarr.config.set({"array.write_empty_chunks": True}):
        zarr.open_group(path, mode="r+")["truncated"][:] = False
    zarr.open_group(path, mode="r+").attrs.update(digest=Session.open(path).digest())


@pytest.fixture
def stopped(tmp_path: Path) -> list[Path]:
    """Two games of Breakout that were stopped."""
    return [
        record("breakout", scripted("breakout", seed=seed), library=tmp_path / "library", seconds=2, seed=seed).path
        for seed in (1, 2)
    ]


def test_a_game_that_is_stopped_ends_truncated(stopped: list[Path]) -> None:
    for path in stopped:
        assert np.flatnonzero(stored(path)).tolist() == [119]
        assert_parted(path)


def test_one_that_ends_by_itself_or_at_its_limit_stays_as_it_was(hops: Session, tmp_path: Path) -> None:
    assert not stored(hops.path).any()
    assert_parted(hops.path)
    long = record("hopper", scripted("hopper", 1), library=tmp_path, episodes=2, seed=1)
    assert np.flatnonzero(stored(long.path)).tolist() == [999, 1_999]
    assert_parted(long.path)


@pytest.mark.parametrize("chunk", [64, 8_192])
def test_rewound_and_stopped_games_are_parted_in_the_arrays(
    tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In chunks of 64 ticks what is marked lies in ones that were written long ago."""
    monkeypatch.setattr("recorder.store.new_session.SCALAR_CHUNK", chunk)
    agent = scripted("breakout", seed=4)
    with Game(get_spec("breakout")) as game:
        writer = SessionWriter(tmp_path, game, describe(agent), seed=4)
        rollout = Rollout(game, agent, seed=4, sink=writer, unattended=False, rewindable=True)

        def play(ticks: int) -> None:
            for _ in range(ticks):
                rollout.tick()
            writer.flush()

        rollout.begin()
        play(256)  # a whole number of chunks
        assert rollout.rewind(100) == 100
        assert rollout.rewind(60) == 60  # further, with nothing played since
        play(90)
        assert rollout.rewind(40, keep=True) == 40
        play(70)
        rollout.begin()  # the game before is stopped
        play(128)
        rollout.end()  # after all of it was written
        rollout.begin()
        play(150)
        assert rollout.rewind(50) == 50
        rollout.end()  # and never played on
        assert rollout.phase is Phase.OVER
        path = writer.close().path
    session = Session.open(path)
    assert [episode.outcome for episode in session.episodes].count("rewound") == 5
    assert_parted(path)


def test_the_reader_supplies_it_for_sessions_of_earlier_versions(tmp_path: Path) -> None:
    with zipfile.ZipFile(asset("sample") / "session.zip") as archive:
        archive.extractall(tmp_path / "sample.zarr")
    session = Session.open(tmp_path / "sample.zarr")
    assert [episode.outcome for episode in session.episodes] == ["stopped"]
    assert not stored(session.path).any()
    assert np.flatnonzero(session.truncated).tolist() == [len(session) - 1]
    assert verify(session).ok
    assert session.digest() == session.attributes["digest"]


def test_what_an_old_session_stores_elsewhere_is_no_end(stopped: list[Path]) -> None:
    forget(stopped[0])
    zarr.open_group(stopped[0], mode="r+")["truncated"][50] = True
    assert np.flatnonzero(Session.open(stopped[0]).truncated).tolist() == [119]


@pytest.mark.parametrize("old", [False, True])
def test_merged_and_split_sessions_store_it(stopped: list[Path], old: bool, tmp_path: Path) -> None:
    for path in stopped if old else ():
        forget(path)
    *_, last = merging(stopped, tmp_path / "merged")
    (merged,) = last.made
    assert np.flatnonzero(stored(merged)).tolist() == [119, 239]
    assert_parted(merged)
    if old:
        forget(merged)  # as an earlier version merged them
    *_, last = splitting(merged, 2, tmp_path / "split")
    for part in last.made:
        assert np.flatnonzero(stored(part)).tolist() == [119]
        assert_parted(part)


def test_the_reader_supplies_it_where_the_recorder_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.recorder.victim", "sprint", str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        while not any(row.ticks > 60 for row in Library(tmp_path).sessions()):
            victim.stdout.readline()
        victim.kill()
    (summary,) = Library(tmp_path).sessions()
    session = Session.open(summary.path)
    assert session.episodes[-1].outcome == "interrupted"
    assert session.truncated[-1]
    assert not stored(session.path)[-1]
    other = record("breakout", RandomAgent(get_spec("breakout"), 1), library=tmp_path / "other", seconds=1)
    *_, last = merging([session.path, other.path], tmp_path / "merged")
    assert_parted(last.made[0])
