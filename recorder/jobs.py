"""The one place that starts threads and processes.

    Job       a generator in a process of its own; its records arrive by poll()       training, filming
    Service   an object in a process of its own; requests go in, results come back    the clone while one watches
    Task      a function in a thread of its own; its result is there once poll() says so       reading a library
    run_parallel   a function over many arguments on all cores                        evaluation
    Detached  a function in a process that outlives this one; it tells what it does in files   training

Targets are named "package.module:name", so that the parent never imports what only the child needs (torch, above all).
Processes are spawned, never forked: a fork of a process with threads or a GPU context is undefined. All but
Detached end with their parent, however that ends, and leave it to say what a signal to the whole process group means.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from enum import Enum
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_any
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Protocol

from recorder.cores import available_cores
from recorder.errors import TwinplayError
from recorder.interrupts import SIGNALS, Interrupted, exit_status, interrupt
from recorder.priority import give_way

_spawn = multiprocessing.get_context("spawn")
_GRACE_S = 0.7  # for a process that is asked to end, to put away what it has; whoever waits for it should not notice


class JobState(Enum):
    """RUNNING until the process ends; then DONE, STOPPED (asked to) or FAILED (see `error`)."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class WorkerError(TwinplayError):
    """A process of ours failed or vanished."""


def start_thread(function: Callable[[], None], name: str) -> threading.Thread:
    """Start a daemon thread; whoever starts it joins it."""
    thread = threading.Thread(target=function, name=name, daemon=True)
    thread.start()
    return thread


def new_lock() -> contextlib.AbstractContextManager[Any]:
    """What one thread at a time can be in, and again in what it does there."""
    return threading.RLock()


def on_thread_failure(tell: Callable[[BaseException], None]) -> None:
    """Call `tell`, in the thread concerned, with whatever a thread ends of that nobody caught."""
    threading.excepthook = lambda failure: tell(failure.exc_value) if failure.exc_value is not None else None


