"""Long commands that are ended from outside: soon over, with the shell's status, and no process left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recorder import Session
from tests.player.conftest import untrained
from tests.waiting import PATIENCE_S, wait_until


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, and those that they have."""
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found |= {int(child)} | descendants(int(child))
    return found


def end(command: list[str], number: signal.Signals, workers: int) -> tuple[int, str]:
    """Start a command, send its process group a signal once it has so many processes, and see it and them go."""
    process = subprocess.Popen(
        [sys.executable, "-m", "player", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "2"},  # which is how many processes it starts
    )
    family: set[int] = set()

    def begun() -> bool:
        nonlocal family
        assert process.poll() is None, process.communicate()
        family = descendants(process.pid)
        return len(family) >= workers

    try:
        wait_until(begun)
        os.killpg(process.pid, number)
        _, said = process.communicate(timeout=PATIENCE_S)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert "Traceback" not in said
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_evaluation(tmp_path: Path, number: signal.Signals) -> None:
    policy = untrained("hopper", tmp_path / "clone.safetensors")
    status, said = end(["evaluate", str(policy), "--episodes", "3000"], number, workers=2)
    assert status == 128 + number
    assert said.endswith("twinplay: interrupted; everything completed so far is kept\n")


def test_a_study_keeps_the_cells_that_are_finished(tmp_path: Path) -> None:
    folder = tmp_path / "hopper"
    short = ["study", "hopper", "--out", str(tmp_path), "--only", "; 1 game", "--episodes", "1", "--max-batches", "20"]

    def first() -> list[Path]:
        return sorted(folder.glob("*.json"))

    process = subprocess.Popen([sys.executable, "-m", "player", *short], stderr=subprocess.PIPE, start_new_session=True)
    wait_until(first)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    kept = {path: path.read_bytes() for path in first()}
    assert end([*short, "--jobs", "2"], signal.SIGINT, workers=2)[0] == 130
    assert all(path.read_bytes() == content for path, content in kept.items())


# One training after the other in one process, which loads torch once; its status is the last one's.
_TRAININGS = """
import sys
from player.cli import main
for _ in range(int(sys.argv[1])):
    status = main(sys.argv[2:])
    print(f"status {status}", flush=True)
sys.exit(status)
"""


def test_a_training_is_paused(hopper: Session, tmp_path: Path) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    command = [sys.executable, "-c", _TRAININGS, str(len(numbers)), "train", str(hopper.path)]
    command += ["--library", str(tmp_path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None

        def read_to(part: str) -> str:
            while part not in (line := process.stdout.readline()):
                assert line, process.communicate()
            return line

        for number in numbers:
            read_to('"stage": "train"')
            process.send_signal(number)
            assert read_to("status ") == f"status {128 + number}\n"
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + numbers[-1]
    assert said.count("twinplay: paused after") == len(numbers)
