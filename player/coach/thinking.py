"""A clone that plays along in the Record window: what runs in its own process (recorder.recording.remote_clone)."""

from __future__ import annotations

import os
from typing import Any

from recorder.agents.agent import describe
from recorder.system.jobs import SharedRows
from recorder.system.priority import follow_play


class ThinkingClone:
    """Acts on `observations` that the window shares. Raises PolicyError for a file that cannot play.

    It has one thread, which gives way to the window's: the network sees one screen at a time.
    """

    def __init__(self, policy: str, observations: SharedRows, seed: int) -> None:
        follow_play()
        os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is first imported
        from trainer.policy.policy import Policy

        self._policy = Policy.load(policy, seed=seed)
        self._rows = observations.rows
        self.think(0, True)  # the first time takes long

    def describe(self) -> dict[str, Any]:
        """See `recorder.agents.agent.describe`."""
        return describe(self._policy)

    def think(self, row: int, begins: bool) -> Any:
        """The action for the observation in a row; `begins`: the clone has seen nothing of this game before it."""
        if begins:
            self._policy.reset()
        return self._policy.act(self._rows[row].copy())
