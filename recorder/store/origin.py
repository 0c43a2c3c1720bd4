"""Where the lead-in of a forked game comes from: the attribute `forked_from`, an entry for each lead-in in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from recorder.store.episode_table import RecordedGame
from recorder.system.records import RecordError, read, said
from recorder.system.texts import clock

FORKS = "forked_from"


class ForkedFrom(msgspec.Struct, frozen=True, omit_defaults=True):
    """The moment of an earlier game: one of a recording, or one that a policy played unrecorded."""

    tick: Annotated[int, said("ticks of that game before the moment, without the moves of a varied start")]
    session: Annotated[str, said("name of the recording", absent="it was not recorded")] = ""
    digest: Annotated[str, said("its digest at the time")] = ""
    game: Annotated[int, said("number of the game in the recording, from 1")] = 0
    policy: Annotated[str, said("name of the policy that played it, if it was not recorded")] = ""
    seed: Annotated[int, said("seed of the policy's game")] = 0

    def told(self, rate_hz: float) -> str:
        """The moment in words, in a game of so many ticks a second."""
        whose = f"{self.session}, game {self.game}" if self.session else f"a game of {self.policy or 'a policy'}"
        return f"{clock(self.tick / rate_hz)} of {whose}"


def origins_of_forks(attributes: Mapping[str, Any], games: Sequence[RecordedGame]) -> dict[int, ForkedFrom]:
    """The origins of the forked games, by their numbers; those that cannot be read are left out."""
    stored = attributes.get(FORKS)
    forked = [game.number for game in games if game.forked]
    found = {}
    for number, entry in zip(forked, stored if isinstance(stored, list) else (), strict=False):
        try:
            found[number] = read(ForkedFrom, entry)
        except RecordError:
            continue
    return found


def from_the_start(attributes: Mapping[str, Any], games: Sequence[RecordedGame]) -> list[RecordedGame]:
    """The games that were played from a start on, also from a varied one, not from a later moment of another game."""
    origins = origins_of_forks(attributes, games)
    starts = {number for number, origin in origins.items() if origin.policy and not origin.tick}
    return [game for game in games if not game.forked or game.number in starts]
