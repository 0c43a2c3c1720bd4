"""A generator, or an object, in a separate process: see `recorder.system.jobs`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from enum import Enum
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from recorder.system.interrupts import Interrupted
from recorder.system.jobs.children import SPAWN, child_process, resolve, starting
from recorder.system.jobs.failures import WorkerError, exit_reason, told
from recorder.system.priority import give_way


class JobState(Enum):
    """RUNNING until the process ends; then DONE, STOPPED (on request) or FAILED (see `error`)."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class JobLike(Protocol):
    """The interface of a Job for its callers, which tests can substitute."""

    state: JobState
    error: str | None

    def poll(self) -> list[Any]: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def join(self, timeout: float | None = None) -> bool: ...


class ServiceLike(Protocol):
    """The interface of a Service for its callers."""

    def request(self, method: str, *args: Any) -> None: ...
    def poll(self) -> list[tuple[str, Any]]: ...
    def close(self) -> None: ...


class Job:
    """Runs the generator function `target(**kwargs)` in a separate process.

    `poll()` returns its records and never blocks. `stop()` closes the generator after its next record, so that it can
    save its work; if the process dies, `error` says so.
    """

    def __init__(self, target: str, kwargs: dict[str, Any]) -> None:
        self.state = JobState.RUNNING
        self.error: str | None = None
        self._end: tuple[JobState, str | None] | None = None  # reported by the process before it exits
        self._stop = SPAWN.Event()
        self._connection, child = SPAWN.Pipe(duplex=False)
        self._process = SPAWN.Process(
            target=_run_generator, args=(child, self._stop, target, kwargs), name=target, daemon=False
        )
        with starting():
            self._process.start()
        child.close()

    def poll(self) -> list[Any]:
        """The records that arrived since the last call. The state changes once the process has ended."""
        records: list[Any] = []
        while self.state is JobState.RUNNING:
            alive = self._process.is_alive()  # checked first, so that a dying process's last records are still read
            if self._end is None and self._connection.poll():
                try:
                    kind, value = self._connection.recv()
                except (EOFError, OSError):
                    self._end = (JobState.FAILED, None)
                    continue
                if kind == "record":
                    records.append(value)
                else:
                    self._end = (JobState(kind), value)
            elif alive:
                break
            else:
                state, error = self._end or (JobState.FAILED, None)
                if state is JobState.FAILED and error is None:
                    error = exit_reason(self._process.exitcode)
                self._finish(state, error)
        return records

    def stop(self) -> None:
        """Ask the generator to end and save its work."""
        self._stop.set()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()
        if self.state is JobState.RUNNING:
            self._finish(JobState.STOPPED, None)

    def join(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds for the process to end; returns whether it did. Unread records may be lost."""
        self.poll()
        self._process.join(timeout)
        self.poll()
        return not self._process.is_alive()

    def _finish(self, state: JobState, error: str | None) -> None:
        self.state, self.error = state, error
        self._process.join()
        self._connection.close()


@child_process
def _run_generator(connection: Connection, stop: Any, target: str, kwargs: dict[str, Any]) -> None:
    give_way()
    try:
        with contextlib.closing(resolve(target)(**kwargs)) as generator:
            for record in generator:
                connection.send(("record", record))
                if stop.is_set():
                    generator.close()
                    connection.send(("stopped", None))
                    return
        connection.send(("done", None))
    except BrokenPipeError:  # the parent has ended
        return
    except Interrupted:
        with contextlib.suppress(OSError):
            connection.send(("stopped", None))
    except BaseException as error:
        connection.send(("failed", told(error)))


class Jobs:
    """Runs the generator function `target(**kwargs)` for each of `calls`: `apart`, each in a process of its own, or one
    after the other in this process, when it is polled.
    """

    def __init__(self, target: str, calls: Sequence[dict[str, Any]], *, apart: bool) -> None:
        self._jobs = [Job(target, kwargs) for kwargs in calls] if apart else []
        self._here = [] if apart else [(number, resolve(target)(**kwargs)) for number, kwargs in enumerate(calls)]

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return bool(self._here) or any(job.state is JobState.RUNNING for job in self._jobs)

    def poll(self, timeout: float = 0.0) -> list[tuple[int, Any]]:
        """The new records, each with the number of its call; waits up to `timeout` seconds for the first.

        Raises what a generator in this process raises, and WorkerError for one in another.
        """
        while self._here:
            number, generator = self._here[0]
            for record in generator:
                return [(number, record)]
            del self._here[0]
        if self.running:
            wait([job._connection for job in self._jobs if job.state is JobState.RUNNING], timeout)
        records = [(number, record) for number, job in enumerate(self._jobs) for record in job.poll()]
        for job in self._jobs:
            if job.state is JobState.FAILED:
                raise WorkerError(job.error or "")
        return records

    def close(self) -> None:
        """End what is still running, at once."""
        for job in self._jobs:
            job.kill()
        for _, generator in self._here:
            generator.close()
        self._here.clear()


class Service:
    """An object `target(**kwargs)` in a separate process, which answers requests in order.

    `poll` and `call` raise failures of the object, its methods and the process as WorkerError.
    """

    def __init__(self, target: str, kwargs: dict[str, Any]) -> None:
        self.pending = 1  # the first answer is for the construction
        self._connection, child = SPAWN.Pipe()
        self._process = SPAWN.Process(target=_serve, args=(child, target, kwargs), name=target, daemon=True)
        with starting():
            self._process.start()
        child.close()

    @property
    def process(self) -> int:
        """The number of the process."""
        return self._process.pid or 0

    def request(self, method: str, *args: Any) -> None:
        """Request `method(*args)`; `poll` returns the answer."""
        try:
            self._connection.send((method, args))
        except (BrokenPipeError, OSError) as error:
            self._process.join(5)
            raise WorkerError(exit_reason(self._process.exitcode)) from error
        self.pending += 1

    def poll(self, timeout: float = 0.0) -> list[tuple[str, Any]]:
        """The (method, result) pairs that arrived; waits up to `timeout` seconds for the first."""
        answers: list[tuple[str, Any]] = []
        if not self.pending and not self._process.is_alive():
            raise WorkerError(exit_reason(self._process.exitcode))
        while self.pending and self._connection.poll(0.0 if answers else timeout):
            try:
                method, result, failed = self._connection.recv()
            except (EOFError, OSError) as error:
                self.pending = 0
                self._process.join(5)
                raise WorkerError(exit_reason(self._process.exitcode)) from error
            self.pending -= 1
            if failed:
                raise WorkerError(str(result))
            if method:
                answers.append((method, result))
        return answers

    @staticmethod
    def wait(services: Sequence[Service], timeout: float) -> None:
        """Wait up to `timeout` seconds until one of the services has answered, or has ended."""
        wait([service._connection for service in services], timeout)

    def call(self, method: str, *args: Any, timeout: float = 60.0) -> Any:
        """Request and wait, up to `timeout` seconds; answers to earlier requests are dropped."""
        self.request(method, *args)
        deadline = time.monotonic() + timeout
        result: Any = None
        while self.pending:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise WorkerError(f"no answer to {method} within {timeout:g} s")
            for answer in self.poll(remaining):
                result = answer[1]
        return result

    def close(self, patience_s: float = 5.0) -> None:
        """Let the object close itself and its process end, within `patience_s` seconds."""
        self._connection.close()
        self._process.join(patience_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


@child_process
def _serve(connection: Connection, target: str, kwargs: dict[str, Any]) -> None:
    try:
        served = resolve(target)(**kwargs)
    except Interrupted:
        return
    except BaseException as error:
        with contextlib.suppress(BrokenPipeError):
            connection.send(("", told(error), True))
        return
    with contextlib.suppress(BrokenPipeError):  # it may be closed before it starts; then the loop ends at once
        connection.send(("", None, False))
    with contextlib.suppress(Interrupted, EOFError, OSError):
        while True:
            method, args = connection.recv()
            connection.send((method, *_answer(getattr(served, method), args)))
    close = getattr(served, "close", None)
    if close is not None:
        close()


def _answer(method: Callable[..., Any], args: Sequence[Any]) -> tuple[Any, bool]:
    """The result, and whether it is the sentence of an error."""
    try:
        return method(*args), False
    except Interrupted:
        raise
    except BaseException as error:
        return told(error), True
