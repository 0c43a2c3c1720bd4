"""What ends a process from outside ends its processes too, soon, and whatever is open is put away."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recorder.system.commands import guarded
from recorder.system.interrupts import Noted
from recorder.system.jobs import run_parallel
from tests.waiting import PATIENCE_S, wait_until

TARGETS = "tests.recorder.jobs_targets"


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # a zombie has none
    return False


def written(notes: list[Path]) -> Callable[[], bool]:
    return lambda: all(note.exists() and note.read_text() for note in notes)


@contextlib.contextmanager
def program(tmp_path: Path, action: str) -> Iterator[subprocess.Popen[str]]:
    """A program of ours whose command does `action`, in a process group of its own."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; from recorder.system.commands import guarded\n"
        "from recorder.system.jobs import Job, Service, run_parallel\n"
        f"sys.exit(guarded(lambda: {action}))\n"
    )
    process = subprocess.Popen(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("group", [True, False])
def test_a_signal_ends_a_program_with_its_workers(tmp_path: Path, number: signal.Signals, group: bool) -> None:
    note = tmp_path / "note"
    with program(tmp_path, f"list(run_parallel('{TARGETS}:put_away', [{{'note': '{note}'}}]))") as process:
        wait_until(written([note]))
        worker = int(note.read_text())
        (os.killpg if group else os.kill)(process.pid, number)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + number
    assert said == "twinplay: interrupted; everything completed so far is kept\n"
    assert not alive(worker)
    assert note.read_text() == "put away"


def test_a_worker_that_does_not_heed_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with program(tmp_path, f"list(run_parallel('{TARGETS}:insist', [{{'note': '{note}'}}]))") as process:
        wait_until(written([note]))
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert not alive(int(note.read_text()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_of_workers_end_too(tmp_path: Path, number: signal.Signals) -> None:
    notes = [tmp_path / "one", tmp_path / "two"]
    call = f"list(run_parallel('{TARGETS}:nest', [{{'notes': {[str(note) for note in notes]}}}]))"
    with program(tmp_path, call) as process:
        wait_until(written(notes))
        process.send_signal(number)
        process.communicate(timeout=PATIENCE_S)
    wait_until(lambda: not any(alive(int(note.read_text())) for note in notes))


def test_a_job_in_the_middle_of_its_work_puts_it_away_when_its_parent_is_killed(tmp_path: Path) -> None:
    note, closed = tmp_path / "note", tmp_path / "closed"
    arguments = {"note": str(note), "closed": str(closed)}
    with program(tmp_path, f"Job('{TARGETS}:stay', {arguments}).join()") as process:
        wait_until(written([note]))
        process.kill()
        wait_until(written([closed]))
    wait_until(lambda: not alive(int(note.read_text())))


def test_results_that_are_there_are_kept_when_the_rest_is_given_up(tmp_path: Path) -> None:
    calls = run_parallel(f"{TARGETS}:square", [{"x": x} for x in range(50)], processes=2)
    first = next(calls)
    calls.close()
    assert first[1] == first[0] ** 2


def test_signals_are_only_noted_while_something_is_written() -> None:
    with Noted() as noted:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)
        assert noted.seen == signal.SIGHUP
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_signal_that_was_ignored_from_the_beginning_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert guarded(lambda: signal.raise_signal(signal.SIGHUP) or 0) == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_command_ends_without_a_last_search_for_garbage() -> None:
    """With torch in the process it took longer than everything else between Ctrl-C and the prompt."""
    code = (
        "import atexit, gc; from recorder.system.commands import guarded; "
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000)); guarded(lambda: 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
