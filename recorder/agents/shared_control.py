"""A clone and its supervisor at the same controls: the clone plays until the supervisor takes over, and later again.

                    a game key is pressed
    AUTONOMOUS ───────────────────────────────▶ CORRECTING       a scripted supervisor instead takes over when the
      │  ▲  ◀───────────────────────────────────  │  ▲           clone is about to fail, and hands back once it is safe
      ▼  │       nothing held for a while         ▼  │
     PAUSED                                      PAUSED          play goes on with whoever was in control

The supervisor is a person at the keys, or a scripted player. For every tick it is stored what both would have
done (recorder.store.corrections), so that a training can learn from the corrections alone (Kelly et al. 2019,
"HG-DAgger: Interactive imitation learning with human experts").
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from recorder.agents.agent import Agent, KeyAgent, describe, tell

if TYPE_CHECKING:
    from recorder.envs.gymnasium import Env

NO_PROPOSAL = 255  # in place of the age if there is no proposal


class Control(Enum):
    """Who plays; see the drawing in the module's docstring."""

    AUTONOMOUS = "autonomous"
    PAUSED = "paused"
    CORRECTING = "correcting"


class Event(Enum):
    """What changes who plays."""

    TAKE_OVER = "take over"
    HAND_BACK = "hand back"
    PAUSE = "pause"


TRANSITIONS: Mapping[tuple[Control, Event], Control] = MappingProxyType(
    {
        (Control.AUTONOMOUS, Event.TAKE_OVER): Control.CORRECTING,
        (Control.CORRECTING, Event.HAND_BACK): Control.AUTONOMOUS,
        (Control.AUTONOMOUS, Event.PAUSE): Control.PAUSED,
        (Control.CORRECTING, Event.PAUSE): Control.PAUSED,
    }
)


class Handover(IntEnum):
    """Why control changed at a tick. A session stores the number; HANDOVERS are the names."""

    NONE = 0
    KEY = 1
    LET_GO = 2
    DANGER = 3
    SAFE = 4
    LOST = 5


HANDOVERS = ("", "a key was pressed", "nothing was held", "the clone was about to fail", "safe", "the clone was lost")


class Decision(NamedTuple):
    """Who decided a tick, and why.

    `proposal` is what the clone would have done, from an observation `age` ticks ago; NO_PROPOSAL: it proposed nothing
    yet, and `proposal` is the action of doing nothing. `correcting`: the supervisor was in control. `handover` says why
    control changed at this tick, if it did.
    """

    action: Any
    proposal: Any
    age: int
    correcting: bool
    handover: Handover


def undecided(action: Any) -> Decision:
    """A tick that neither of the two decided, because another played it."""
    return Decision(action, action, NO_PROPOSAL, False, Handover.NONE)


class Proposer(Protocol):
    """A clone that says what it would do."""

    lost: bool  # it will never answer again

    def reset(self, env: Env | None) -> None:
        """A game begins, or goes on from an earlier moment."""

    def watch(self, observation: Any) -> None:
        """A moment before play goes on, which another played: it has a past."""

    def played(self, action: Any) -> None:
        """What was played in this tick: the proposal, or what another decided."""

    def propose(self, observation: Any) -> tuple[Any, int]:
        """The clone's latest action, and how many ticks old the observation is that it answers."""

    def describe(self) -> dict[str, Any]:
        """The clone as sessions store it."""


class Supervisor(Protocol):
    """Whoever takes over from the clone; `taking` and `giving` say why."""

    taking: Handover
    giving: Handover

    def reset(self, env: Env | None) -> None:
        """A game begins, or goes on from an earlier moment."""

    def intervenes(self, observation: Any, proposal: Any, correcting: bool) -> bool:
        """Whether the supervisor decides this tick; `correcting`: it decided the one before. Called once per tick."""

    def act(self, observation: Any) -> Any:
        """The supervisor's action. Called once per tick, after `intervenes`."""

    def describe(self) -> dict[str, Any]:
        """The supervisor as sessions store it."""


