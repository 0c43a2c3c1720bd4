"""What several tests share: processes of the app's, and files that are made once for all workers of a run."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from recorder.errors import TwinplayError
from recorder.system.jobs import JobLike, JobState, Service, ServiceLike, resolve
from tests.waiting import PATIENCE_S


class SharedService:
    """A real process of `target`, which is lent to one presenter after the other; a second at a time starts its own."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._service = Service(target, {})
        while self._service.pending:
            self._service.poll(60)
        self._returned = threading.Event()
        self._returned.set()
        self._borrower: _Lent | None = None

    def lend(self) -> ServiceLike:
        """What a presenter's `start_service` is to call."""
        if self._borrower is not None and not self._borrower.closing:
            return Service(self._target, {})
        assert self._returned.wait(PATIENCE_S)
        self._returned.clear()
        self._borrower = _Lent(self._service, self._returned)
        return self._borrower

    def close(self) -> None:
        """End the process."""
        self._service.close()


class _Lent:
    """The process, until it is closed."""

    def __init__(self, service: Service, returned: threading.Event) -> None:
        self._service, self._returned = service, returned
        self.closing = False

    def request(self, method: str, *args: Any) -> None:
        self._service.request(method, *args)

    def poll(self) -> list[tuple[str, Any]]:
        return self._service.poll()

    def close(self) -> None:
        """Give the process back, once it has answered all that was asked."""
        self.closing = True
        while self._service.pending:
            with contextlib.suppress(TwinplayError):
                self._service.poll(60)
        self._returned.set()


@contextlib.contextmanager
def shared_service(target: str) -> Iterator[SharedService]:
    """A SharedService, which is closed in the end."""
    service = SharedService(target)
    try:
        yield service
    finally:
        service.close()


_TURN_S = 0.05
_End = tuple[JobState, str | None]


class SharedJobs:
    """A real process that runs the generators of many jobs, several of them in turn; torch is loaded once for all."""

    def __init__(self) -> None:
        self._service = Service("tests.lending:Generators", {})
        while self._service.pending:
            self._service.poll(60)
        self._jobs: list[_SharedJob] = []
        self._lock = threading.RLock()  # a job is seen out in a thread of its own

    def start(self, target: str, kwargs: dict[str, Any]) -> JobLike:
        """What a BackgroundJob's `start_job` is to call."""
        with self._lock:
            self._jobs.append(_SharedJob(self, len(self._jobs)))
            self._service.request("begin", len(self._jobs) - 1, target, kwargs)
            return self._jobs[-1]

    def exchange(self, method: str = "", number: int = 0) -> None:
        """Hand out what was answered, and ask for more."""
        with self._lock:
            for _, (of, records, end) in self._service.poll():
                self._jobs[of].take(records, end)
            if method:
                self._service.request(method, number)

    def close(self) -> None:
        """End the process."""
        self._service.close()


class _SharedJob:
    """A job in a shared process, where no other is disturbed by its end."""

    def __init__(self, shared: SharedJobs, number: int) -> None:
        self.state, self.error = JobState.RUNNING, None
        self._shared, self._number = shared, number
        self._records: list[Any] = []
        self._asked = True

    def take(self, records: list[Any], end: _End | None) -> None:
        self._asked = False
        self._records += records
        if end is not None and self.state is JobState.RUNNING:
            self.state, self.error = end

    def poll(self) -> list[Any]:
        self._shared.exchange()
        if self.state is JobState.RUNNING and not self._asked:
            self._asked = True
            self._shared.exchange("go_on", self._number)
        records, self._records = self._records, []
        return records

    def stop(self) -> None:
        self._asked = True
        self._shared.exchange("end", self._number)

    def kill(self) -> None:
        self.stop()
        assert self.join()

    def join(self, timeout: float | None = None) -> bool:
        deadline = time.monotonic() + (PATIENCE_S if timeout is None else timeout)
        while self.state is JobState.RUNNING and time.monotonic() < deadline:
            time.sleep(0.005)
            self._shared.exchange()
        return self.state is not JobState.RUNNING


class Generators:
    """The generators, in that process."""

    def __init__(self) -> None:
        self._running: dict[int, Any] = {}

    def begin(self, number: int, target: str, kwargs: dict[str, Any]) -> tuple[int, list[Any], _End | None]:
        self._running[number] = resolve(target)(**kwargs)
        return number, [], None

    def go_on(self, number: int) -> tuple[int, list[Any], _End | None]:
        records: list[Any] = []
        deadline = time.monotonic() + _TURN_S
        try:
            while time.monotonic() < deadline:
                records.append(next(self._running[number]))
        except StopIteration:
            return number, records, (JobState.DONE, None)
        except TwinplayError as error:
            return number, records, (JobState.FAILED, str(error))
        return number, records, None

    def end(self, number: int) -> tuple[int, list[Any], _End | None]:
        self._running[number].close()
        return number, [], (JobState.STOPPED, None)


@contextlib.contextmanager
def shared_jobs() -> Iterator[SharedJobs]:
    """SharedJobs, whose process is ended in the end."""
    jobs = SharedJobs()
    try:
        yield jobs
    finally:
        jobs.close()


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A copy, which may be changed, of the folder that `make` fills once for all workers of this run (pytest -n)."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"made-once-{name}"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            part = Path(f"{shared}.part")
            shutil.rmtree(part, ignore_errors=True)  # of a worker in which `make` failed
            part.mkdir()
            make(part)
            part.rename(shared)
    copy = factory.mktemp(name) / "copy"
    shutil.copytree(shared, copy)
    return copy
