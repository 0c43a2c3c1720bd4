"""How one player turns its network's outputs into actions: its chance, its hand, and its last actions."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.envs.spec import EnvSpec
from trainer.policy.action_selection import ActionSelection
from trainer.policy.hand import IDLE, Grip, near_aim, seen_here
from trainer.policy.keypoints import KeypointNet
from trainer.policy.loops import LoopBreaker
from trainer.policy.networks import Net
from trainer.policy.steering import STRAIGHT

_SIDESTEP_S = 1 / 30  # for which an action is held at most to go beside an aim


class ActionChooser:
    """For one player. `probabilities` are those of the last action; `done` the last `remembered` actions, the oldest
    first.
    """

    def __init__(self, net: Net, spec: EnvSpec, selection: ActionSelection, remembered: int, seed: int) -> None:
        self._net, self._spec, self._selection = net, spec, selection
        self._rng = np.random.default_rng(seed)
        self._remembered = remembered
        self.reset()

    def reset(self) -> None:
        """Begin a new episode."""
        self.probabilities: npt.NDArray[np.float32] | None = None
        self.done: deque[Any] = deque([IDLE] * self._remembered, self._remembered)
        self._grip, self._loop_breaker = self._new_grip(), self._new_loop_breaker()

    def played(self, action: Any) -> None:
        """In place of the last action that it chose, this one was played."""
        if self.done:
            self.done[-1] = action
        if self._grip is not None:
            self._grip.played(int(action))

    @property
    def held(self) -> tuple[int, int] | None:
        """The action that is held, and for how many ticks, if it moves its hands as its demonstrator does."""
        return None if self._grip is None else self._grip.held

    def beside(self, positions: npt.NDArray[np.float32]) -> int:
        """The plan by which it goes beside its aim in this tick (trainer.policy.loops), from what it sees now (n,)."""
        return STRAIGHT if self._loop_breaker is None else self._loop_breaker.plan(positions, self._rng)

    def by_hand(
        self,
        habit: npt.NDArray[np.float32],
        output: npt.NDArray[np.float32],
        distances: npt.NDArray[np.float32],
    ) -> int:
        """The action of a clone that moves its hands as its demonstrator does.

        `habit` are the hand's logits, `output` those of the selected output, and `distances` say how far each action
        leads from its aim, if it has one: all (actions,).
        """
        selection, grip = self._selection, self._grip
        assert selection.pull is not None
        assert grip is not None
        pull = selection.pull
        reasons = near_aim(distances, pull.tolerance) if selection.aim else seen_here(output, selection.prior)
        likely = grip.probabilities(habit, reasons, selection.kept)
        self.probabilities = likely.astype(np.float32)
        return grip.take(likely, self._rng)

    def draw(self, likely: npt.NDArray[np.float32]) -> int:
        """An action drawn with these probabilities (actions,)."""
        self.probabilities = likely
        drawn = int(np.searchsorted(np.cumsum(likely), self._rng.random()))
        return min(drawn, len(likely) - 1)

    def _new_grip(self) -> Grip | None:
        if self._selection.pull is None or not isinstance(self._net, KeypointNet):
            return None
        return Grip(self._selection.pull, np.asarray(self._net.hand.follows.cpu().numpy(), bool))

    def _new_loop_breaker(self) -> LoopBreaker | None:
        net, rate_hz = self._net, self._spec.rate_hz
        if not self._selection.leaves_loops or not isinstance(net, KeypointNet) or net.steering is None:
            return None
        sidesteps = net.steering.sidesteps(max(1, round(_SIDESTEP_S * rate_hz)))
        return LoopBreaker(sidesteps, np.asarray(net.own.cpu().numpy(), bool), rate_hz)
