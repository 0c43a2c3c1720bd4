"""Practice points of a recording: moments that are worth playing again, each some seconds before something happened.

    a lost life, or the end of a game by its own rules    a span excluded from training
    a game labelled a failure                             what a rewind took back

Where a policy would have acted differently, trainer.evaluation.weak_spots adds points.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from recorder.errors import UsageError
from recorder.library.forks import fork_of
from recorder.play.fork import Fork
from recorder.store.episode_table import RecordedGame
from recorder.store.session import Session

BEFORE_S = 3.0
_APART_S = 1.0  # points closer together are one


@dataclass(frozen=True, order=True)
class PracticePoint:
    """Play goes on from tick `start` of the game of this number. At `tick` something happened; `why` says what."""

    game: int
    start: int
    tick: int
    why: str


def practice_points(
    session: Session, *, before_s: float = BEFORE_S, more: Iterable[PracticePoint] = ()
) -> list[PracticePoint]:
    """The practice points of a session and `more` of them, in order. Raises SessionError."""
    found = list(more)
    for game in session.recorded_games:
        happened = [*_losses(session, game), *_marked(session, game)]
        found += [point_before(game, tick, why, before_s, session.spec.rate_hz) for tick, why in happened]
    return thinned(found, session.spec.rate_hz)


def point_before(game: RecordedGame, tick: int, why: str, before_s: float, rate_hz: float) -> PracticePoint:
    """The point that begins so many seconds before tick `tick` of a game, but not before its first tick."""
    return PracticePoint(game.number, max(1, tick - round(before_s * rate_hz)), tick, why)


def thinned(points: Iterable[PracticePoint], rate_hz: float) -> list[PracticePoint]:
    """The points in order, without those that begin less than a second after the one before."""
    kept: list[PracticePoint] = []
    for point in sorted(points):
        if not kept or point.game != kept[-1].game or point.start - kept[-1].start >= _APART_S * rate_hz:
            kept.append(point)
    return kept


def forks_of(session: Session, points: Iterable[PracticePoint]) -> list[Fork]:
    """The forks at these points, in their order. Raises UsageError if there are none, and what `fork_of` raises."""
    forks = [fork_of(session, session.game(point.game), point.start) for point in points]
    if not forks:
        raise UsageError(f"{session.place} has no practice points: no lost life, and nothing marked or excluded")
    return forks


def _losses(session: Session, game: RecordedGame) -> list[tuple[int, str]]:
    """The ticks after which a life was lost; where there are no lives, the end of a game that ended by itself."""
    if session.spec.lives:
        lives = session.lives[game.line_ticks].astype(np.int64)
        return [(int(tick) + 1, "lost life") for tick in np.flatnonzero(np.diff(lives) < 0)] + (
            [(game.ticks - 1, "lost life")] if game.outcome == "game over" else []
        )
    return [(game.ticks - 1, "end of the game")] if game.outcome == "game over" else []


def _marked(session: Session, game: RecordedGame) -> list[tuple[int, str]]:
    """What somebody marked: excluded spans, failures, and moments to which the player went back."""
    ticks = game.line_ticks
    found = []
    for span in session.excluded_spans:
        inside = np.flatnonzero((ticks >= span.start) & (ticks < span.stop))
        found += [(int(inside[0]), "excluded")] if len(inside) else []
    if game.label == "failure":
        found.append((game.ticks - 1, "failure"))
    for undone in game.undone:
        at = np.flatnonzero(ticks == undone.parent_tick - 1)
        found += [(int(at[0]) + 1, "rewound")] if len(at) else []
    return [(tick, why) for tick, why in found if 1 <= tick < game.ticks]
