"""What every process that ends with this one has in common: how it begins, what ends it, how it tells of its end."""

from __future__ import annotations

import contextlib
import functools
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import wait as wait_for_any
from types import FrameType, ModuleType
from typing import Any, ParamSpec

from recorder.system.interrupts import SIGNALS, Interrupted, exit_status, interrupt, leave_quickly
from recorder.system.jobs.threads import start_thread

P = ParamSpec("P")
SPAWN = multiprocessing.get_context("spawn")
GRACE_S = 0.7  # for a process that is asked to end, to put away what it has; whoever waits for it should not notice


def resolve(target: str) -> Callable[..., Any]:
    """The object that "package.module:name" names."""
    module, _, name = target.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def child_process(work: Callable[P, None]) -> Callable[P, None]:
    """Decorate what a process of its own runs.

    SIGTERM raises Interrupted in it, once, and so does the parent's end. Other signals are for the parent to act upon.
    What does not catch Interrupted, such as the moment before the work begins, ends the process without a word.
    """

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            _begin()
            work(*args, **kwargs)
        except Interrupted as early:
            raise SystemExit(exit_status(early.number)) from None

    return run


def _begin() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    leave_quickly()

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        interrupt(number)

    def follow() -> None:
        wait_for_any([parent.sentinel])
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
            time.sleep(GRACE_S)
        os._exit(1)

    for number in SIGNALS:
        signal.signal(number, end if number == signal.SIGTERM else signal.SIG_IGN)
    start_thread(follow, "follow-parent")
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Processes started in here begin with signals held back, until `child_process` says what they mean.

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
