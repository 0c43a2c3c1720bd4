"""Scripted players: stand-ins for a person in Breakout, and a hopper that hops.

scripted("breakout", seed=0, style="slow")  ──▶ Agent ──describe()──▶ {"kind": "scripted", "name", "params"}
                                                  ▲                                   │
                                                  └───────── from_description ────────┘
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recorder.agents import Agent
from recorder.envs import get_spec
from recorder.errors import AgentError
from recorder.experts.breakout import STYLES, BreakoutPlayer
from recorder.experts.hopper import HopperExpert

__all__ = ["STYLES", "BreakoutPlayer", "HopperExpert", "from_description", "scripted"]


def scripted(env_name: str, seed: int = 0, *, style: str | None = None, **params: Any) -> Agent:
    """The scripted player of an environment.

    `seed` seeds the player's own imperfections. `style` names one of `STYLES` (Breakout only); `params` go to the
    player's constructor and override the style. Raises UnknownEnvError for an unknown environment and AgentError for
    an unknown style or parameter.
    """
    name = get_spec(env_name).name
    if style is not None and (name != "breakout" or style not in STYLES):
        known = ", ".join(STYLES) if name == "breakout" else "none"
        raise AgentError(f"the scripted player of {name} has no style {style!r}; known styles: {known}")
    try:
        if name == "breakout":
            return BreakoutPlayer(seed, **{**STYLES[style or "prompt"], **params})
        return HopperExpert(**params)
    except (TypeError, ValueError) as error:
        raise AgentError(f"the scripted player of {name} cannot be built with {params}: {error}") from error


def from_description(description: Mapping[str, Any], seed: int = 0) -> Agent:
    """The player that `describe()` described, with its randomness seeded anew.

    Raises AgentError if it is not a scripted player that ships with this package.
    """
    players = {BreakoutPlayer.name: "breakout", HopperExpert.name: "hopper"}
    kind, name = description.get("kind"), description.get("name")
    params = description.get("params", {})
    if kind != "scripted" or name not in players or not isinstance(params, Mapping):
        raise AgentError(f"{kind} player {name!r} cannot be rebuilt; the scripted players are {', '.join(players)}")
    return scripted(players[str(name)], seed, **params)
