"""The n-th call of a recording fails: n = 1, 2, … until a run passes without a failure, as SQLite tests its I/O errors.

After each run: what went wrong was told in one sentence, or nothing did; no thread is left; a session that is visible
opens, verifies, and lacks at most a second of what had been played; without one, nothing is left. In real time, where
the writer keeps what was played and tries again, nothing at all is lost.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recorder import Library, Session
from recorder.envs.game import Game
from recorder.errors import TwinplayError
from tests.disk.calls import FSYNC, MKDIR, NAMES, OPEN, RENAME, UNLINK, WRITE, Call, Watcher, watched
from tests.disk.take import SECOND_NS, Played, play, verified

SHORT = "short"
# A quota is checked when room is set aside.
# Python itself repeats open, write and fsync after EINTR (PEP 475); the others reach the program.
ERRORS: dict[str, tuple[str, ...]] = {
    OPEN: ("ENOSPC", "EIO", "EDQUOT"),
    WRITE: ("ENOSPC", "EIO", "EDQUOT", SHORT),
    FSYNC: ("ENOSPC", "EIO"),
    RENAME: ("ENOSPC", "EIO", "EINTR"),
    MKDIR: ("ENOSPC", "EIO", "EDQUOT", "EINTR"),
    UNLINK: ("EIO", "EINTR"),
}
HARMLESS = (SHORT, "EINTR")  # they are no failures: the call is to be made again, or the rest of it


@dataclass(frozen=True)
class Failure:
    """The `n`-th call of that name that can end with `error` does, and, if it `lasts`, every later one of any name."""

    call: str
    error: str
    n: int
    lasts: bool = False

    def __str__(self) -> str:
        return f"{self.call} {self.n}: {self.error}{' from then on' if self.lasts else ''}"


def _can(call: Call, error: str) -> bool:
    """Whether that can happen to a call: opening needs room only for a new name."""
    return error in ERRORS[call.name] and (call.name != OPEN or error == "EIO" or call.creates)


@dataclass(frozen=True)
class Outcome:
    """What a run left. `told` is the sentence; `opened` and `verified` are False where there is no session."""

    happened: bool  # whether there was such a call
    told: str
    opened: bool
    verified: bool
    lost_ticks: int


class FailingDisk(Watcher):
    """Lets a call fail."""

    def __init__(self, failure: Failure) -> None:
        self.happened = False
        self._failure = failure
        self._left = failure.n

    def before(self, call: Call) -> int | None:
        failure = self._failure
        if not _can(call, failure.error):
            return None
        if not (self.happened and failure.lasts):
            self._left -= call.name == failure.call
            if call.name != failure.call or self._left:
                return None
            self.happened = True
        if failure.error == SHORT:
            return len(call.content) // 2
        if call.name == FSYNC and os.path.isfile(call.path):
            # The system takes what it could not write for written, and may forget it (Rebello et al. 2020).
            size = os.path.getsize(call.path)
            os.truncate(call.path, 0)
            os.truncate(call.path, size)
        number = getattr(errno, failure.error)
        raise OSError(number, os.strerror(number), call.path)


def run(folder: Path, game: Game, failure: Failure, *, real_time: bool) -> Outcome:
    """Record into a new library in `folder`, with one failure, and check what is left. AssertionError says what is not
    as it was promised.
    """
    home = folder / "disk"
    home.mkdir()
    library, disk, played, told = home / "library", FailingDisk(failure), Played(), ""
    try:
        with watched(home, disk):
            try:
                play(library, game, played, real_time=real_time)
            except TwinplayError as error:
                told = str(error)
        return check(library, game, played, disk.happened, told, failure, real_time=real_time)
    finally:
        shutil.rmtree(home)


def check(
    library: Path, game: Game, played: Played, happened: bool, told: str, failure: Failure, *, real_time: bool
) -> Outcome:
    """What is left is as it was promised."""
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("writer")], failure
    if told:
        assert happened, told
        assert os.strerror(getattr(errno, failure.error)) in told, (failure, told)
        assert "\n" not in told, told
        assert failure.error not in HARMLESS, (failure, told)
    sessions = Library(library).sessions()
    if not sessions:
        assert told, failure
        left = [path.name for path in library.rglob("*") if path.name != ".locks"] if library.exists() else []
        assert left == [], (failure, left)
        return Outcome(happened, told, False, False, 0)
    (summary,) = sessions
    assert summary.state == "complete" or (told and not summary.problem), (failure, summary.state, summary.problem)
    session = Session.open(summary.path)
    lost = len(played.times_ns) - len(session)
    assert lost == 0 or played.times_ns[len(session)] >= played.times_ns[-1] - SECOND_NS, (failure, lost)
    if real_time and not failure.lasts:
        assert lost == 0, (failure, told)
        assert not told or summary.state == "complete", (failure, told)
    certificate = verified(session, game)
    assert certificate.ok, (failure, certificate.difference)
    assert certificate.ticks == len(session), (failure, certificate.ticks, len(session))
    return Outcome(happened, told, True, True, lost)


class _Counter(Watcher):
    """Counts the calls of each name to which each error can happen."""

    def __init__(self) -> None:
        self.counts = {(name, error): 0 for name in NAMES for error in ERRORS[name]}

    def before(self, call: Call) -> None:
        for error in ERRORS[call.name]:
            self.counts[call.name, error] += _can(call, error)


def failures(folder: Path, game: Game, *, real_time: bool) -> Iterator[Failure]:
    """Every call of a recording with everything that can happen to it."""
    counter = _Counter()
    with watched(folder, counter):
        play(folder / "counted", game, Played(), real_time=real_time)
    shutil.rmtree(folder / "counted")
    for (name, error), count in counter.counts.items():
        for n in range(1, count + 1):
            yield Failure(name, error, n)
            if (name, error) == (WRITE, "ENOSPC"):
                yield Failure(name, error, n, lasts=True)
