"""What is left when a recorder is killed."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from recorder import Library, Session, verify
from tests.recorder.victim import PROCESS_TIMEOUT_S, perform

KILLS = 5


def kill_a_recorder(folder: Path, seed: int) -> str:
    """Kill a recording process at a moment drawn from `seed` and check what it leaves; returns what happened."""
    rng = random.Random(seed)
    scene, after_s = rng.choice(["sprint", "stroll"]), rng.uniform(0.0, 3.0)
    # A pipe would block a recorder that nobody reads; a file holds what it had printed before it died.
    printed = folder / f"printed-{seed}.txt"
    with printed.open("w") as output:
        process = perform(scene, folder / f"library-{seed}", stdout=output)
        deadline = time.monotonic() + PROCESS_TIMEOUT_S
        while not printed.stat().st_size:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(after_s)
        killed_ns = time.monotonic_ns()
        process.send_signal(signal.SIGKILL)
        process.wait()
    times = [int(line) for line in printed.read_text().split("\n")[:-1]]
    (summary,) = Library(folder / f"library-{seed}").sessions()
    assert summary.state == "interrupted", summary.problem
    session = Session.open(summary.path)
    lost = times[len(session) :]
    lost_s = (killed_ns - lost[0]) / 1e9 if lost else 0.0
    what = (
        f"seed {seed}: {scene} killed after {after_s:.2f} s, "
        f"{len(session)} of {len(times)} ticks kept, {lost_s:.2f} s lost"
    )
    assert lost_s <= 1.0, what
    certificate = verify(session)
    assert certificate.ok, f"{what}: {certificate.difference}"
    assert certificate.ticks == len(session), what
    return what


def test_a_recorder_killed_at_any_moment_loses_at_most_a_second_and_its_session_verifies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = random.SystemRandom().randrange(1_000_000)
    for seed in range(first, first + KILLS):
        what = kill_a_recorder(tmp_path, seed)
        with capsys.disabled():
            print(f" [{what}]", end="")
