"""How players are named in lists and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from recorder.agents.agent import player_title
from recorder.system.profile import clean_name


class KindTexts(NamedTuple):
    """What a kind of player is called: in a word, in full, and of many."""

    short: str
    title: str
    plural: str


KINDS = {
    "person": KindTexts("Person", "Person", "People"),
    "scripted": KindTexts("Scripted", "Scripted player", "Scripted players"),
    "policy": KindTexts("Twin", "Twin", "Twins"),
    "random": KindTexts("Random", "Random player", "Random players"),
    "mixed": KindTexts("Mixed", "Several players", "Several players"),
}


def kind_texts(kind: str) -> KindTexts:
    """The texts of a kind of player; those of an unknown one are its own name."""
    return KINDS.get(kind, KindTexts(kind, kind, kind))


def player_label(player: Mapping[str, Any]) -> str:
    """The player's name and kind, so that a scripted player is never taken for a person: "Ada (person)".

    Of two who played together each is told: "Ada and twin Bo".
    """
    kind, name = str(player.get("kind", "")), str(player.get("name", "")).strip()
    if kind == "person":
        return f"{name} (person)" if name else "Person"
    together = players_of(player)
    if together:
        return " and ".join(map(_within, together))
    short, title = kind_texts(kind).short, player_title(player)
    return f"{title} ({short.lower()})" if title else short


def players_of(player: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The players who played together, as `SharedControl.describe` tells them; none of anybody else."""
    params = player.get("params")
    told = params.get("players") if isinstance(params, dict) and player.get("kind") == "mixed" else None
    return [dict(each) for each in told if isinstance(each, dict)][:4] if isinstance(told, list) else []


def _within(player: Mapping[str, Any]) -> str:
    """One of several players, by name."""
    kind = player.get("kind")
    name = clean_name(str(player.get("name", ""))[:200])
    if kind == "person":
        return name or "a person"
    if kind != "policy":
        return player_title(player) or f"a {kind} player"
    called = player_title(player) or name
    return called if "twin" in called.casefold() else f"twin {called}".strip()


def demonstrator(player: Mapping[str, Any]) -> Mapping[str, Any]:
    """Who is learned from: of a person and a twin, the person."""
    people = [each for each in players_of(player) if each.get("kind") == "person"]
    return people[0] if people else player
