"""A clone that plays along in the window, and thinks in a process of its own.

    window                                             its process
    see(observation), after a tick ──row, think(row)──▶ acts on each, in order
    propose(), in the next tick    ◀──────action──────────┘

Nothing here waits for that process: the newest action that has come is proposed, with the age of what it is for.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recorder.agents.shared_control import NO_PROPOSAL
from recorder.envs.spec import EnvSpec
from recorder.errors import TwinplayError
from recorder.system.jobs import Service, SharedRows, start_thread
from recorder.system.logfile import LOG

if TYPE_CHECKING:
    from recorder.envs.gymnasium import Env

_BACKLOG = 32  # observations that may wait; a clone that is further behind goes on without them


@dataclass(frozen=True)
class Twin:
    """A clone that can be chosen: what it is called, and its file."""

    title: str
    path: Path


class RemoteClone:
    """A Proposer; see the module's docstring. `worker` names the class of the object in its process.

    `ready` once it can play. `lost` once its process has died, or did not answer for a long time; `reason` says which.
    """

    def __init__(self, twin: Twin, worker: str, spec: EnvSpec) -> None:
        self.twin = twin
        self.ready = self.lost = False
        self.reason = ""
        self._nothing = 0 if spec.discrete else np.zeros(spec.action_shape, np.float32)
        shared = SharedRows(_BACKLOG, spec.observation_shape, spec.observation_dtype)
        self._rows = shared.rows
        arguments = {"policy": str(twin.path), "observations": shared, "seed": time.time_ns() & 0x7FFFFFFF}
        self._service = Service(worker, arguments)
        self._service.request("describe")
        self._description: dict[str, Any] = {"kind": "policy", "name": twin.path.stem, "params": {}}
        self._begins = True  # the next observation is the first that the clone is to know of
        self._seen: Any = None
        self._sent = 0  # observations that it was given
        self._tick = self._answered = 0  # the number of observations, until now and when it answered last
        self._asked: deque[tuple[int, int]] = deque()  # game and number of those that it has not answered yet
        self._game = 0
        self._latest: tuple[Any, int] | None = None  # an action, and the number of the observation that it is for

    @property
    def process(self) -> int:
        """The number of its process."""
        return self._service.process

    def poll(self) -> bool:
        """Take in what it has answered; returns whether it has just become ready, or is lost."""
        before = self.ready, self.lost
        if not self.lost:
            try:
                for method, result in self._service.poll():
                    if method == "describe":
                        self._description, self.ready = result, True
                    else:
                        self._take_in(result)
            except TwinplayError as error:
                self._lose(str(error))
        return before != (self.ready, self.lost)

    def reset(self, env: Env | None = None) -> None:
        """See Proposer."""
        self._game += 1
        self._begins = True
        self._seen = self._latest = None
        self._answered = self._tick

    def see(self, observation: Any) -> None:
        """The clone may think about the coming tick from now on."""
        if observation is self._seen or self.lost:
            return
        self._seen = observation
        self._tick += 1
        self.poll()
        if self.lost or len(self._asked) == _BACKLOG:
            self._begins = True
            return
        row, self._sent = self._sent % _BACKLOG, self._sent + 1
        self._rows[row] = observation
        try:
            self._service.request("think", row, self._begins)
        except TwinplayError as error:
            self._lose(str(error))
        self._asked.append((self._game, self._tick))
        self._begins = False

    def propose(self, observation: Any) -> tuple[Any, int]:
        """See Proposer."""
        self.see(observation)
        self.poll()
        if not self.lost and self._tick - self._answered >= NO_PROPOSAL:
            self._lose(f"it did not answer for {NO_PROPOSAL} frames")
        if self.lost or self._latest is None:
            return self._nothing, NO_PROPOSAL
        action, tick = self._latest
        return action, min(self._tick - tick, NO_PROPOSAL - 1)

    def describe(self) -> dict[str, Any]:
        """See Proposer."""
        return self._description | {"title": self.twin.title}

    def close(self) -> None:
        """End its process, without waiting for that."""
        start_thread(self._service.close, "retire-clone")

    def _take_in(self, action: Any) -> None:
        game, tick = self._asked.popleft()
        self._answered = self._tick
        if game == self._game:
            self._latest = action, tick

    def _lose(self, reason: str) -> None:
        self.lost, self.reason = True, reason
        LOG.warning("%s stopped: %s", self.twin.path, reason)
