"""Threads of this process: see `recorder.system.jobs`."""

from __future__ import annotations

import contextlib
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from recorder.system.jobs.failures import told


def start_thread(function: Callable[[], None], name: str) -> threading.Thread:
    """Start a daemon thread; the caller joins it."""
    thread = threading.Thread(target=function, name=name, daemon=True)
    thread.start()
    return thread


def new_lock() -> contextlib.AbstractContextManager[Any]:
    """A re-entrant lock."""
    return threading.RLock()


def on_thread_failure(tell: Callable[[BaseException], None]) -> None:
    """Call `tell` with an uncaught error that ends a thread, in that thread."""
    threading.excepthook = lambda failure: tell(failure.exc_value) if failure.exc_value is not None else None


def main_thread_stack() -> str:
    """The stack of the main thread as text, to measure what blocks it."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    return "".join(traceback.format_stack(frame)) if frame is not None else ""


class Task:
    """Runs `function()` in a separate thread, for work that waits for a disk.

    Once `poll()` has returned True, `result` is available, or `error` has a sentence.
    """

    def __init__(self, function: Callable[[], Any], name: str) -> None:
        self.result: Any = None
        self.error = ""
        self._function = function
        self._thread = start_thread(self._run, name)

    def poll(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end, up to `timeout` seconds."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self.result = self._function()
        except Exception as error:
            self.error = told(error)
