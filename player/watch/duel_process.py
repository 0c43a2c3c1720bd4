"""The Watch page's connection to the process that runs a duel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from player.watch.frames import DuelFrame
from recorder.system.jobs import ServiceLike, start_thread


class DuelProcess:
    """Starts the process with the first request. Only the answer to the latest request counts; earlier ones are
    ignored.
    """

    def __init__(self, start_service: Callable[[], ServiceLike]) -> None:
        self.awaiting = False  # the answer that counts has not come yet
        self._start_service = start_service
        self._service: ServiceLike | None = None
        self._stale = 0
        self._retired: list[Any] = []  # threads of recorder.system.jobs in which a worker is being closed

    @property
    def running(self) -> bool:
        """Whether the process is running."""
        return self._service is not None

    def start(self) -> None:
        """Start the process, unless it is running."""
        if self._service is None:
            self._service = self._start_service()
            self._stale = 0

    def ask(self, method: str, *args: Any) -> None:
        """Send a new request to the running process. Raises TwinplayError if it has died."""
        assert self._service is not None
        if self.awaiting:
            self._stale += 1
        self.awaiting = True
        self._service.request(method, *args)

    def answers(self) -> Iterator[DuelFrame]:
        """The new answers that count. Raises TwinplayError if the process failed."""
        if self._service is None:
            return
        for _, result in self._service.poll():
            if self._stale:
                self._stale -= 1
                continue
            self.awaiting = False
            yield result

    def retire(self) -> None:
        """End the process without waiting for it: it may be in the middle of a long answer."""
        if self._service is not None:
            self._retired = [thread for thread in self._retired if thread.is_alive()]
            self._retired.append(start_thread(self._service.close, "retire-watch-worker"))
        self._service, self.awaiting, self._stale = None, False, 0

    def close(self) -> None:
        """End the process, and wait until it and those before it have ended."""
        self.retire()
        for thread in self._retired:
            thread.join(10)
        self._retired.clear()
