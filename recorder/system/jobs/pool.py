"""A function over many arguments, in several processes: see `recorder.system.jobs`."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_any
from multiprocessing.process import BaseProcess
from typing import Any

from recorder.errors import TwinplayError
from recorder.system.cores import available_cores
from recorder.system.interrupts import Interrupted
from recorder.system.jobs.children import GRACE_S, SPAWN, child_process, resolve, starting
from recorder.system.jobs.failures import WorkerError


@child_process
def _work(connection: Connection) -> None:
    with connection, contextlib.suppress(Interrupted, EOFError, OSError):
        while True:
            target, arguments = connection.recv()
            try:
                called = resolve(target)(**arguments)
                for result in called if isinstance(called, Generator) else (called,):
                    connection.send(_Answer(result))
                connection.send(_Answer(over=True))
            except Exception as error:
                if not isinstance(error, TwinplayError):
                    error.add_note(f"In a worker process:\n{traceback.format_exc()}")
                connection.send(_Answer(error=error, over=True))


@dataclass(frozen=True)
class _Answer:
    """A result of a call, or that it is `over`."""

    result: Any = None
    error: Exception | None = None
    over: bool = False


def _start_workers(count: int) -> dict[Connection, BaseProcess]:
    """Start processes that wait for calls; returns them by their connection."""
    workers: dict[Connection, BaseProcess] = {}
    with starting():
        for _ in range(count):
            connection, child = SPAWN.Pipe()
            # Not daemons, which may not have child processes: a study's cells evaluate their clones in some.
            workers[connection] = SPAWN.Process(target=_work, args=(child,), name="worker", daemon=False)
            workers[connection].start()
            child.close()
    return workers


def _dismiss(workers: Mapping[Connection, BaseProcess]) -> None:
    """End these processes once they have saved their work, or after GRACE_S.

    A process closes its connection when it is done; the exit of its interpreter would take as long again.
    """
    for process in workers.values():
        process.terminate()
    deadline = time.monotonic() + GRACE_S
    working = set(workers)
    while working and (ended := wait_for_any(list(working), max(0.0, deadline - time.monotonic()))):
        for connection in ended:
            assert isinstance(connection, Connection)
            try:
                connection.recv()  # a late result
            except (EOFError, OSError):
                working.discard(connection)
    for connection, process in workers.items():
        process.kill()
        process.join()
        connection.close()


def run_parallel(
    target: str, argument_list: Sequence[dict[str, Any]], processes: int | None = None
) -> Generator[tuple[int, Any], None, None]:
    """Call `target(**arguments)` for each entry, on all cores; yields (index, result) as each finishes, and all that
    a generator yields as it comes.

    Raises the error of a call, and WorkerError if a process disappeared. Closing the iterator, a failure or a signal
    ends the processes within a second, also in the middle of a call.
    """
    waiting = deque(enumerate(argument_list))
    workers: dict[Connection, BaseProcess] = {}
    busy: dict[Connection, int] = {}

    def give(connection: Connection) -> None:
        if waiting:
            busy[connection], arguments = waiting.popleft()
            connection.send((target, arguments))

    try:
        workers = _start_workers(min(processes or available_cores(), len(argument_list)))
        for connection in workers:
            give(connection)
        while busy:
            for answered in wait_for_any(list(busy)):
                assert isinstance(answered, Connection)
                answer = answered.recv()
                if answer.error is not None:
                    raise answer.error
                if answer.over:
                    del busy[answered]
                    give(answered)
                else:
                    yield busy[answered], answer.result
    except (EOFError, ConnectionError) as error:
        raise WorkerError("a worker process ended unexpectedly (out of memory, or killed)") from error
    finally:
        _dismiss(workers)
