"""A first description of a Gymnasium environment, from what the environment says of itself.

"Acrobot-v1" ──gymnasium.make──▶ spaces, time limit, frames a second ──▶ TOML, to be read and changed
"""

from __future__ import annotations

import json
import math
from string import ascii_uppercase
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete

from recorder.envs.components import AT_REST, MOST_COMBINATIONS
from recorder.errors import UnknownEnvError, UsageError

_RATE_HZ = 30.0
_MOST_TICKS = 10_000
_MOST_ACTIONS = 18
_MOST_STATES = 10_000
_KEYS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", *(f"Digit{digit}" for digit in "1234567890"))


def draft(env_id: str) -> str:
    """The text of an environment file for `twinplay env add`; keys and names are placeholders.

    Raises UnknownEnvError if Gymnasium cannot make it, and UsageError for spaces that cannot be recorded.
    """
    if env_id.startswith("ALE/"):
        raise UsageError(f"{env_id} needs no file: `twinplay envs` lists all games of the Atari by their names")
    if ":" in env_id:
        raise UsageError(f"{env_id} names a Python module; give the id alone, and the module as `module` in the file")
    try:
        env = gymnasium.make(env_id, disable_env_checker=True)
    except (gymnasium.error.Error, ImportError) as error:
        raise UnknownEnvError(f"Gymnasium cannot make {env_id}: {str(error).splitlines()[0]}") from None
    try:
        return _described(env_id, env)
    finally:
        env.close()


def _described(env_id: str, env: gymnasium.Env[Any, Any]) -> str:
    seen, done, spec = env.observation_space, env.action_space, env.spec
    if isinstance(seen, Discrete) and seen.start == 0 and seen.n <= _MOST_STATES:
        size, dtype = int(seen.n), "uint8"  # 1 at the place of the state, 0 elsewhere
    elif isinstance(seen, Box) and len(seen.shape) == 1:
        size, dtype = seen.shape[0], str(seen.dtype)
    else:
        raise UsageError(
            f"{env_id} shows {seen}; only vectors of numbers, up to {_MOST_STATES:,} numbered states, and the Atari's "
            "screens can be recorded"
        )
    point = str(spec.entry_point) if spec is not None else ""
    backend = "mujoco" if ".mujoco." in point else "gymnasium"
    limit = spec.max_episode_steps if spec is not None and spec.max_episode_steps else _MOST_TICKS
    lines = [
        f"# Drafted from {env_id}: give things their names, and choose the keys.",
        f"title = {json.dumps(env_id.rpartition('/')[2].rpartition('-')[0])}",
        f"backend = {json.dumps(backend)}",
        f"env_id = {json.dumps(env_id)}",
        f"rate_hz = {float(env.metadata.get('render_fps') or _RATE_HZ)}",
        f"episode_ticks = {limit}",
        "",
        "[observation]",
        'kind = "vector"',
        f"shape = [{size}]",
        f"dtype = {json.dumps(dtype)}",
        "",
        "[action]",
    ]
    return "\n".join([*lines, *_action(env_id, done)]) + "\n"


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
    if isinstance(space, Box) and len(space.shape) == 1 and np.array_equal(space.low, -space.high):
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
        f"with up to {MOST_COMBINATIONS} combinations, or numbers with the same bounds around 0, can be recorded"
    )


def _choices(space: Any) -> list[int]:
    """How many choices each component of a space has; empty for spaces of another kind."""
    if isinstance(space, MultiBinary) and len(space.shape) == 1:
        return [2] * space.shape[0]
    if isinstance(space, MultiDiscrete) and len(space.shape) == 1 and not space.start.any():
        return [int(count) for count in space.nvec]
    return []
