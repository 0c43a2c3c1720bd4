"""Every game that ale-py ships, by the name of its ROM: a row of a table, and rules for what a person presses.

    atari_games.toml:  pong = { title = "Pong", actions = "NOOP FIRE RIGHT …", lines = 210, … } ──▶ EnvSpec

`python -m tests.atari_games` makes the rows anew from the emulator. A game with a file of its own, in `specs` or among
the user's environments, does not come from here.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from recorder.system.records import read

TABLE = Path(__file__).parent / "atari_games.toml"
_PARTS = re.compile(r"(UP|DOWN)?(RIGHT|LEFT)?(FIRE)?")
# In the order in which they lie on the joystick; ArrowUp fires where a game has no UP.
_KEYS = {
    "LEFT": ["ArrowLeft", "KeyA"],
    "UP": ["ArrowUp", "KeyW"],
    "DOWN": ["ArrowDown", "KeyS"],
    "RIGHT": ["ArrowRight", "KeyD"],
    "FIRE": ["Space"],
}
ALL_ACTIONS = (
    *("NOOP", "FIRE", "UP", "RIGHT", "LEFT", "DOWN", "UPRIGHT", "UPLEFT", "DOWNRIGHT", "DOWNLEFT"),
    *("UPFIRE", "RIGHTFIRE", "LEFTFIRE", "DOWNFIRE"),
    *("UPRIGHTFIRE", "UPLEFTFIRE", "DOWNRIGHTFIRE", "DOWNLEFTFIRE"),
)
_PAL_LINES = 250
_TELEVISION = 4 / 3
_STARTS = {"start_noops": 30, "start_move_ticks": 60}
_EPISODE_TICKS = 18_000  # five minutes, as in Mnih et al. 2015


class AtariGame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the table. `actions` are the names of the smallest set that the game needs, in the emulator's order, or
    "all". `lines` is the height of the screen, `lives` those at the start (0: none are counted).

    `starts` is how many of a hundred varied starts differ. `all_actions`: the game's own set lacks NOOP, so it is
    played with all 18. `controls` are default keys that differ from the rules.
    """

    title: str
    env_id: str
    actions: str
    lines: Annotated[int, Meta(ge=100, le=300)]
    lives: int = 0
    starts: int = 0
    all_actions: bool = False
    controls: dict[str, tuple[str, ...]] = {}

    @property
    def action_names(self) -> tuple[str, ...]:
        """The names of the actions, in the emulator's order."""
        return ALL_ACTIONS if self.actions == "all" else tuple(self.actions.split())


@cache
def atari_games() -> dict[str, AtariGame]:
    """All games, by the names of their ROMs."""
    return {name: read(AtariGame, row) for name, row in tomllib.loads(TABLE.read_text(encoding="utf-8")).items()}


def atari_values(name: str) -> dict[str, Any]:
    """What the EnvSpec of a game says, apart from the simulator that is installed. Raises KeyError."""
    game = atari_games()[name]
    kwargs: dict[str, Any] = {"frameskip": 1, "repeat_action_probability": 0.0}
    if game.all_actions:
        kwargs["full_action_space"] = True
    return {
        "title": game.title,
        "backend": "atari",
        "env_id": game.env_id,
        "kwargs": kwargs,
        "rate_hz": 60.0,
        "episode_ticks": _EPISODE_TICKS,
        "lives": game.lives > 0,
        "points": True,
        "observation_kind": "screen",
        "observation_shape": [game.lines, 160, 3],
        "observation_dtype": "uint8",
        "pixel_aspect": _pixel_aspect(game.lines),
        "palette": "pal" if game.lines == _PAL_LINES else "ntsc",
        "action_dtype": "uint8",
        "action_names": list(game.action_names),
        "start_moves": list(game.action_names),
        **_STARTS,
        **_pressed(game),
    }


def _pixel_aspect(lines: int) -> float:
    """NTSC pixels are 12 : 7; a taller PAL picture fills the same television."""
    return _TELEVISION * lines / 160 if lines == _PAL_LINES else 12 / 7


def _pressed(game: AtariGame) -> dict[str, Any]:
    """The controls: the parts that actions are made of; and the chords: actions of several parts."""
    parts = {name: _parts(name) for name in game.action_names if name not in ("NOOP", *game.controls)}
    used = {part for each in parts.values() for part in each}
    controls = {part: list(keys) for part, keys in _KEYS.items() if part in used}
    if "FIRE" in used and "UP" not in used:
        controls["FIRE"].append("ArrowUp")
    controls |= {control: list(keys) for control, keys in game.controls.items()}
    return {"controls": controls, "chords": {name: each for name, each in parts.items() if len(each) > 1}}


def _parts(action: str) -> list[str]:
    found = _PARTS.fullmatch(action)
    return [part for part in found.groups() if part] if found else []
