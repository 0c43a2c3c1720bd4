"""What sessions and twins are called that nobody has given a name: "Ada, 48 points, Nov 25"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from recorder.agents.agent import player_title
from recorder.library.players import player_label
from recorder.library.session_summary import SessionSummary


def default_name(players: Sequence[Mapping[str, Any]], score: float | None, created: str) -> str:
    """Who, how well, and on which day; `created` is a stored time (ISO 8601). What is unknown is left out."""
    who = first_of(map(name_of, players))
    points = "" if score is None else "1 point" if round(score) == 1 else f"{score:,.0f} points"
    return ", ".join(filter(None, (who, points, _day(created))))


def session_name(summary: SessionSummary) -> str:
    """A session's title, or else the name by default; its folder's name where nothing is known of it."""
    if summary.title or not summary.player:
        return summary.title or summary.env_title or summary.name
    return default_name([summary.player], summary.best_score, summary.created)


def first_of(names: Iterable[str]) -> str:
    """The first name; with "and others" if there are different ones."""
    known = list(dict.fromkeys(filter(None, names)))
    return f"{known[0]} and others" if len(known) > 1 else "".join(known)


def name_of(player: Mapping[str, Any]) -> str:
    """A player's name, or else what kind of player it is."""
    name = str(player.get("name", "")).strip() if player.get("kind") == "person" else player_title(player)
    return name or player_label(player)


def _day(created: str) -> str:
    try:
        when = datetime.fromisoformat(created).astimezone()
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{when:%b} {when.day}"
