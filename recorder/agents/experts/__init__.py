"""Scripted players: stand-ins for a person in Breakout, others for nine more Atari games and CartPole, and a hopper.

scripted("breakout", seed=0, style="person")  ──▶ Agent ──describe()──▶ {"kind": "scripted", "name", "params"}
                                                    ▲                                   │
                                                    └───────── from_description ────────┘
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from recorder.agents.agent import Agent
from recorder.agents.experts.boxing import BoxingPlayer
from recorder.agents.experts.breakout import BreakoutPlayer
from recorder.agents.experts.breakout_person import BreakoutPerson
from recorder.agents.experts.cartpole import CartPolePlayer
from recorder.agents.experts.console import ConsolePlayer
from recorder.agents.experts.enduro import EnduroPlayer
from recorder.agents.experts.freeway import FreewayPlayer
from recorder.agents.experts.hopper import HopperExpert
from recorder.agents.experts.ms_pacman import MsPacmanPlayer
from recorder.agents.experts.pong import PongPlayer
from recorder.agents.experts.qbert import QbertPlayer
from recorder.agents.experts.seaquest import SeaquestPlayer
from recorder.agents.experts.skiing import SkiingPlayer
from recorder.agents.experts.space_invaders import SpaceInvadersPlayer
from recorder.envs.registry import get_spec
from recorder.errors import AgentError

__all__ = ["GAME_PLAYERS", "STYLES", "BreakoutPerson", "BreakoutPlayer", "HopperExpert", "from_description", "scripted"]

# Breakout's players. `twinplay study breakout` measures their scores, and those of their clones.
STYLES: Mapping[str, tuple[Callable[..., Agent], Mapping[str, Any]]] = MappingProxyType(
    {
        "prompt": (BreakoutPlayer, {}),
        "slow": (BreakoutPlayer, {"delay": (12, 15), "look_ahead": "landing"}),
        "late": (BreakoutPlayer, {"delay": 6, "look_ahead": "none"}),
        "sloppy": (BreakoutPlayer, {"aim_error": 10.0}),
        "left-handed": (BreakoutPlayer, {"aim_error": 4.0, "lean": 3.0}),
        "person": (BreakoutPerson, {}),
        "beginner": (
            BreakoutPerson,
            {
                "delay": (13, 18),
                "guess_error": 0.15,
                "move_error": 0.2,
                "hold": (4, 6),
                "rest": (4, 10),
                "lapses": 0.1,
            },
        ),
    }
)


def _hopper(seed: int, **params: Any) -> Agent:
    return HopperExpert(**params)


def _cartpole(seed: int, **params: Any) -> Agent:
    return CartPolePlayer(**params)


# One player each, by the name of the environment.
GAME_PLAYERS: Mapping[str, type[ConsolePlayer]] = MappingProxyType(
    {
        "pong": PongPlayer,
        "boxing": BoxingPlayer,
        "enduro": EnduroPlayer,
        "freeway": FreewayPlayer,
        "ms_pacman": MsPacmanPlayer,
        "qbert": QbertPlayer,
        "seaquest": SeaquestPlayer,
        "skiing": SkiingPlayer,
        "space_invaders": SpaceInvadersPlayer,
    }
)

# The styles of each environment's scripted player; the first one is the default.
_PLAYERS: Mapping[str, Mapping[str, tuple[Callable[..., Agent], Mapping[str, Any]]]] = MappingProxyType(
    {
        "breakout": STYLES,
        "hopper": {"": (_hopper, {})},
        "cartpole": {"": (_cartpole, {})},
        **{name: {"": (player, {})} for name, player in GAME_PLAYERS.items()},
    }
)


def scripted(env_name: str, seed: int = 0, *, style: str | None = None, **params: Any) -> Agent:
    """The scripted player of an environment.

    `seed` seeds the player's own imperfections. `style` names one of `STYLES` (Breakout only, "prompt" by default);
    `params` go to the player's constructor and override the style. Raises UnknownEnvError for an unknown environment
    and AgentError for one without a scripted player, or for an unknown style or parameter.
    """
    name = get_spec(env_name).name
    if name not in _PLAYERS:
        raise AgentError(f"{name} has no scripted player; use --player random, or a policy file")
    styles = _PLAYERS[name]
    if style is not None and style not in styles:
        known = ", ".join(filter(None, styles)) or "none"
        raise AgentError(f"the scripted player of {name} has no style {style!r}; known styles: {known}")
    player, usual = styles[style or next(iter(styles))]
    return _built(player, seed, {**usual, **params})


def has_expert(env_name: str) -> bool:
    """Whether there is a scripted player of an environment."""
    return env_name in _PLAYERS


def from_description(description: Mapping[str, Any], seed: int = 0) -> Agent:
    """The player that `describe()` described, with a new random seed.

    Raises AgentError if it is not a scripted player of this package.
    """
    players: dict[str, Callable[..., Agent]] = {
        BreakoutPlayer.name: BreakoutPlayer,
        BreakoutPerson.name: BreakoutPerson,
        HopperExpert.name: _hopper,
        CartPolePlayer.name: _cartpole,
        **{player.name: player for player in GAME_PLAYERS.values()},
    }
    kind, name = description.get("kind"), description.get("name")
    params = description.get("params", {})
    if kind != "scripted" or name not in players or not isinstance(params, Mapping):
        raise AgentError(f"the {kind} player {name!r} cannot be created; the scripted players are {', '.join(players)}")
    return _built(players[str(name)], seed, params)


def _built(player: Callable[..., Agent], seed: int, params: Mapping[str, Any]) -> Agent:
    try:
        return player(seed, **params)
    except (TypeError, ValueError, IndexError) as error:
        raise AgentError(f"the scripted player cannot be created with {dict(params)}: {error}") from error
