"""Recorders that come to harm, each in a process of its own: `python -m tests.recorder.victim SCENE LIBRARY`.

    brief            record ten seconds of play
    sprint, stroll   record until killed, at full speed or 60 ticks a second; print the time of every tick
    full-headless    the disk fills up during record(); print the error
    full-presenter   the disk fills up while a person plays; print what it says, then make room and play on
    memory           the memory is used up while a person plays; print what it says and how many ticks were played

A full disk is a limit on the size of a file, which gives the same kind of error and needs no file system of its own.
"""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from recorder import Library, Session, record
from recorder.agents.bindings import Bindings
from recorder.agents.experts import scripted
from recorder.errors import TwinplayError
from recorder.play.clock import Pacer
from recorder.recording.presenter import RecordPresenter
from recorder.recording.take_control import RecordState

TIMEOUT_S = 60.0
PROCESS_TIMEOUT_S = 120.0
FILE_LIMIT = 1_500  # bytes: enough for metadata and scalars of the first second, not for a chunk of screens


def perform(scene: str, library: Path, stdout: IO[str] | int | None = None) -> subprocess.Popen[str]:
    """Start a scene in a process of its own."""
    command = [sys.executable, "-m", "tests.recorder.victim", scene, str(library)]
    return subprocess.Popen(command, text=True, cwd=Path(__file__).parents[2], stdout=stdout)


class Talker:
    """A scripted player that prints when it acts, and can be slowed down to real time."""

    def __init__(self, paced: bool) -> None:
        self._player = scripted("breakout", seed=5)
        self._pacer = Pacer(60) if paced else None

    def reset(self, env: object = None) -> None:
        self._player.reset(env)

    def act(self, observation: object) -> int:
        while self._pacer is not None and not self._pacer.due():
            time.sleep(self._pacer.wait_ns() / 1e9)
        print(time.monotonic_ns(), flush=True)
        return self._player.act(observation)


def limit_files(size: int) -> None:
    """From now on, no file of this process grows beyond `size` bytes (-1: no limit)."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def wait_for(presenter: RecordPresenter, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline
        presenter.poll()
        time.sleep(0.002)


def full_headless(library: Path) -> None:
    class FillsUp(Talker):
        started: float | None = None

        def act(self, observation: object) -> int:
            self.started = self.started or time.monotonic()
            if time.monotonic() - self.started > 3:  # several commits later
                limit_files(FILE_LIMIT)
            return self._player.act(observation)

    try:
        record("breakout", FillsUp(paced=False), library=library, seconds=3_600)
    except TwinplayError as error:
        print(json.dumps({"error": str(error)}))
    finally:
        limit_files(-1)  # what is measured of this process is a file as well


def play_for_a_moment(library: Path) -> RecordPresenter:
    """A presenter in the middle of a take, some of which is on the disk."""
    presenter = RecordPresenter(library, Bindings({1: 1}, {1: "Space"}), controllers=None, countdown_s=0)
    presenter.start()
    wait_for(presenter, lambda: presenter.status.ticks >= 60 and any(s.ticks for s in Library(library).sessions()))
    return presenter


def full_presenter(library: Path) -> None:
    presenter = play_for_a_moment(library)
    limit_files(FILE_LIMIT)
    wait_for(presenter, lambda: presenter.state is RecordState.PAUSED)
    told, stopped_at = presenter.take.trouble, presenter.status.ticks
    presenter.take.resume()
    still = presenter.state is RecordState.PAUSED
    limit_files(-1)
    wait_for(presenter, lambda: presenter.take.recovered)
    after_room = presenter.status.ticks
    presenter.take.resume()
    wait_for(presenter, lambda: presenter.status.ticks >= stopped_at + 90)
    played = presenter.status.ticks
    presenter.stop()
    assert presenter.finished.last_take is not None
    print(
        json.dumps(
            {
                "told": told,
                "refused_to_go_on": still,
                "ticks": [stopped_at, after_room, played, len(Session.open(presenter.finished.last_take))],
                "error": presenter.error,
            }
        )
    )


def memory(library: Path) -> None:
    presenter = play_for_a_moment(library)
    ticks = presenter.status.ticks
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize(), -1))
    hoard: list[bytearray] = []
    for size in (1 << 20, 1 << 10):
        with contextlib.suppress(MemoryError):
            while True:
                hoard.append(bytearray(size))
    deadline = time.monotonic() + 1
    while presenter.state is RecordState.RECORDING and time.monotonic() < deadline:
        ticks = presenter.status.ticks
        presenter.poll()
    hoard.clear()
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    told = presenter.error or presenter.take.trouble
    if presenter.busy:
        ticks = presenter.status.ticks
        presenter.stop()
    print(json.dumps({"ticks": ticks, "told": told}))


def main() -> None:
    scene, library = sys.argv[1], Path(sys.argv[2])
    if scene == "brief":
        record("breakout", scripted("breakout", seed=5), library=library, seconds=10)
    elif scene in ("sprint", "stroll"):
        record("breakout", Talker(paced=scene == "stroll"), library=library, seconds=3_600)
    else:
        {"full-headless": full_headless, "full-presenter": full_presenter, "memory": memory}[scene](library)


if __name__ == "__main__":
    main()
