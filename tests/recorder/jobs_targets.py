"""What tests/recorder/test_jobs.py runs in processes of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from recorder.errors import TwinplayError
from recorder.system.jobs import run_parallel


def count(until: int, closed: str = "") -> Iterator[int]:
    try:
        for number in range(until):
            time.sleep(0.005)
            yield number
    finally:
        if closed:
            Path(closed).write_text("closed")


def niceness() -> Iterator[int]:
    yield os.nice(0)


def refuse() -> Iterator[int]:
    yield 1
    raise TwinplayError("no such thing; try another")


def die() -> Iterator[int]:
    yield 1
    os.kill(os.getpid(), signal.SIGKILL)


def square(x: int) -> int:
    return x * x


class Adder:
    def __init__(self, start: int) -> None:
        self.total = start

    def add(self, x: int) -> int:
        self.total += x
        return self.total

    def fail(self) -> None:
        raise TwinplayError("cannot")


def linger(note: str) -> None:
    """Write who we are, and stay."""
    Path(note).write_text(str(os.getpid()))
    time.sleep(600)


def tell_priority(out: str) -> None:
    """Write this process's niceness, and that of its session where Linux weighs sessions."""
    group = Path("/proc/self/autogroup")
    session = group.read_text().split()[-1] if group.exists() else str(os.nice(0))
    Path(out).write_text(f"{os.nice(0)} {session}")


def put_away(note: str) -> None:
    """Write who we are, stay, and write "put away" when asked to end."""
    try:
        linger(note)
    finally:
        Path(note).write_text("put away")


def insist(note: str) -> None:
    """Stay, whatever is asked."""
    while True:
        with contextlib.suppress(BaseException):
            linger(note)


def nest(notes: list[str]) -> None:
    """Have processes of our own that stay."""
    list(run_parallel("tests.recorder.jobs_targets:linger", [{"note": note} for note in notes], 2))


def stay(note: str, closed: str) -> Iterator[int]:
    """A generator that is in the middle of its work."""
    try:
        yield 1
        linger(note)
    finally:
        Path(closed).write_text("closed")
