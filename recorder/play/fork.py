"""A moment of an earlier game from which a new one goes on.

    earlier game   reset(seed) ─ action ─ action ─ … ─▶ tick t
    forked game    reset(seed) ─ the same actions ────▶ the very same state ─▶ its own play
                   └────────── lead-in ──────────┘

The lead-in is played again, not restored: a recording of the forked game can then be simulated from its own file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recorder.envs.backend import Array
from recorder.envs.game import Game, start_actions
from recorder.envs.spec import EnvSpec
from recorder.errors import SessionError, UsageError


@dataclass(frozen=True)
class Fork:
    """`actions` lead from the reset with `seed` to the moment, at least one.

    `origin` says whose game that was (the fields of `recorder.store.origin.ForkedFrom`). `moment` is what must be found
    there, by the names of `Game.storage`; empty if nothing is known of it.
    """

    spec: EnvSpec
    seed: int
    actions: Array
    origin: Mapping[str, Any]
    moment: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.actions):
            raise UsageError("a game can be continued from its first tick on, not from before it; play a game instead")

    @property
    def source(self) -> str:
        """Whose game it was, and where, for messages."""
        whose = self.origin.get("session") or f"the game of {self.origin.get('policy', 'a player')}"
        return f"{whose}, tick {self.origin.get('tick', len(self.actions))} of the game"

    def check(self, game: Game, observation: Array) -> None:
        """Compare the moment that the lead-in came to with the recorded one. Raises SessionError if they differ."""
        live = {name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in game.storage().items()}
        game.capture(observation, live, 0)
        if any(live[name][0].tobytes() != moment.tobytes() for name, moment in self.moment.items()):
            raise SessionError(
                f"{self.source}: the simulation leads to another moment than the recorded one, so this game cannot be "
                "played on; `twinplay verify` says where they differ"
            )


def fork_of_play(
    spec: EnvSpec, seed: int, actions: Sequence[Any] | Array, tick: int, policy: str, *, varied: bool
) -> Fork:
    """The fork after the first `tick` actions of a policy's game; `varied` says how that was reset. Raises UsageError.

    The moves of a varied start belong to the lead-in: a recording begins with a plain reset.
    """
    before = start_actions(spec, seed) if varied else []
    led = np.array([*before, *actions[:tick]], spec.action_dtype).reshape(-1, *spec.action_shape)
    return Fork(spec, seed, led, {"policy": policy, "seed": seed, "tick": tick})