class SharedControl:
    """See the module's docstring. An Agent; `decision` is that of the last tick."""

    kind = "mixed"

    def __init__(self, clone: Proposer, supervisor: Supervisor) -> None:
        self.clone, self.supervisor = clone, supervisor
        self.control = Control.AUTONOMOUS
        self.decision: Decision | None = None
        self._before_pause = Control.AUTONOMOUS

    def reset(self, env: Env | None = None) -> None:
        """See Agent. Whoever is in control stays so."""
        self.clone.reset(env)
        self.supervisor.reset(env)

    def watch(self, observation: Any) -> None:
        """See `recorder.play.rollout.Watcher`."""
        self.clone.watch(observation)
        self.supervisor.act(observation)

    def act(self, observation: Any) -> Any:
        """See Agent."""
        self.resume()
        proposal, age = self.clone.propose(observation)
        correcting = self.control is Control.CORRECTING
        lost = self.clone.lost
        wanted = self.supervisor.intervenes(observation, proposal, correcting)
        action = self.supervisor.act(observation)
        handover = Handover.NONE
        if (wanted or lost) and not correcting:
            handover = self.supervisor.taking if wanted else Handover.LOST
            self._change(Event.TAKE_OVER)
        elif correcting and not wanted and not lost:
            handover = self.supervisor.giving
            self._change(Event.HAND_BACK)
        correcting = self.control is Control.CORRECTING
        self.decision = Decision(action if correcting else proposal, proposal, age, correcting, handover)
        return self.decision.action

    def played(self, action: Any) -> None:
        """See `recorder.agents.agent.Informed`."""
        self.clone.played(action)

    def pause(self) -> None:
        """The game stands still."""
        if self.control is not Control.PAUSED:
            self._before_pause = self.control
            self._change(Event.PAUSE)

    def resume(self) -> None:
        """The game goes on, with whoever was in control before."""
        if self.control is Control.PAUSED:
            self.control = self._before_pause

    def describe(self) -> dict[str, Any]:
        """See `recorder.agents.agent.describe`."""
        supervisor, clone = self.supervisor.describe(), self.clone.describe()
        return {"kind": self.kind, "name": supervisor.get("name", ""), "params": {"players": [supervisor, clone]}}

    def _change(self, event: Event) -> None:
        self.control = TRANSITIONS[self.control, event]


class PlayingClone:
    """A Proposer in this process: any Agent, which answers at once."""

    lost = False

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def reset(self, env: Env | None) -> None:
        """See Proposer."""
        self._agent.reset(env)

    def watch(self, observation: Any) -> None:
        """See Proposer."""
        self._agent.act(observation)

    def played(self, action: Any) -> None:
        """See Proposer."""
        tell(self._agent, action)

    def propose(self, observation: Any) -> tuple[Any, int]:
        """See Proposer."""
        return self._agent.act(observation), 0

    def describe(self) -> dict[str, Any]:
        """See Proposer."""
        return describe(self._agent)


class PersonAtKeys:
    """A Supervisor: any game key takes over at once; control is handed back after `hand_back_ticks` without one."""

    taking, giving = Handover.KEY, Handover.LET_GO

    def __init__(self, keys: KeyAgent, hand_back_ticks: int) -> None:
        self.hand_back_ticks = hand_back_ticks
        self._keys = keys
        self._idle = 0

    def reset(self, env: Env | None) -> None:
        """See Supervisor."""
        self._keys.reset(env)
        self._idle = 0

    def intervenes(self, observation: Any, proposal: Any, correcting: bool) -> bool:
        """See Supervisor."""
        self._idle = 0 if self._keys.pressing else self._idle + 1
        return self._keys.pressing or (correcting and self._idle < self.hand_back_ticks)

    def act(self, observation: Any) -> Any:
        """See Supervisor."""
        return self._keys.act(observation)

    def describe(self) -> dict[str, Any]:
        """See Supervisor."""
        return self._keys.describe()
