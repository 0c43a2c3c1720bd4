"""One running environment, which a Rollout drives and a recording captures.

EnvSpec ──▶ Game ──▶ Backend (recorder.envs.backend)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from recorder.envs.backend import Array, backend_class
from recorder.envs.palette import PALETTES
from recorder.envs.registry import installed_spec, missing_packages
from recorder.envs.spec import EnvSpec
from recorder.errors import AgentError, UnknownEnvError


class Game:
    """See the module's docstring.

    `sticky` repeats the previous action with that probability (Machado et al. 2018) and marks the spec accordingly.
    With `render=True`, `picture()` also works if the observation is not a picture. With `sound=True`, `sound()` works;
    this costs 6 % of the emulator's speed. An emulator may have played other games, of which nothing is left after a
    reset; with `fresh=True` it has not.

    Raises UnknownEnvError for a spec that does not match an installed environment: Gymnasium would import any module
    that an id names, so ids from recordings are not used. Raises SystemLibraryError if a library for drawing is
    missing.
    """

    def __init__(
        self, spec: EnvSpec, *, render: bool = False, sticky: float = 0.0, sound: bool = False, fresh: bool = False
    ) -> None:
        known = installed_spec(spec)
        if spec.env_id != known.env_id or not spec.kwargs.keys() <= known.kwargs.keys():
            raise UnknownEnvError(
                f"{known.title} is {known.env_id} with {', '.join(known.kwargs) or 'no'} settings, "
                f"not {spec.env_id!r} with {dict(spec.kwargs)}"
            )
        if (spec.observation_kind, spec.colours, spec.stores_state) != (
            *(known.observation_kind, known.colours, known.stores_state),
        ):
            raise UnknownEnvError(f"{known.title} here stores other data than this file says; it cannot be played")
        if missing := missing_packages(known):
            raise UnknownEnvError(
                f"{known.title} needs Python packages that are not installed; install them with: pip install "
                f"{' '.join(missing)}"
            )
        # From a recording's spec only the settings are used; starts and limits are those of the installed environment.
        kwargs = {**spec.kwargs, "repeat_action_probability": sticky} if sticky else dict(spec.kwargs)
        self.spec = spec = replace(known, kwargs=kwargs, same_memory=spec.same_memory)
        self._backend = backend_class(known)(spec, render=render, sound=sound, fresh=fresh)
        self.palette = PALETTES[known.palette]() if known.colours == "palette" else None

    def __enter__(self) -> Game:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def env(self) -> Any:
        """The gymnasium.Env, for agents that need its internals."""
        return self._backend.env

    @property
    def lives(self) -> int:
        """Lives left; 0 in an environment without lives."""
        return self._backend.lives

    @property
    def state_size(self) -> int:
        """Length of the simulator's state vector that `capture` stores; 0 if none is stored."""
        return self._backend.state_size

    def reset(self, seed: int, *, varied: bool = False) -> Array:
        """Start a new game and return its first observation.

        `varied` draws a start from the seed, as the spec says: no-ops and then random moves. If the simulator itself
        draws random starts, nothing is added.
        """
        observation = self._backend.reset(int(seed) & 0x7FFFFFFF)
        for move in start_actions(self.spec, seed) if varied else ():
            observation = self._backend.step(move)[0]
        return observation

    def step(self, action: Any) -> tuple[Array, float, bool, bool]:
        """Advance one tick; returns (observation, reward, terminated, truncated)."""
        return self._backend.step(action)

    def play(self, action: int) -> None:
        """Advance one tick without making an observation, if that is faster."""
        self._backend.play(action)

    def memory(self) -> npt.NDArray[np.uint8] | None:
        """A copy of the console's memory, uint8 (128,); None without an emulator."""
        return self._backend.memory()

    def check_action(self, action: Any) -> Any:
        """The action as it is played and stored: an int, or a float32 vector clipped to [-1, 1].

        Raises AgentError for anything that is not an action of this environment.
        """
        if self.spec.discrete:
            try:
                index = action.__index__()
            except (AttributeError, TypeError):
                index = -1
            if not 0 <= index < len(self.spec.action_names):
                known = ", ".join(f"{i} {name}" for i, name in enumerate(self.spec.action_names))
                raise AgentError(
                    f"the agent answered {action!r}, which is not an action of {self.spec.title} ({known})"
                )
            return index
        try:
            vector = np.asarray(action, np.float32)
        except (TypeError, ValueError):
            vector = np.empty(0, np.float32)
        if vector.shape != self.spec.action_shape or not np.isfinite(vector).all():
            raise AgentError(
                f"the agent answered {action!r}; {self.spec.title} takes {self.spec.action_shape[0]} finite numbers"
            )
        return np.minimum(np.maximum(vector, -1.0), 1.0)  # np.clip takes three times as long

    def storage(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Name -> (shape, dtype) of the arrays that `capture` writes for one tick."""
        return self.spec.storage(self.state_size)

    def capture(self, observation: Array, rows: Mapping[str, Array], index: int) -> None:
        """Copy the present moment into row `index` of the arrays named by `storage`."""
        self._backend.capture(observation, rows, index)

    def state(self) -> npt.NDArray[np.float64]:
        """The simulator's state, float64 (state_size,); `restore` continues bit for bit."""
        return self._backend.state()

    def restore(self, state: Array) -> None:
        """Restore a state returned by `state`, if the environment stores states."""
        self._backend.restore(state)

    def snapshot(self) -> Any:
        """Everything needed to come back to this moment with `go_back`, in memory."""
        return self._backend.snapshot()

    def go_back(self, snapshot: Any) -> None:
        """Return to a snapshot of this game. An emulator draws no screen before the next step (openai/gym#575)."""
        self._backend.go_back(snapshot)

    def picture(self) -> npt.NDArray[np.uint8]:
        """The game as a viewer shows it now, uint8 RGB (height, width, 3)."""
        return self._backend.picture()

    def sound(self) -> npt.NDArray[np.uint8]:
        """The sound of the last tick, unsigned samples around 128 at 60 × 512 Hz, uint8 (512,)."""
        return self._backend.sound()

    def close(self) -> None:
        """Release the simulator."""
        self._backend.close()


def start_actions(spec: EnvSpec, seed: int) -> list[int]:
    """The actions with which a varied start begins: no-ops and then random moves, drawn from the seed."""
    if not spec.start_noops:
        return []
    rng = np.random.default_rng(int(seed) & 0x7FFFFFFF)
    moves = [0] * int(rng.integers(1, spec.start_noops + 1))
    count = int(rng.integers(0, spec.start_move_ticks + 1))
    choices = np.array([spec.action_names.index(name) for name in spec.start_moves], np.int64)
    drawn = rng.integers(0, len(choices), count) if len(choices) else np.empty(0, np.int64)
    return moves + [int(move) for move in choices[drawn]]
