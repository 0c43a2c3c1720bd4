"""Scripted supervisors: they take over from a clone when it is about to fail, as a person beside it would.

    supervisor("breakout")   the prompt player, once the paddle can no longer wait where it is
    supervisor("hopper")     the expert, once the clone's torques differ much from its own

They make the gain of corrections measurable (`twinplay coach`). The second rule is that of Zhang and Cho (2017,
"Query-efficient imitation learning for end-to-end simulated driving", SafeDAgger).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from recorder.agents.agent import Agent
from recorder.agents.experts.ball import velocity
from recorder.agents.experts.breakout import BreakoutPlayer
from recorder.agents.experts.breakout_ball import CENTRED, PADDLE_Y, BreakoutBallPlayer, reflected
from recorder.agents.experts.hopper import HopperExpert
from recorder.agents.shared_control import Handover, Supervisor
from recorder.envs.registry import get_spec
from recorder.errors import AgentError

if TYPE_CHECKING:
    from recorder.envs.gymnasium import Env


class ScriptedSupervisor(Supervisor, Protocol):
    """A Supervisor; `player` is the scripted player whose actions are its own."""

    player: Agent


class BreakoutSupervisor(BreakoutBallPlayer):
    """Takes over when the ball comes down and the paddle is nearly too far from where it will land, or when nobody
    serves; hands back once the ball flies up.

    `reach` is how far the paddle moves in a tick, in pixels, `margin` how many ticks earlier it takes over, and
    `half_width` how far from its centre the paddle meets the ball. `patience` is how many ticks it waits for a serve.
    """

    name = "breakout-supervisor"
    taking, giving = Handover.DANGER, Handover.SAFE

    def __init__(
        self, seed: int = 0, *, reach: float = 3.0, margin: int = 8, half_width: float = 6.0, patience: int = 120
    ) -> None:
        self.reach, self.margin, self.half_width, self.patience = reach, margin, half_width, patience
        self.player: Agent = BreakoutPlayer(seed)
        super().__init__(seed, (0, 0))

    def reset(self, env: Env | None = None) -> None:
        """See Supervisor. Raises AgentError without an Atari environment."""
        super().reset(env)
        self.player.reset(env)

    def intervenes(self, observation: Any, proposal: Any, correcting: bool) -> bool:
        """See Supervisor."""
        self._correcting = correcting
        return bool(super().act(observation))

    def act(self, observation: Any = None) -> int:
        """What the prompt player would do."""
        return int(self.player.act(observation))

    def _begin(self) -> None:
        super()._begin()
        self._waited = 0
        self._correcting = False

    def _follow(self, paddle: int) -> int:
        """1 if it wants to play, else 0."""
        path = self._path(0)
        x, y = path[-1]
        if y == 0:
            self._waited += 1
            return int(self._waited > self.patience)
        self._waited = 0
        velocity_x, velocity_y = velocity(path)
        if velocity_y <= 0 or self._correcting:
            return int(velocity_y > 0)
        left = max(0.0, (PADDLE_Y - y) / velocity_y)
        away = abs(reflected(x + velocity_x * left) + CENTRED - paddle) - self.half_width
        return int(away > 0 and left - self.margin <= away / self.reach)

    def _params(self) -> dict[str, Any]:
        return {"reach": self.reach, "margin": self.margin, "half_width": self.half_width, "patience": self.patience}


class HopperSupervisor:
    """Takes over when a torque of the clone differs by more than `far` from the expert's, and hands back once none
    does for `calm` ticks.
    """

    name = "hopper-supervisor"
    taking, giving = Handover.DANGER, Handover.SAFE

    def __init__(self, seed: int = 0, *, far: float = 0.5, calm: int = 10) -> None:
        self.far, self.calm = far, calm
        self.player: Agent = HopperExpert()
        self._near = 0

    def reset(self, env: Env | None = None) -> None:
        """See Supervisor."""
        self._near = self.calm

    def intervenes(self, observation: Any, proposal: Any, correcting: bool) -> bool:
        """See Supervisor."""
        differs = float(np.abs(np.asarray(proposal) - self.player.act(observation)).max()) > self.far
        self._near = 0 if differs else self._near + 1
        return differs or (correcting and self._near < self.calm)

    def act(self, observation: Any) -> Any:
        """The expert's torques."""
        return self.player.act(observation)

    def describe(self) -> dict[str, Any]:
        """The supervisor as sessions store it."""
        return {"kind": "scripted", "name": self.name, "params": {"far": self.far, "calm": self.calm}}


_SUPERVISORS: Mapping[str, Callable[[int], ScriptedSupervisor]] = MappingProxyType(
    {"breakout": BreakoutSupervisor, "hopper": HopperSupervisor}
)


def supervisor(env_name: str, seed: int = 0) -> ScriptedSupervisor:
    """The scripted supervisor of an environment. Raises UnknownEnvError, and AgentError where there is none."""
    name = get_spec(env_name).name
    if name not in _SUPERVISORS:
        raise AgentError(f"{name} has no scripted supervisor; there are those of {', '.join(_SUPERVISORS)}")
    return _SUPERVISORS[name](seed)
