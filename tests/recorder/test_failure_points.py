"""Whatever call of a recording fails, and whenever the power is cut: a sample; `python -m tests.benchmarks failures`
goes through all of it.
"""

from __future__ import annotations

import gc
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recorder import Session, get_spec, verify
from recorder.envs.game import Game
from recorder.errors import SessionError
from recorder.library.edits import edit
from tests.disk.calls import FSYNC, WRITE, Call, Watcher, watched
from tests.disk.failures import Failure, failures, run
from tests.disk.power_cut import EVERYTHING, NOTHING, WAYS, Cut, Disk, Left, Recorded, check_cuts, rebuild, recorded
from tests.disk.take import SCRIPTS, Played, play, verified

RUNS, CUTS = 4, 8  # of each recording


@pytest.fixture(scope="module", params=SCRIPTS)
def game(request: pytest.FixtureRequest) -> Iterator[Game]:
    with Game(get_spec(request.param)) as game:
        yield game


@pytest.fixture(scope="module")
def take(game: Game, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return recorded(tmp_path_factory.mktemp("taken") / "disk", game, real_time=True)


@pytest.fixture
def drawn(capsys: pytest.CaptureFixture[str]) -> random.Random:
    seed = random.SystemRandom().randrange(1_000_000)
    with capsys.disabled():
        print(f" [seed {seed}]", end="")
    return random.Random(seed)


@pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited"
)  # zarr's, where reading fails while it makes an array
@pytest.mark.parametrize("real_time", [False, True])
def test_a_recording_with_a_failing_call_loses_at_most_a_second_and_nothing_in_real_time(
    game: Game, real_time: bool, tmp_path: Path, drawn: random.Random
) -> None:
    each = list(failures(tmp_path, game, real_time=real_time))
    for failure in drawn.sample(each, RUNS):
        assert run(tmp_path, game, failure, real_time=real_time).happened
    gc.collect()  # what zarr has left is to warn here, not in the next test


def test_a_recording_without_a_failure_is_complete(game: Game, tmp_path: Path) -> None:
    outcome = run(tmp_path, game, Failure(WRITE, "EIO", 1_000_000), real_time=True)
    assert (outcome.happened, outcome.told, outcome.verified, outcome.lost_ticks) == (False, "", True, 0)


def test_after_a_power_cut_everything_until_a_second_before_is_there(
    game: Game, take: Recorded, tmp_path: Path, drawn: random.Random
) -> None:
    calls = sorted(drawn.sample(range(len(take.calls)), CUTS))
    cuts = [Cut(each, drawn.choice(WAYS), drawn.randrange(1_000_000)) for each in calls]
    assert list(check_cuts(take, game, cuts, tmp_path / "cut"))


def test_a_finished_session_in_a_new_library_survives_a_power_cut(game: Game, take: Recorded, tmp_path: Path) -> None:
    cut = Cut(len(take.calls), NOTHING)
    assert list(check_cuts(take, game, [cut], tmp_path / "cut")) == [Left(cut, True, 0)]


class Last(Watcher):
    """Counts the writes."""

    def __init__(self) -> None:
        self.writes = 0

    def before(self, call: Call) -> None:
        self.writes += call.name == WRITE


def test_a_fault_of_a_moment_at_the_very_end_costs_a_person_nothing(game: Game, tmp_path: Path) -> None:
    last = Last()
    with watched(tmp_path, last):
        play(tmp_path / "library", game, Played(), real_time=True)
    outcome = run(tmp_path, game, Failure(WRITE, "ENOSPC", last.writes), real_time=True)
    assert outcome.happened
    assert (outcome.told, outcome.lost_ticks) == ("", 0)


def torn(take: Recorded, folder: Path) -> Iterator[Path]:
    """The session each time its recorder has replaced the table of episodes, but for one column that is as before."""
    disk, stop = Disk(take.root), b""
    for call, _ in take.calls:
        if call.target.endswith("episodes/start/c.0"):
            stop = disk.read(call.target.replace("/start/", "/stop/"))
        disk.make(call)
        if call.target.endswith("episodes/label/c.0"):
            rebuild(disk.left(EVERYTHING, random.Random(0)), folder)
            (path,) = (folder / "library").glob("*.zarr")
            (path / "episodes" / "stop" / "c.0").write_bytes(stop)
            yield path
            shutil.rmtree(folder)


def test_a_recorder_killed_while_it_replaces_the_table_of_episodes_leaves_a_whole_one(
    game: Game, take: Recorded, tmp_path: Path
) -> None:
    for path in torn(take, tmp_path / "cut"):
        session = Session.open(path)
        certificate = verified(session, game)
        assert certificate.ok, certificate.difference
        assert certificate.ticks == len(session)


def test_a_table_of_episodes_that_was_torn_can_be_edited(take: Recorded, tmp_path: Path) -> None:
    path = next(torn(take, tmp_path / "cut"))
    before = Session.open(path)
    edit(path, title="Torn")
    after = Session.open(path)
    assert "last_game" in before.attributes
    assert "last_game" not in after.attributes
    assert after.episodes == before.episodes
    assert all(map(np.array_equal, after.episode_marks, before.episode_marks))
    assert verify(after).ok


@pytest.mark.parametrize(
    "last_game",
    [
        7,
        "rows",
        [],
        {},
        {"first": 0},
        {"first": "0"},
        {"first": -1, "start": []},
        {"first": 0, "start": [1, 2, 3, 4, 5]},
    ],
)
def test_a_last_game_that_is_not_one_is_told_in_a_sentence(take: Recorded, last_game: object, tmp_path: Path) -> None:
    path = next(torn(take, tmp_path / "cut"))
    document = json.loads((path / "zarr.json").read_text())
    document["attributes"]["last_game"] = last_game
    (path / "zarr.json").write_text(json.dumps(document))
    with pytest.raises(SessionError, match="its last game has no valid rows; the session is damaged"):
        _ = Session.open(path).episodes


def test_a_session_that_cannot_be_begun_leaves_nothing(game: Game, tmp_path: Path) -> None:
    class Beginning(Watcher):
        """Counts what is synced before the first tick."""

        synced = 0

        def before(self, call: Call) -> None:
            self.synced += call.name == FSYNC and not played.times_ns

    played, beginning = Played(), Beginning()
    with watched(tmp_path, beginning):
        play(tmp_path / "library", game, played, real_time=True)
    for back in range(3):  # in the commit that follows the session's move into the library
        outcome = run(tmp_path, game, Failure(FSYNC, "EIO", beginning.synced - back), real_time=True)
        assert (outcome.happened, outcome.opened) == (True, False)
