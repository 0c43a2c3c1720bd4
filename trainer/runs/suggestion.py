"""What is ticked to learn from until somebody chooses: all that one player played in one environment.

The player is the person who played last, because a twin of a person is what people are here for; where no person has
played, whoever played last. Of sessions that hold the same play, one is enough. Excluded play is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recorder.library.copies import without_copies
from recorder.library.players import player_label
from recorder.library.session_summary import SessionSummary


@dataclass(frozen=True)
class Suggestion:
    """The sessions to tick, and a sentence that says which they are and why; both empty where there are none."""

    paths: frozenset[Path] = frozenset()
    why: str = ""


def suggest(sessions: Sequence[SessionSummary]) -> Suggestion:
    """What is best to learn from among these sessions, which are usable and in the order of the list, newest first."""
    usable = [each for each in sessions if each.learn_ticks]
    latest = next((each for each in usable if _is_person(each)), usable[0] if usable else None)
    if latest is None:
        return Suggestion()
    theirs = [each for each in usable if (each.env, _who(each)) == (latest.env, _who(latest))]
    kept = without_copies(theirs)
    return Suggestion(frozenset(each.path for each in kept), _why(latest, len(kept), len(theirs) - len(kept)))


def _is_person(session: SessionSummary) -> bool:
    return session.player.get("kind") == "person"


def _who(session: SessionSummary) -> tuple[str, str]:
    return player_label(session.player), str(session.player.get("name", ""))


def _why(latest: SessionSummary, number: int, copies: int) -> str:
    many = {1: "the", 2: "both"}.get(number, f"all {number:,}")
    what = f"{many} {latest.env_title} session{'' if number == 1 else 's'}"
    name = str(latest.player.get("name", "")).strip()
    if not _is_person(latest):
        why = f"{what} by {player_label(latest.player)}, because no person has played yet."
    elif name:
        why = f"{what} by {name}, the last person who played."
    else:
        why = f"{what} by the last person who played."
    more = " More play by one player makes a better twin." if number > 1 else ""
    left_out = " Copies of the same play are left out." if copies else ""
    return f"Selected for you: {why}{more}{left_out}"
