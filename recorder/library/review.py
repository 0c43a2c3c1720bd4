"""Finds what may spoil a training in one session, from its actions, scores and times alone.

    the session ─▶ holds of each action ─┬─▶ idle stretches, stuck keys      compared with the player's own habits
                                         ├─▶ games without play, near-duplicates of earlier games
                   table of games ───────┼─▶ games far from the others, games cut short
                   clock ────────────────┴─▶ clusters of late ticks
    others of the player ─▶ habits, lengths, scores, earlier games, copies by merging and splitting

The others are the latest sessions of the same player in the same environment and library. Nothing is changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from recorder.errors import TwinplayError
from recorder.library.copies import without_copies
from recorder.library.findings import Finding
from recorder.library.library import Library
from recorder.library.lineage import Origin, origins_of
from recorder.library.names import session_name
from recorder.library.session_summary import SessionSummary
from recorder.library.unusual_games import (
    CUT_SHORT,
    EarlierGame,
    Shingles,
    copies,
    cut_short,
    near_duplicates,
    unlike,
    without_play,
)
from recorder.library.unusual_ticks import Holds, holds_of, idle, late, stuck
from recorder.store.session import Session

MOST_OTHERS = 10  # sessions, each some hundredths of a second; the latest say enough about habits


def review(session: Session, library: Sequence[SessionSummary] | None = None) -> tuple[Finding, ...]:
    """All findings of a session, in the order of its ticks. Raises SessionError for one that cannot be read.

    `library` are the sessions to compare it with; by default those beside it, and none at a URL.
    """
    if not len(session):
        return ()
    same_game = _of_same_game(session, _beside(session) if library is None else library)
    holds = holds_of(session)
    lengths: list[int] = []
    scores: list[float] = []
    habits: list[Holds] = []
    earlier: list[EarlierGame] = []
    mine = {digest for digest, _, _ in origins_of(session)}
    for row in _of_same_player(session, same_game):
        if mine & {digest for digest, _, _ in row.origins}:
            continue  # the same play is neither a habit nor a duplicate
        with contextlib.suppress(TwinplayError):  # a damaged one is told where it is listed
            other = Session.open(row.place)
            habits.append(found := holds_of(other))
            whole = [game for game in other.recorded_games if game.outcome not in CUT_SHORT]
            lengths += [game.ticks for game in whole]
            scores += [game.score for game in whole]
            if _order(row.created, row.name) < _order(session.created, session.name):
                name = session_name(row)
                games = other.recorded_games
                earlier += [EarlierGame(f"game {game.number} of {name}", Shingles.of(found, game)) for game in games]
    silent = list(without_play(session, holds))
    findings = [
        *silent,
        *idle(session, holds, habits),
        *stuck(session, holds, habits),
        *late(session),
        *unlike(session, lengths, scores),
        *cut_short(session, lengths),
        *near_duplicates(session, holds, earlier),
        *copies(session, list(_held(session, same_game))),
    ]
    unplayed = {finding.game for finding in silent}
    kept = [each for each in findings if each in silent or each.game not in unplayed]
    return tuple(sorted(kept, key=lambda each: (each.start, -each.stop)))


def _beside(session: Session) -> list[SessionSummary]:
    if not isinstance(session.place, Path):
        return []
    with contextlib.suppress(TwinplayError):
        return Library(session.place.parent).sessions()
    return []


def _of_same_game(session: Session, library: Sequence[SessionSummary]) -> list[SessionSummary]:
    """The other sessions of its environment."""
    there = [row for row in library if row.state in ("complete", "interrupted") and row.name != session.name]
    return [row for row in there if row.env == session.spec.name]


def _of_same_player(session: Session, others: Sequence[SessionSummary]) -> list[SessionSummary]:
    """The latest sessions of its player; play that lies in several of them once."""
    found = without_copies([row for row in others if _who(row.player) == _who(session.player)])
    return sorted(found, key=lambda row: _order(row.created, row.name), reverse=True)[:MOST_OTHERS]


def _who(player: dict[str, Any]) -> tuple[Any, ...]:
    return player.get("kind"), player.get("name"), player.get("params")


def _order(created: str, name: str) -> tuple[str, str]:
    """Of two sessions, the one with the lower order came first."""
    return created, name


def _held(session: Session, others: Sequence[SessionSummary]) -> Iterator[tuple[SessionSummary, range]]:
    """The stretches of a session that lie in another, which comes first, too, each with that one.

    An original comes before what was made of it, and otherwise the earlier one.
    """
    origins, made = origins_of(session), bool(session.attributes.get("made_of"))
    for row in others:
        earlier = _order(row.created, row.name) < _order(session.created, session.name)
        first = made if made != bool(row.made_of) else earlier
        if first:
            yield from ((row, part) for part in _shared(origins, row.origins))


def _shared(origins: Sequence[Origin], theirs: Sequence[Origin]) -> list[range]:
    """The ticks of a session with `origins` that come from the same play as `theirs`; those that touch are joined."""
    found: list[range] = []
    at = 0
    for digest, start, stop in origins:
        for other, first, last in theirs:
            low, high = max(start, first), min(stop, last)
            if other == digest and low < high:
                part = range(at + low - start, at + high - start)
                if found and found[-1].stop == part.start:
                    found[-1] = range(found[-1].start, part.stop)
                else:
                    found.append(part)
        at += stop - start
    return found
