"""A twin that races a person in the Record window: what runs in its own process (recorder.recording.race)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from player.coach.loading import load_beside_play
from recorder.agents.agent import describe
from recorder.envs.game import Game
from recorder.play.fork import Fork
from recorder.play.rollout import Phase, Rollout
from recorder.recording.race import RivalMoment
from recorder.system.jobs import SharedRows

_MOST_TICKS = 12  # between two pictures, for a twin that is behind


class RacingClone:
    """Plays in a game of its own, and draws it into `pictures`. Raises PolicyError for a file that cannot play."""

    def __init__(self, policy: str, pictures: SharedRows, seed: int) -> None:
        self._policy = load_beside_play(policy, seed)
        self._game = Game(self._policy.spec, render=not self._policy.spec.sees_screen)
        self._rollout = Rollout(self._game, self._policy, unattended=False)
        self._pictures = pictures.rows
        self._number = 0
        self.begin(0, 0, (), 0)
        self.play(1, 0)  # the first time takes long

    def describe(self) -> dict[str, Any]:
        """See `recorder.agents.agent.describe`."""
        return describe(self._policy)

    def begin(self, number: int, seed: int, lead_in: Sequence[Any], row: int) -> RivalMoment:
        """Start game `number` from a seed, after the actions of a lead-in, and draw it into a row."""
        self._number = number
        fork = Fork(self._policy.spec, seed, np.asarray(lead_in), {}) if len(lead_in) else None
        self._rollout.begin(seed, fork=fork)
        return self._show(row)

    def play(self, goal: int, row: int) -> RivalMoment:
        """Play up to tick `goal`, or some ticks on the way there, and draw once."""
        rollout = self._rollout
        for _ in range(min(_MOST_TICKS, goal - rollout.ticks)):
            if rollout.phase is Phase.OVER:
                break
            rollout.tick()
        return self._show(row)

    def finish(self, goal: int, row: int) -> RivalMoment:
        """Play up to tick `goal`, before another game begins."""
        rollout = self._rollout
        while rollout.phase is Phase.PLAYING and rollout.ticks < goal:
            rollout.tick()
        return self._show(row)

    def close(self) -> None:
        """Release the game."""
        self._game.close()

    def _show(self, row: int) -> RivalMoment:
        rollout = self._rollout
        self._pictures[row] = self._game.picture()
        over = rollout.phase is Phase.OVER
        return RivalMoment(self._number, rollout.ticks, rollout.score, rollout.lives, over, row)
