"""Shared by all processes that end with this one: how they start, what ends them, and how they report their end."""

from __future__ import annotations

import contextlib
import functools
import gc
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
GRACE_S = 0.7  # for a process to save its work when asked to end; too short to notice


def resolve(target: str) -> Callable[..., Any]:
    """The object that "package.module:name" names."""
    module, _, name = target.partition(":")
    collecting = gc.isenabled()
    gc.disable()  # imports leave no garbage, and looking for it is a tenth of the time that torch takes
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    finally:
        if collecting:
            gc.enable()
    return found


def child_process(work: Callable[P, None]) -> Callable[P, None]:
    """Decorator for the main function of a child process.

    SIGTERM raises Interrupted in it, once, and so does the end of the parent. Other signals are left to the parent. If
    Interrupted is not caught, for example before the work begins, the process ends without a message.
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
    """Processes started in this context begin with signals blocked, until `child_process` sets their handlers.

    They do not import the main module again, which would run a plain script a second time. Multiprocessing does that
    for functions defined there; ours are found by the name of their module.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    before: set[Any] | None = None
    try:
        with _held_back():
            if hasattr(signal, "pthread_sigmask"):
                resource_tracker.ensure_running()  # starting it later would unblock signals
                before = set(signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS))
            yield
    finally:
        sys.modules["__main__"] = main
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Delay signals until this context ends, so that a process being started receives all its data.

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
