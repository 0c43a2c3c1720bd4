"""Whoever plays along with a person in a take: a twin at the same controls, or one in a game of its own (race)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from recorder.agents.agent import KeyAgent
from recorder.agents.shared_control import Control, Handover, PersonAtKeys, SharedControl
from recorder.envs.spec import EnvSpec
from recorder.play.fork import Fork
from recorder.play.rollout import Rollout
from recorder.recording.remote_clone import RemoteClone


@dataclass(frozen=True)
class CorrectionStatus:
    """A twin that a person corrects. `correcting`: the person plays at the moment; `taken_over` so many times, and for
    `corrected` ticks in all. `lost` says why the twin plays no longer; empty while it does.
    """

    twin: str
    correcting: bool
    taken_over: int
    corrected: int
    lost: str


class Companion(Protocol):
    """What a recording tells of its game, and asks. `shared` is who plays, if that is not the person alone."""

    shared: SharedControl | None
    hand_back_ticks: int
    rewindable: bool

    def start(self, spec: EnvSpec, seed: int) -> Fork | None: ...
    def began(self, rollout: Rollout, fork: Fork | None = None) -> None: ...
    def ticked(self, rollout: Rollout) -> None: ...
    def paused(self) -> None: ...
    def poll(self) -> bool: ...
    def status(self) -> Any: ...
    def attributes(self, *, finished: bool) -> dict[str, Any]: ...


class Correction:
    """A person and a clone at the same controls. `tell` is called with who plays now: True for the person."""

    rewindable = True

    def __init__(
        self, clone: RemoteClone, keys: KeyAgent, hand_back_ticks: int, tell: Callable[[bool], None] = lambda _: None
    ) -> None:
        self.shared: SharedControl | None = SharedControl(clone, PersonAtKeys(keys, hand_back_ticks))
        self.hand_back_ticks = hand_back_ticks
        self._control = self.shared
        self._clone, self._tell = clone, tell
        self._taken_over = self._corrected = 0

    def start(self, spec: EnvSpec, seed: int) -> Fork | None:
        """Nothing: a game begins as any other."""
        return None

    def began(self, rollout: Rollout, fork: Fork | None = None) -> None:
        """A game has begun, or goes on from an earlier moment: the clone may think about its first tick."""
        self._clone.see(rollout.observation)

    def ticked(self, rollout: Rollout) -> None:
        """A tick was played: count who played it, tell of a change, and let the clone think about the next."""
        decision = self._control.decision
        assert decision is not None
        self._corrected += decision.correcting
        if decision.handover is not Handover.NONE:
            self._taken_over += decision.correcting
            self._tell(decision.correcting)
        self._clone.see(rollout.observation)

    def paused(self) -> None:
        """The game stands still."""
        self._control.pause()

    def poll(self) -> bool:
        """Take in what the clone's process says; returns whether it was lost."""
        before = self._clone.lost
        self._clone.poll()
        return self._clone.lost != before

    def status(self) -> CorrectionStatus:
        """For the page."""
        decision = self._control.decision
        correcting = self._control.control is Control.CORRECTING or (decision is not None and decision.correcting)
        clone = self._clone
        return CorrectionStatus(clone.twin.title, correcting, self._taken_over, self._corrected, clone.reason)

    def attributes(self, *, finished: bool) -> dict[str, Any]:
        """What the session gets besides; nothing."""
        return {}
