"""What a session stores of a race against a twin: who it was, and how both played.

The games of a session may be a series, "best of three": it is over once one of both has won two. The higher score when
the person's game is over wins; nobody wins a draw, which is played again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from recorder.system.profile import clean_name
from recorder.system.records import RecordError, plain, read, said

RACE = "race"
_MOST_GAMES = 99  # of a series
_Score = Annotated[float, Meta(ge=-1e300, le=1e300)]  # so a finite one


class RacedGame(msgspec.Struct, frozen=True):
    """One game of a race, when the person's was over or stopped."""

    score: Annotated[_Score, said("the person's score")]
    twin_score: Annotated[_Score | None, said("the twin's score after as many ticks; null if it had stopped")] = None
    twin_over: Annotated[bool, said("whether the twin's game was over by then")] = False
    over: Annotated[
        bool, said("whether the person's game was over; one that was stopped counts for nobody", absent="it counts")
    ] = True

    @property
    def winner(self) -> int:
        """1 for the person, -1 for the twin, 0 for nobody."""
        if self.twin_score is None or not self.over:
            return 0
        return (self.score > self.twin_score) - (self.score < self.twin_score)

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
    best_of: Annotated[
        int,
        said(
            "the games are a series, which ends once somebody has won more than half of so many; 0: they are none",
            ge=0,
            le=_MOST_GAMES,
            absent="no series",
        ),
    ] = 0
    created: Annotated[
        str, said("when the policy was trained, by which a renamed one is found", absent="found by its file's name")
    ] = ""

    @property
    def won(self) -> tuple[int, int]:
        """How many games the person has won, and how many the twin."""
        winners = [game.winner for game in self.games]
        return winners.count(1), winners.count(-1)

    def was_against(self, policy: str, created: str) -> bool:
        """Whether the twin was the one whose file has this name, or, if both are known, that was trained then."""
        return created == self.created if created and self.created else policy == self.policy

    @property
    def decided(self) -> bool:
        """Whether somebody has won the series."""
        return bool(self.best_of) and max(self.won) > self.best_of // 2

    @property
    def standing(self) -> str:
        """How the series stands, told to the person; empty for single games."""
        you, twin = self.won
        if self.decided:
            return f"{'You win' if you > twin else 'Your twin wins'} the series, {max(you, twin)} to {min(you, twin)}"
        return f"You {you}, your twin {twin}, of {_in_words(self.best_of)}" if self.best_of else ""

    @property
    def sentence(self) -> str:
        """Against whom, and the scores of the first games."""
        told = [
            f"{_points(game.score)} to {'?' if game.twin_score is None else _points(game.twin_score)}"
            for game in self.games[:3]
        ]
        more = ", …" if len(self.games) > len(told) else ""
        scores = f": {', '.join(told)}{more}" if told else ""
        return f"Race against {clean_name(self.twin[:200]) or 'a twin'}{self._outcome}{scores}"

    @property
    def _outcome(self) -> str:
        if not self.best_of:
            return ""
        you, twin = self.won
        how = ("won " if you > twin else "lost ") if self.decided else ""
        return f", best of {_in_words(self.best_of)}, {how}{you} to {twin}{'' if self.decided else ', not finished'}"


def race_attribute(record: RaceRecord) -> dict[str, Any]:
    """The attribute `race` of a session."""
    values: dict[str, Any] = plain(record)
    return values


def read_race(attributes: Mapping[str, Any]) -> RaceRecord | None:
    """The race of a session; None if it is none, or what is told of it makes no sense."""
    if RACE not in attributes:
        return None
    try:
        return read(RaceRecord, attributes[RACE])
    except RecordError:
        return None


def _in_words(number: int) -> str:
    return {3: "three"}.get(number, str(number))


def _points(score: float) -> str:
    return f"{score:,.0f}"
