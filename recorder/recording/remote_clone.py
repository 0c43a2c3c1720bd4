"""A clone that plays along in the window, and thinks in a process of its own.

    window                                             its process
    see(observation), after a tick ──row, think(row)──▶ acts on each, in order
    propose(), in the next tick    ◀──────action──────────┘

Nothing here waits for that process: the newest action that has come is proposed, with the age of what it is for.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from recorder.agents.shared_control import NO_PROPOSAL
from recorder.envs.spec import EnvSpec
from recorder.recording.remote_twin import RemoteTwin, Twin
from recorder.system.jobs import SharedRows

if TYPE_CHECKING:
    from recorder.envs.gymnasium import Env

_BACKLOG = 32  # observations that may wait; a clone that is further behind goes on without them

_PATIENCE_S = 5.0  # for a moment that is only watched


class RemoteClone(RemoteTwin):
    """A Proposer; see the module's docstring."""

    def __init__(self, twin: Twin, worker: str, spec: EnvSpec) -> None:
        shared = SharedRows(_BACKLOG, spec.observation_shape, spec.observation_dtype)
        super().__init__(twin, worker, {"observations": shared, "seed": time.time_ns() & 0x7FFFFFFF})
        self._nothing = 0 if spec.discrete else np.zeros(spec.action_shape, np.float32)
        self._rows = shared.rows
        self._begins = True  # the next observation is the first that the clone is to know of
        self._seen: Any = None
        self._played: Any = None  # in the tick before the next observation
        self._sent = 0  # observations that it was given
        self._tick = self._answered = 0  # the number of observations, until now and when it answered last
        self._asked: deque[tuple[int, int]] = deque()  # game and number of those that it has not answered yet
        self._game = 0
        self._latest: tuple[Any, int] | None = None  # an action, and the number of the observation that it is for

    def reset(self, env: Env | None = None) -> None:
        """See Proposer."""
        self._game += 1
        self._begins = True
        self._seen = self._played = self._latest = None
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
        self._asked.append((self._game, self._tick))
        self._request("think", row, self._begins, self._played)
        self._begins = False

    def played(self, action: Any) -> None:
        """See Proposer. The clone learns of it with the next observation."""
        self._played = action

    def watch(self, observation: Any) -> None:
        """See Proposer. It waits until the clone keeps up, so that it misses nothing and is ready for what follows."""
        deadline = time.monotonic() + _PATIENCE_S
        while len(self._asked) > 1 and not self.lost:
            if (left := deadline - time.monotonic()) <= 0:
                self._lose(f"it did not answer for {_PATIENCE_S:g} seconds")
            self.poll(max(0.0, left))
        self.see(observation)

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

    def _take_in(self, result: Any) -> None:
        game, tick = self._asked.popleft()
        self._answered = self._tick
        if game == self._game:
            self._latest = result, tick
