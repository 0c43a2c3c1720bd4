"""Work in other processes: its records, its end, its failures."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from recorder.errors import TwinplayError
from recorder.system import jobs
from recorder.system.jobs import Detached, Job, Jobs, JobState, Service, WorkerError, run_parallel
from recorder.system.priority import GIVING_WAY, come_first
from tests.waiting import PATIENCE_S, wait_until

TARGETS = "tests.recorder.jobs_targets"


def collect(job: Job) -> list[Any]:
    records = job.poll()
    while job.state is JobState.RUNNING:
        time.sleep(0.002)  # its core is also the job's
        records += job.poll()
    return records


def all_of(jobs: Jobs) -> list[tuple[int, Any]]:
    records = []
    while jobs.running:
        records += jobs.poll(1.0)
    return records


def test_a_jobs_records_arrive_in_order() -> None:
    job = Job(f"{TARGETS}:count", {"until": 20})
    assert collect(job) == list(range(20))
    assert job.state is JobState.DONE


def test_stop_closes_the_generator_so_that_it_keeps_what_it_has(tmp_path: Path) -> None:
    job = Job(f"{TARGETS}:count", {"until": 10**6, "closed": str(tmp_path / "closed")})
    while not job.poll():
        time.sleep(0.002)
    job.stop()
    collect(job)
    assert job.state is JobState.STOPPED
    assert (tmp_path / "closed").read_text() == "closed"


@pytest.mark.parametrize("apart", [True, False])
def test_the_records_of_several_generators_arrive_each_in_order(apart: bool) -> None:
    jobs = Jobs(f"{TARGETS}:count", [{"until": 5}, {"until": 3}], apart=apart)
    records = all_of(jobs)
    jobs.close()
    assert [[record for number, record in records if number == which] for which in (0, 1)] == [[*range(5)], [*range(3)]]
    assert jobs.poll(60.0) == []


def test_a_failure_of_one_of_several_is_raised_and_closing_ends_the_others() -> None:
    jobs = Jobs(f"{TARGETS}:refuse", [{}, {}], apart=True)
    with pytest.raises(WorkerError, match="no such thing; try another"):
        all_of(jobs)
    jobs.close()
    assert not jobs.running


@pytest.mark.parametrize("apart", [True, False])
def test_closing_several_ends_them_at_once(tmp_path: Path, apart: bool) -> None:
    closed = tmp_path / "closed"
    jobs = Jobs(f"{TARGETS}:count", [{"until": 10**6, "closed": str(closed)}], apart=apart)
    while not jobs.poll(1.0):
        pass
    jobs.close()
    assert not jobs.running
    assert closed.exists() != apart  # a process is killed, a generator closed


def test_a_job_gives_way_to_whoever_plays() -> None:
    (niceness,) = collect(Job(f"{TARGETS}:niceness", {}))
    assert niceness == max(GIVING_WAY, os.nice(0))


def test_a_refusal_arrives_as_its_sentence() -> None:
    job = Job(f"{TARGETS}:refuse", {})
    assert collect(job) == [1]
    assert (job.state, job.error) == (JobState.FAILED, "no such thing; try another")


def test_a_killed_process_is_reported_with_its_signal() -> None:
    job = Job(f"{TARGETS}:die", {})
    collect(job)
    assert job.state is JobState.FAILED
    assert job.error == "the process ended unexpectedly (signal 9)"


def test_a_service_answers_in_order_and_reports_failures() -> None:
    service = Service(f"{TARGETS}:Adder", {"start": 10})
    assert service.call("add", 5) == 15
    service.request("add", 1)
    service.request("add", 1)
    answers: list[Any] = []
    while len(answers) < 2:
        answers += service.poll(5.0)
    assert answers == [("add", 16), ("add", 17)]
    with pytest.raises(WorkerError, match="cannot"):
        service.call("fail")
    service.close()


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from recorder.system.jobs import Service, run_parallel\n"
        "print('begun')\n"
        f"adder = Service('{TARGETS}:Adder', {{'start': 1}})\n"
        "print(adder.call('add', 2))\n"
        "adder.close()\n"
        f"print(dict(run_parallel('{TARGETS}:square', [{{'x': 3}}])))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["begun", "3", "{0: 9}", ""]


def test_parallel_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    calls = [{"note": str(tmp_path / name)} for name in ("one", "two")]
    script.write_text(
        f"from recorder.system.jobs import run_parallel\nlist(run_parallel('{TARGETS}:linger', {calls}, 2))\n"
    )
    parent = subprocess.Popen([sys.executable, script], env={**os.environ, "PYTHONPATH": os.getcwd()})

    notes = [Path(call["note"]) for call in calls]
    wait_until(lambda: all(note.exists() and note.read_text() for note in notes))
    workers = [Path(f"/proc/{note.read_text()}/cmdline") for note in notes]
    assert all(worker.read_bytes() for worker in workers)
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(worker.exists() and worker.read_bytes() for worker in workers))


def test_parallel_calls_return_with_their_index() -> None:
    results = dict(run_parallel(f"{TARGETS}:square", [{"x": x} for x in range(7)], processes=2))
    assert results == {x: x * x for x in range(7)}


def test_parallel_calls_of_generators_tell_what_they_yield_as_it_comes() -> None:
    calls = run_parallel(f"{TARGETS}:count", [{"until": 3}, {"until": 0}, {"until": 2}], processes=1)
    assert list(calls) == [(0, 0), (0, 1), (0, 2), (2, 0), (2, 1)]
    with pytest.raises(TwinplayError, match="no such thing"):
        list(run_parallel(f"{TARGETS}:refuse", [{}], processes=1))


@pytest.mark.parametrize("first", [False, True])
def test_who_comes_first_wakes_from_a_sleep_when_it_is_over(first: bool) -> None:
    slack: list[int] = []

    def ask() -> None:
        if first:
            come_first()
        slack.append(ctypes.CDLL(None).prctl(30, 0, 0, 0, 0))  # PR_GET_TIMERSLACK

    jobs.start_thread(ask, "asks").join()
    assert slack == [1 if first else 50_000]


def test_a_service_that_is_closed_before_it_has_begun_ends_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    Service(f"{TARGETS}:Adder", {"start": 1}).close()
    assert capfd.readouterr().err == ""


def test_a_detached_process_and_its_session_give_way(tmp_path: Path) -> None:
    process = Detached(f"{TARGETS}:tell_priority", {"out": str(tmp_path / "told")}, tmp_path / "log")
    assert process.join(PATIENCE_S)
    assert (tmp_path / "log").read_text() == ""
    assert (tmp_path / "told").read_text() == f"{GIVING_WAY} {GIVING_WAY}"
