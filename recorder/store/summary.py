"""What a list of sessions shows of each.

{"ticks", "episodes", "total_rewards", "size_bytes", "timing", "labels", "learn_ticks"}: `labels` tells how many games
have each label, `learn_ticks` how many ticks training may use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recorder.store.annotations import summed_up

if TYPE_CHECKING:
    from recorder.store.session import Session


def summary_of(session: Session) -> dict[str, Any]:
    """The stored summary of a complete session, completed where an earlier version stored less; else a new one.

    Raises SessionError where the session is damaged.
    """
    stored = session.attributes.get("summary")
    if session.complete and isinstance(stored, dict) and stored.get("ticks") == len(session):
        return stored if "learn_ticks" in stored else stored | summed_up(session.recorded_games, session.excluded_spans)
    timing = session.timing
    return {
        "ticks": len(session),
        "episodes": len(session.games),
        "total_rewards": session.games,
        "size_bytes": session.size_bytes,
        "timing": None if timing is None else timing.to_json(),
        **summed_up(session.recorded_games, session.excluded_spans),
    }
