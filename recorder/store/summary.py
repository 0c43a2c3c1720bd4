"""The summary of a session for lists.

{"ticks", "episodes", "total_rewards", "size_bytes", "timing", "labels", "learn_ticks"}: `labels` is the number of games
with each label, `learn_ticks` the number of ticks that training may use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recorder.store.annotations import summed_up

if TYPE_CHECKING:
    from recorder.store.session import Session


def summary_of(session: Session) -> dict[str, Any]:
    """The stored summary of a complete session, with fields that earlier versions did not store; otherwise a new one.

    Raises SessionError if the session is damaged.
    """
    stored = session.attributes.get("summary")
    if session.complete and isinstance(stored, dict) and stored.get("ticks") == len(session):
        return stored if "learn_ticks" in stored else stored | summed_up(session.recorded_games, session.excluded_spans)
    timing = session.timing
    return {
        "ticks": len(session),
        "episodes": len(session.scores),
        "total_rewards": session.scores,
        "size_bytes": session.size_bytes,
        "timing": None if timing is None else timing.to_json(),
        **summed_up(session.recorded_games, session.excluded_spans),
    }
