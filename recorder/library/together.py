"""What two players did together in a session, in a sentence."""

from __future__ import annotations

from recorder.library.library import duration_text
from recorder.store.session import Session


def together_text(session: Session) -> str:
    """How often and for how long one corrected the other; empty for a session of one player. Raises SessionError."""
    corrections = session.corrections
    if corrections is None:
        return ""
    ticks = int(corrections.correcting.sum())
    times = {0: "never", 1: "once", 2: "twice"}.get(corrections.takeovers, f"{corrections.takeovers:,} times")
    if not ticks:
        return "The twin played alone; nobody took over"
    return f"Corrected {times}, for {duration_text(ticks / session.spec.rate_hz)} in all"