def main_thread_stack() -> str:
    """Where the main thread is, as text; for whoever measures what holds it up."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    return "".join(traceback.format_stack(frame)) if frame is not None else ""


class Task:
    """Runs `function()` in a thread of its own, for what waits on a disk.

    Once `poll()` has returned True there is `result`, or a sentence in `error`.
    """

    def __init__(self, function: Callable[[], Any], name: str) -> None:
        self.result: Any = None
        self.error = ""
        self._function = function
        self._thread = start_thread(self._run, name)

    def poll(self) -> bool:
        """Whether it is over."""
        return not self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end, up to `timeout` seconds."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self.result = self._function()
        except Exception as error:
            if not isinstance(error, TwinplayError):
                traceback.print_exc(file=sys.stderr)
            self.error = _sentence(error)


def resolve(target: str) -> Callable[..., Any]:
    """The object that "package.module:name" names."""
    module, _, name = target.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _sentence(error: BaseException) -> str:
    return str(error) if isinstance(error, TwinplayError) else f"{type(error).__name__}: {error}"


def _begin_child() -> None:
    """SIGTERM raises Interrupted, once, and so does the parent's end. Other signals are for the parent to act upon."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        interrupt(number)

    def follow() -> None:
        wait_for_any([parent.sentinel])
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
            time.sleep(_GRACE_S)
        os._exit(1)

    for number in SIGNALS:
        signal.signal(number, end if number == signal.SIGTERM else signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        except Interrupted as early:  # there is nothing to put away yet
            raise SystemExit(exit_status(early.number)) from None
    start_thread(follow, "follow-parent")


def _exit_reason(code: int | None) -> str:
    reason = f"exit status {code}" if code is None or code >= 0 else f"signal {-code}"
    return f"the process ended unexpectedly ({reason})"


def _run_generator(connection: Connection, stop: Any, target: str, kwargs: dict[str, Any]) -> None:
    _begin_child()
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
    except BrokenPipeError:  # the parent has gone; nobody is left to tell
        return
    except Interrupted:
        with contextlib.suppress(OSError):
            connection.send(("stopped", None))
    except BaseException as error:
        if not isinstance(error, TwinplayError):
            traceback.print_exc(file=sys.stderr)
        connection.send(("failed", _sentence(error)))


@contextlib.contextmanager
def _starting() -> Iterator[None]:
    """Processes started in here begin with signals held back, until `_begin_child` says what they mean.

    They do not import the main module again, which would run a plain script a second time: multiprocessing does that
    for functions defined there, and ours are found by the name of their module.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    before: set[Any] | None = None
    try:
        with _held_back():
            if hasattr(signal, "pthread_sigmask"):
                resource_tracker.ensure_running()  # starting it later would let signals through again
                before = set(signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS))
            yield
    finally:
        sys.modules["__main__"] = main
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Signals act once this is left: a process that is being started is to be told all that it needs.

    Blocking them is not enough, since another thread may receive them for this one.
    """
    seen: list[tuple[int, FrameType | None]] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {n: handler for n in SIGNALS if callable(handler := signal.getsignal(n))}
    for number in handlers:
        signal.signal(number, lambda number, frame: seen.append((number, frame)))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in seen[:1]:
            handlers[signal.Signals(number)](number, frame)


class JobLike(Protocol):
    """What those who wait for a Job need of it; a test's stand-in has as much."""

    state: JobState
    error: str | None

    def poll(self) -> list[Any]: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def join(self, timeout: float | None = None) -> bool: ...


class ServiceLike(Protocol):
    """What those who ask a Service need of it."""

    def request(self, method: str, *args: Any) -> None: ...
    def poll(self) -> list[tuple[str, Any]]: ...
    def close(self) -> None: ...


class Job:
    """Runs the generator function `target(**kwargs)` in a process of its own.

    Its records are collected with `poll()`, which never blocks. `stop()` closes the generator after its next
    record, so that it can keep what it has; a process that dies is reported in `error`.
    """

    def __init__(self, target: str, kwargs: dict[str, Any]) -> None:
        self.state = JobState.RUNNING
        self.error: str | None = None
        self._end: tuple[JobState, str | None] | None = None  # what the process said of its end, while it still exits
        self._stop = _spawn.Event()
        self._connection, child = _spawn.Pipe(duplex=False)
        self._process = _spawn.Process(
            target=_run_generator, args=(child, self._stop, target, kwargs), name=target, daemon=False
        )
        with _starting():
            self._process.start()
        child.close()

    def poll(self) -> list[Any]:
        """The records that arrived since the last call. The state changes once the process has ended."""
        records: list[Any] = []
        while self.state is JobState.RUNNING:
            alive = self._process.is_alive()  # asked first: what a dying process sent is still read below
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
                    error = _exit_reason(self._process.exitcode)
                self._finish(state, error)
        return records

    def stop(self) -> None:
        """Ask the generator to end and to keep what it has."""
        self._stop.set()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()
        if self.state is JobState.RUNNING:
            self._finish(JobState.STOPPED, None)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the process to end, in seconds; returns whether it did. Unread records may be lost."""
        self.poll()
        self._process.join(timeout)
        self.poll()
        return not self._process.is_alive()

    def _finish(self, state: JobState, error: str | None) -> None:
        self.state, self.error = state, error
        self._process.join()
        self._connection.close()


def _serve(connection: Connection, target: str, kwargs: dict[str, Any]) -> None:
    _begin_child()
    try:
        served = resolve(target)(**kwargs)
    except Interrupted:
        return
    except BaseException as error:
        if not isinstance(error, TwinplayError):
            traceback.print_exc(file=sys.stderr)
        with contextlib.suppress(BrokenPipeError):
            connection.send(("", _sentence(error), True))
        return
    with contextlib.suppress(BrokenPipeError):  # it may be closed before it has begun; then the loop ends at once
        connection.send(("", None, False))
    with contextlib.suppress(Interrupted, EOFError, OSError):
        while True:
            method, args = connection.recv()
            connection.send((method, *_answer(getattr(served, method), args)))
    close = getattr(served, "close", None)
    if close is not None:
        close()


def _answer(method: Callable[..., Any], args: Sequence[Any]) -> tuple[Any, bool]:
    """The result, and whether it is the sentence of a failure."""
    try:
        return method(*args), False
    except Interrupted:
        raise
    except BaseException as error:
        if not isinstance(error, TwinplayError):
            traceback.print_exc(file=sys.stderr)
        return _sentence(error), True


class Service:
    """An object `target(**kwargs)` that lives in a process of its own and answers requests in order.

    Failures of the object, of its methods and of the process are raised by `poll` and `call` as WorkerError.
    """

    def __init__(self, target: str, kwargs: dict[str, Any]) -> None:
        self.pending = 1  # the construction itself is answered first
        self._connection, child = _spawn.Pipe()
        self._process = _spawn.Process(target=_serve, args=(child, target, kwargs), name=target, daemon=True)
        with _starting():
            self._process.start()
        child.close()

    def request(self, method: str, *args: Any) -> None:
        """Ask for `method(*args)`; the answer comes through `poll`."""
        try:
            self._connection.send((method, args))
        except (BrokenPipeError, OSError) as error:
            self._process.join(5)
            raise WorkerError(_exit_reason(self._process.exitcode)) from error
        self.pending += 1

    def poll(self, timeout: float = 0.0) -> list[tuple[str, Any]]:
        """The (method, result) pairs that arrived; waits up to `timeout` seconds for the first."""
        answers: list[tuple[str, Any]] = []
        while self.pending and self._connection.poll(0.0 if answers else timeout):
            try:
                method, result, failed = self._connection.recv()
            except (EOFError, OSError) as error:
                self.pending = 0
                self._process.join(5)
                raise WorkerError(_exit_reason(self._process.exitcode)) from error
            self.pending -= 1
            if failed:
                raise WorkerError(str(result))
            if method:
                answers.append((method, result))
        return answers

    def call(self, method: str, *args: Any, timeout: float = 60.0) -> Any:
        """Ask and wait, up to `timeout` seconds; answers to earlier requests are passed over."""
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


# What a detached process runs: like a spawned one, it finds modules where its parent found them.
_DETACHED = (
    "import json, sys; job = json.loads(sys.argv[1]); sys.path[:] = job['path']; "
    "from recorder.jobs import run_detached; run_detached(job)"
)


class Detached:
    """Runs `target(**kwargs)`, of JSON values, in a process that goes on when this one ends, in a session of its own.

    What it prints goes to the file `log`, which is begun anew. Nothing else connects the two; `poll` only sees its end.
    """

    def __init__(self, target: str, kwargs: dict[str, Any], log: Path) -> None:
        job = {"path": [entry or os.getcwd() for entry in sys.path], "target": target, "kwargs": kwargs}
        flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _DETACHED, json.dumps(job)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                creationflags=flags,
            )

    @property
    def error(self) -> str | None:
        """Why the process ended, None while it runs and when it ended well."""
        code = self._process.poll()
        if code is None or code == 0:
            return None
        killed = ", often for want of memory" if code == -9 else ""
        return _exit_reason(code) + killed

    def poll(self) -> bool:
        """Whether it is still running."""
        return self._process.poll() is None

    def join(self, timeout: float | None = None) -> bool:
        """Wait for its end, in seconds; returns whether it came."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def leave(self) -> None:
        """Let it run on without us."""
        if self.poll():
            self._process.returncode = 0  # else Python warns that it is still running


def run_detached(job: dict[str, Any]) -> None:
    """What a detached process does."""
    give_way(session=True)
    resolve(job["target"])(**job["kwargs"])


def _work(connection: Connection) -> None:
    _begin_child()
    with connection, contextlib.suppress(Interrupted, EOFError, OSError):
        while True:
            connection.send(_outcome(*connection.recv()))


def _outcome(target: str, arguments: dict[str, Any]) -> tuple[Any, Exception | None]:
    try:
        return resolve(target)(**arguments), None
    except Exception as error:
        if not isinstance(error, TwinplayError):
            error.add_note(f"In a process of its own:\n{traceback.format_exc()}")
        return None, error


def _start_workers(count: int) -> dict[Connection, BaseProcess]:
    """Processes that wait for calls, by the connection to each."""
    workers: dict[Connection, BaseProcess] = {}
    with _starting():
        for _ in range(count):
            connection, child = _spawn.Pipe()
            # Not daemons, which may have no processes of their own: a study's cells score their clones in some.
            workers[connection] = _spawn.Process(target=_work, args=(child,), name="worker", daemon=False)
            workers[connection].start()
            child.close()
    return workers


def _dismiss(workers: Mapping[Connection, BaseProcess]) -> None:
    """End these processes, once they have put away what they have, or after _GRACE_S.

    A process closes its connection when it has; its interpreter would take as long again to leave.
    """
    for process in workers.values():
        process.terminate()
    deadline = time.monotonic() + _GRACE_S
    working = set(workers)
    while working and (ended := wait_for_any(list(working), max(0.0, deadline - time.monotonic()))):
        for connection in ended:
            assert isinstance(connection, Connection)
            try:
                connection.recv()  # a result that came too late
            except (EOFError, OSError):
                working.discard(connection)
    for connection, process in workers.items():
        process.kill()
        process.join()
        connection.close()


def run_parallel(
    target: str, argument_list: Sequence[dict[str, Any]], processes: int | None = None
) -> Generator[tuple[int, Any], None, None]:
    """Call `target(**arguments)` for each entry, on all cores; yields (index, result) as each finishes.

    Raises what a call raised, and WorkerError when a process vanished. Closing the iterator, a failure or a signal ends
    the processes, in the middle of their calls, within a second.
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
                index = busy.pop(answered)
                result, error = answered.recv()
                if error is not None:
                    raise error
                give(answered)
                yield index, result
    except (EOFError, ConnectionError) as error:
        raise WorkerError("a worker process ended unexpectedly (out of memory, or killed)") from error
    finally:
        _dismiss(workers)
