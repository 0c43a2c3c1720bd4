"""Practice points where a clone would have acted differently than the player of a recording."""

from __future__ import annotations

from pathlib import Path

from recorder.library.practice import BEFORE_S, PracticePoint, point_before
from recorder.store.episode_table import RecordedGame
from recorder.store.session import Session
from trainer.evaluation.agreement import Agreement, compare


def spots_of(agreement: Agreement, game: RecordedGame, *, most: int, before_s: float = BEFORE_S) -> list[PracticePoint]:
    """The moments before the `most` clearest disagreements in a game, the clearest first."""
    return [
        point_before(game, each.tick, f"recorded {each.recorded}, clone {each.clone}", before_s, agreement.rate_hz)
        for each in agreement.clearest[:most]
    ]


def weak_spots(session: Session, policy: Path | str, *, most: int, before_s: float = BEFORE_S) -> list[PracticePoint]:
    """The moments before the `most` clearest disagreements of a session, the clearest first.

    Raises PolicyError and SessionError.
    """
    found: list[tuple[float, PracticePoint]] = []
    for game in session.recorded_games:
        agreement = compare(session, policy, game=game.number)
        spots = spots_of(agreement, game, most=most, before_s=before_s)
        found += zip((each.sure for each in agreement.clearest), spots, strict=False)
    return [point for _, point in sorted(found, key=lambda pair: -pair[0])[:most]]
