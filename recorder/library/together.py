"""What two players did together in a session, in a sentence."""

from __future__ import annotations

from recorder.store.races import read_race
from recorder.store.session import Session


def together_text(session: Session) -> str:
    """How a race went, or how often and for how long one corrected the other; empty for any other session.

    Raises SessionError.
    """
    race = read_race(session.attributes)
    if race is not None:
        return race.sentence
    corrections = session.corrections
    if corrections is None:
        return ""
    ticks = int(corrections.correcting.sum())
    times = {0: "never", 1: "once", 2: "twice"}.get(corrections.takeovers, f"{corrections.takeovers:,} times")
    if not ticks:
        return "The twin played alone; nobody took over"
    led = sum(len(episode) for episode in session.episodes if episode.leads_in)
    seconds, played = ticks / session.spec.rate_hz, (len(session) - led) / session.spec.rate_hz
    return f"Corrected {times}, for {seconds:.0f} s of {played:.0f} s"
