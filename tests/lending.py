"""What several tests share: a process of the app's, and files that are made once for all workers of a run."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from recorder.errors import TwinplayError
from recorder.system.jobs import Service, ServiceLike


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
        assert self._returned.wait(60)
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
