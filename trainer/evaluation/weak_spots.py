"""Practice points where a clone would have acted differently than the player of a recording."""

from __future__ import annotations

from pathlib import Path

from recorder.library.practice import BEFORE_S, PracticePoint, point_before, thinned
from recorder.store.session import Session
from trainer.evaluation.agreement import compare


def weak_spots(session: Session, policy: Path | str, *, most: int, before_s: float = BEFORE_S) -> list[PracticePoint]:
    """The moments before the `most` clearest disagreements of a session, in order.

    Raises PolicyError and SessionError.
    """
    found: list[tuple[float, PracticePoint]] = []
    for game in session.recorded_games:
        for each in compare(session, policy, game=game.number).clearest[:most]:
            why = f"recorded {each.recorded}, clone {each.clone}"
            found.append((each.sure, point_before(game, each.tick, why, before_s, session.spec.rate_hz)))
    surest = sorted(found, key=lambda pair: -pair[0])[:most]
    return thinned((point for _, point in surest), session.spec.rate_hz)
