"""What a session stores of a race against a twin: who it was, and how both played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from recorder.system.profile import clean_name
from recorder.system.records import RecordError, plain, read, said

RACE = "race"
_Score = Annotated[float, Meta(ge=-1e300, le=1e300)]  # so a finite one


class RacedGame(msgspec.Struct, frozen=True):
    """One game of a race, when the person's was over."""

    score: Annotated[_Score, said("the person's score")]
    twin_score: Annotated[_Score | None, said("the twin's score after as many ticks; null if it had stopped")] = None
    twin_over: Annotated[bool, said("whether the twin's game was over by then")] = False

    @property
    def sentence(self) -> str:
        """The result, told to the person."""
        if self.twin_score is None:
            return f"You {_points(self.score)}; your twin had stopped"
        twin = f"You {_points(self.score)}, your twin {_points(self.twin_score)}"
        return twin if self.twin_over else f"{twin} and still playing"


class RaceRecord(msgspec.Struct, frozen=True):
    """A race against a twin."""

    twin: Annotated[str, said("what the twin was called")] = ""
    policy: Annotated[str, said("the name of its file")] = ""
    games: Annotated[tuple[RacedGame, ...], said("the games, in order; none of a recording that broke off")] = ()

    @property
    def sentence(self) -> str:
        """Against whom, and the scores of the first games."""
        told = [
            f"{_points(game.score)} to {'?' if game.twin_score is None else _points(game.twin_score)}"
            for game in self.games[:3]
        ]
        more = ", …" if len(self.games) > len(told) else ""
        scores = f": {', '.join(told)}{more}" if told else ""
        return f"Race against {clean_name(self.twin[:200]) or 'a twin'}{scores}"


def race_attribute(twin: str, policy: str, games: Sequence[RacedGame]) -> dict[str, Any]:
    """The attribute `race` of a session."""
    values: dict[str, Any] = plain(RaceRecord(twin, policy, tuple(games)))
    return values


def read_race(attributes: Mapping[str, Any]) -> RaceRecord | None:
    """The race of a session; None if it is none, or what is told of it makes no sense."""
    if RACE not in attributes:
        return None
    try:
        return read(RaceRecord, attributes[RACE])
    except RecordError:
        return None


def _points(score: float) -> str:
    return f"{score:,.0f}"
