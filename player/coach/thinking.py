"""A clone that plays along in the Record window: what runs in its own process (recorder.recording.remote_clone)."""

from __future__ import annotations

from typing import Any

from player.coach.loading import load_beside_play
from recorder.agents.agent import describe
from recorder.system.jobs import SharedRows


class ThinkingClone:
    """Acts on `observations` that the window shares. Raises PolicyError for a file that cannot play."""

    def __init__(self, policy: str, observations: SharedRows, seed: int) -> None:
        self._policy = load_beside_play(policy, seed)
        self._rows = observations.rows
        self.think(0, True)  # the first time takes long

    def describe(self) -> dict[str, Any]:
        """See `recorder.agents.agent.describe`."""
        return describe(self._policy)

    def think(self, row: int, begins: bool, played: Any = None) -> Any:
        """The action for the observation in a row; `begins`: the clone has seen nothing of this game before it.

        `played` is the action of the tick before, if there is one: perhaps another's.
        """
        if begins:
            self._policy.reset()
        elif played is not None:
            self._policy.played(played)
        return self._policy.act(self._rows[row].copy())
