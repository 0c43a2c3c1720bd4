"""A first description of a Gymnasium environment, from what the environment says of itself.

"Acrobot-v1" ──gymnasium.make──▶ spaces, time limit, frames a second ──▶ TOML, to be read and changed
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete

from recorder.envs.components import AT_REST, MOST_COMBINATIONS
from recorder.envs.gymnasium import spare_warnings
from recorder.envs.mujoco import log_warnings
from recorder.errors import UnknownEnvError, UsageError, first_line

_MUJOCO = ".mujoco."  # in the entry points of Gymnasium's own
_RATE_HZ = 30.0
_MOST_TICKS = 10_000
_MOST_ACTIONS = 18
_MOST_NUMBERS = 10_000
_LEAST_SIDE = 36  # pixels of a picture; smaller ones are numbers on a grid
_DRAWN_SIDE = 160  # at most, of a picture that is made for players: what is drawn for viewers is larger
_SCENE_SIDE = 96  # of a scene that is drawn in the size that is asked for
_KEYS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", *(f"Digit{digit}" for digit in "1234567890"))


def draft(env_id: str, *, pictures: bool = False, module: str = "") -> str:
    """The text of an environment file for `twinplay env add`; keys and names are placeholders.

    With `pictures`, players see what the environment draws for viewers. `module` registers it, and is imported. Raises
    UnknownEnvError if Gymnasium cannot make it, and UsageError for spaces that cannot be recorded.
    """
    if env_id.startswith("ALE/"):
        raise UsageError(f"{env_id} needs no file: `twinplay envs` lists all games of the Atari by their names")
    if ":" in env_id:
        raise UsageError(f"{env_id} names a Python module; give the id alone, and the module as `module` in the file")
    drawn: dict[str, Any] = {"render_mode": "rgb_array"} if pictures else {}
    spare_warnings()
    try:
        if module:
            importlib.import_module(module)
        if _MUJOCO in str(getattr(gymnasium.registry.get(env_id), "entry_point", "")):
            log_warnings()
        env = gymnasium.make(env_id, disable_env_checker=True, **drawn)
    except (gymnasium.error.Error, ImportError) as error:
        raise UnknownEnvError(f"Gymnasium cannot make {env_id}: {first_line(error)}") from None
    try:
        return _described(env_id, env, pictures, module)
    finally:
        env.close()


def _described(env_id: str, env: gymnasium.Env[Any, Any], pictures: bool, module: str) -> str:
    done, spec = env.action_space, env.spec
    point = str(spec.entry_point) if spec is not None else ""
    backend = "mujoco" if _MUJOCO in point else "gymnasium"
    if pictures:
        seen = _picture(_drawn_shape(env_id, env, backend), 'from = "render"')
    else:
        seen = _seen(env_id, env.observation_space)
    limit = spec.max_episode_steps if spec is not None and spec.max_episode_steps else _MOST_TICKS
    lines = [
        f"# Drafted from {env_id}: give things their names, and choose the keys.",
        f"title = {json.dumps(env_id.rpartition('/')[2].rpartition('-')[0])}",
        f"backend = {json.dumps(backend)}",
        f"env_id = {json.dumps(env_id)}",
        *([f"module = {json.dumps(module)}"] if module else []),
        f"rate_hz = {float(env.metadata.get('render_fps') or _RATE_HZ)}",
        f"episode_ticks = {limit}",
        "",
        "[observation]",
        *seen,
        "",
        "[action]",
    ]
    return "\n".join([*lines, *_action(env_id, done)]) + "\n"


def _seen(env_id: str, space: Any) -> list[str]:
    """The entries of [observation] for what a player is given."""
    key, entries = "", getattr(space, "spaces", None)
    if isinstance(entries, dict):
        key, space = next(((name, each) for name, each in entries.items() if _numbers(each)), ("", space))
    entry = [f"key = {json.dumps(key)} # one of: {', '.join(entries)}"] if entries and key else []
    if isinstance(space, Box) and _rgb(space):
        return _picture(space.shape, *entry)
    if isinstance(space, Discrete) and space.start == 0 and space.n <= _MOST_NUMBERS:
        return [
            'kind = "vector"',
            f"shape = [{space.n}]",
            'dtype = "uint8"',
        ]  # 1 at the place of the state, 0 elsewhere
    if _numbers(space):
        size, dtype = math.prod(space.shape), json.dumps(str(space.dtype))
        return ['kind = "vector"', *entry, f"shape = [{size}]", f"dtype = {dtype}"]
    raise UsageError(
        f"{env_id} shows {space}; only vectors of numbers, up to {_MOST_NUMBERS:,} numbered states, and pictures in "
        "RGB can be recorded; with --pictures, players see what it draws"
    )


def _numbers(space: Any) -> bool:
    return isinstance(space, Box) and len(space.shape) > 0 and (_rgb(space) or math.prod(space.shape) <= _MOST_NUMBERS)


def _rgb(space: Box) -> bool:
    """Whether it is of pictures."""
    shape = space.shape
    return space.dtype == np.uint8 and len(shape) == 3 and shape[2] == 3 and min(shape[:2]) >= _LEAST_SIDE


def _picture(shape: Sequence[int], *entries: str) -> list[str]:
    """The entries of [observation] for pictures of this height and width."""
    return ['kind = "screen"', *entries, f"shape = [{shape[0]}, {shape[1]}, 3]", 'dtype = "uint8"']


def _drawn_shape(env_id: str, env: gymnasium.Env[Any, Any], backend: str) -> tuple[int, int]:
    """The shape of a picture that is drawn for players: a whole number of times smaller than for viewers."""
    if backend == "mujoco":
        return _SCENE_SIDE, _SCENE_SIDE
    env.reset(seed=0)
    drawn: Any = env.render()
    if np.ndim(drawn) != 3 or np.shape(drawn)[2] != 3:
        raise UsageError(f"{env_id} draws no pictures in RGB; leave out --pictures")
    height, width, _ = np.shape(drawn)
    times = -(-max(height, width) // _DRAWN_SIDE)
    return height // times, width // times


def _action(env_id: str, space: Any) -> list[str]:
    if isinstance(space, Discrete) and space.start == 0 and space.n <= _MOST_ACTIONS:
        names = [f"ACTION{index}" for index in range(int(space.n))]
        keys = dict(zip(names[1:] if len(names) > 2 else names, _KEYS, strict=False))
        return [
            'dtype = "uint8"',
            f"names = {json.dumps(names)} # the first one is taken while nothing is held",
            "",
            "[controls]",
            *(f"{name} = {json.dumps([key])}" for name, key in keys.items()),
        ]
    choices = _choices(space)
    if 0 < len(choices) <= len(ascii_uppercase) and math.prod(choices) <= MOST_COMBINATIONS:
        components = [
            [AT_REST, *(f"{letter}{choice}" for choice in range(1, count))]
            for letter, count in zip(ascii_uppercase, choices, strict=False)
        ]
        return [
            f"components = {json.dumps(components)} # {AT_REST} is chosen while nothing is held",
            "",
            "[controls]",
            *(
                f"{name} = {json.dumps([key])}"
                for name, key in zip((name for each in components for name in each[1:]), _KEYS, strict=False)
            ),
        ]
    if isinstance(space, Box) and len(space.shape) == 1 and ((space.low == -space.high) | (space.low == 0)).all():
        highs = set(space.high.tolist())
        if len(highs) == 1 and np.isfinite(space.high).all():
            names = [f"component{index}" for index in range(space.shape[0])]
            return [
                'dtype = "float32"',
                f"shape = [{space.shape[0]}]",
                f"names = {json.dumps(names)}",
                f"high = {highs.pop():g}",
            ]
    raise UsageError(
        f"{env_id} takes {space}; only up to {_MOST_ACTIONS} discrete actions counted from 0, several at a time "
        f"with up to {MOST_COMBINATIONS} combinations, or numbers with the same bounds around 0, or that go up from 0 "
        "as far, can be recorded"
    )


def _choices(space: Any) -> list[int]:
    """How many choices each component of a space has; empty for spaces of another kind."""
    if isinstance(space, MultiBinary) and len(space.shape) == 1:
        return [2] * space.shape[0]
    if isinstance(space, MultiDiscrete) and len(space.shape) == 1 and not space.start.any():
        return [int(count) for count in space.nvec]
    return []
