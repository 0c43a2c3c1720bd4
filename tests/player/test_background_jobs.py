"""Long work beside the play, and the scoreboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from player.watch.background import BackgroundJob, BackgroundJobState, scoring
from recorder import Session
from recorder.system.jobs import JobState
from tests.player.conftest import untrained
from trainer.evaluation.scores import bootstrap


class FakeJob:
    """Says what it is told to say."""

    def __init__(self) -> None:
        self.state = JobState.RUNNING
        self.error: str | None = None
        self.records: list[Any] = []
        self.calls: list[str] = []

    def poll(self) -> list[Any]:
        records, self.records = self.records, []
        return records

    def stop(self) -> None:
        self.calls.append("stop")
        self.state = JobState.STOPPED

    def kill(self) -> None:
        self.calls.append("kill")

    def join(self, timeout: float | None = None) -> bool:
        self.calls.append("join")
        return self.state is not JobState.RUNNING


class Office:
    """Starts fake jobs."""

    def __init__(self) -> None:
        self.jobs: list[FakeJob] = []
        self.wishes: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, target: str, arguments: dict[str, Any]) -> FakeJob:
        self.jobs.append(FakeJob())
        self.wishes.append((target, arguments))
        return self.jobs[-1]


def test_a_background_job_shows_its_latest_record_and_is_done_when_its_process_is() -> None:
    office = Office()
    job = BackgroundJob("a:b", start_job=office)
    assert job.poll() is False
    job.start(one=1)
    assert office.wishes == [("a:b", {"one": 1})]
    assert (job.state, job.poll()) == (BackgroundJobState.RUNNING, False)
    office.jobs[0].records = ["first", "second"]
    assert job.poll()
    assert (job.record, job.running) == ("second", True)
    office.jobs[0].state = JobState.DONE
    assert job.poll()
    assert (job.record, job.state) == ("second", BackgroundJobState.DONE)
    job.close()


def test_a_failed_job_says_why_and_may_begin_again() -> None:
    office = Office()
    job = BackgroundJob("a:b", start_job=office)
    job.start()
    office.jobs[0].state, office.jobs[0].error = JobState.FAILED, "the disk is full"
    job.poll()
    assert (job.state, job.error) == (BackgroundJobState.FAILED, "the disk is full")
    job.start()
    assert (job.state, job.error, job.record) == (BackgroundJobState.RUNNING, "", None)
    job.close()


@pytest.mark.parametrize(("cleans_up", "calls"), [(False, ["kill"]), (True, ["stop", "join"])])
def test_a_cancelled_job_is_killed_unless_it_has_to_tidy_up(cleans_up: bool, calls: list[str]) -> None:
    office = Office()
    job = BackgroundJob("a:b", cleans_up=cleans_up, start_job=office)
    job.start()
    job.close()
    assert job.state is BackgroundJobState.IDLE
    assert office.jobs[0].calls == calls
    office.jobs[0].records = ["late"]
    assert not job.poll()


def test_a_wish_takes_the_place_of_the_one_before() -> None:
    office = Office()
    job = BackgroundJob("a:b", start_job=office)
    job.start(n=1)
    office.jobs[0].records = ["of the first"]
    job.start(n=2)
    assert office.jobs[0].calls == ["kill"]
    job.poll()
    assert job.record is None
    job.close()


def test_the_scoreboard_has_the_recorded_player_both_clones_and_chance(hopper: Session, tmp_path: Path) -> None:
    one = untrained("hopper", tmp_path / "one.safetensors")
    two = untrained("hopper", tmp_path / "two.safetensors", network="lstm")
    *steps, last = scoring([str(one), str(two)], str(hopper.path), episodes=3, seed=1)
    assert last.report is not None
    rows = last.report.rows
    assert [row.player for row in rows] == ["demonstrator", "clone", "clone", "random"]
    assert [row.label for row in rows][1:3] == ["clone one", "clone two"]
    assert rows[0].label.startswith("random")  # who was recorded, by the kind of player that it is
    for row in rows:
        assert row.distinct <= len(row.returns)
        assert row.low <= row.mean <= row.high
    assert (rows[1].mean, rows[1].low, rows[1].high) == bootstrap(rows[1].returns)
    first = next(step for step in steps if step.done)
    assert len(first.rows) == 2  # who was recorded, and whoever is the first to finish a game
    assert first.done < first.total
    assert [row.player for row in steps[-1].rows] == ["demonstrator", "clone", "clone", "random"]
    assert any(step.left_s for step in steps)
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert last.done == last.total == steps[0].total


def test_a_person_is_represented_by_the_games_recorded(hopper: Session, tmp_path: Path) -> None:
    from recorder.store.zarr_store import StoredGroup

    path = untrained("hopper", tmp_path / "one.safetensors")
    StoredGroup(hopper.path).set_attributes(player={"kind": "person", "name": "Ada", "params": {}})
    try:
        *steps, last = scoring([str(path)], str(hopper.path), episodes=1)
    finally:
        StoredGroup(hopper.path).set_attributes(player=hopper.player)
    assert [row.player for row in steps[0].rows] == ["demonstrator"]  # at once: nothing has to be played for them
    assert all(step.rows[0] == steps[0].rows[0] for step in steps if step.rows)
    assert last.report is not None
    human = last.report.rows[0]
    assert (human.label, human.player) == ("person Ada, as recorded", "demonstrator")
    np.testing.assert_allclose(human.returns, hopper.scores)
