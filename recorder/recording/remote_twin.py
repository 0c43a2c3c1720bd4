"""A twin that plays along with a person, in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.errors import TwinplayError
from recorder.system.jobs import Service, start_thread
from recorder.system.logfile import LOG


@dataclass(frozen=True)
class Twin:
    """A clone that can be chosen: what it is called, its file, and when it was trained, which no new name changes."""

    title: str
    path: Path
    created: str = ""


class RemoteTwin:
    """`ready` once it can play. `lost` once its process has died or hangs; `reason` says which.

    `worker` names the class of the object in its process, which must have a method `describe`. Subclasses take in the
    answers of its other methods. Nothing here waits for the process.
    """

    def __init__(self, twin: Twin, worker: str, arguments: Mapping[str, Any]) -> None:
        self.twin = twin
        self.ready = self.lost = False
        self.reason = ""
        self._description: dict[str, Any] = {"kind": "policy", "name": twin.path.stem, "params": {}}
        self._service = Service(worker, {"policy": str(twin.path), **arguments})
        self._service.request("describe")

    @property
    def process(self) -> int:
        """The number of its process."""
        return self._service.process

    def poll(self, timeout: float = 0.0) -> bool:
        """Take in what it has answered; returns whether there was anything new, or it is lost."""
        if self.lost:
            return False
        try:
            answers = self._service.poll(timeout)
            for method, result in answers:
                if method == "describe":
                    self._description, self.ready = result, True
                else:
                    self._take_in(result)
        except TwinplayError as error:
            self._lose(str(error))
            return True
        return bool(answers)

    def describe(self) -> dict[str, Any]:
        """The clone as sessions store it."""
        return self._description | {"title": self.twin.title}

    def close(self) -> Any:
        """End its process, in the thread that is returned."""
        return start_thread(self._service.close, "retire-twin")

    def _take_in(self, result: Any) -> None:
        raise NotImplementedError

    def _request(self, method: str, *args: Any) -> None:
        try:
            self._service.request(method, *args)
        except TwinplayError as error:
            self._lose(str(error))

    def _lose(self, reason: str) -> None:
        self.lost, self.reason = True, reason
        LOG.warning("%s stopped: %s", self.twin.path, reason)
