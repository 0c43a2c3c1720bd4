"""Changes to a library, made in a thread, in the order in which they were requested."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from recorder.system.jobs import Task

_PATIENCE_S = 10.0


class ChangeQueue:
    """Makes one change at a time. `done` is called with the message and the task of each finished change."""

    def __init__(self, done: Callable[[str, Task], None]) -> None:
        self._done = done
        self._waiting: deque[tuple[str, Callable[[], Any]]] = deque()
        self._current: tuple[str, Task] | None = None

    @property
    def busy(self) -> bool:
        """Whether any change is unfinished."""
        return self._current is not None or bool(self._waiting)

    def add(self, message: str, change: Callable[[], Any]) -> None:
        """Make a change after all earlier ones."""
        self._waiting.append((message, change))
        self.poll()

    def poll(self) -> bool:
        """Start the next change if the current one is finished; returns whether one was finished."""
        over = False
        if self._current is not None and self._current[1].poll():
            (message, task), self._current, over = self._current, None, True
            self._done(message, task)
        if self._current is None and self._waiting:
            message, change = self._waiting.popleft()
            self._current = (message, Task(change, "change-library"))
        return over

    def join(self) -> None:
        """Wait until all changes are made."""
        while self._current is not None:
            self._current[1].join(_PATIENCE_S)
            self.poll()
