"""The base of back ends that build their environments with Gymnasium, and a back end for all its other environments."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, TypeAlias

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Discrete

from recorder.envs.backend import Array
from recorder.envs.spec import EnvSpec
from recorder.errors import UnknownEnvError

Env: TypeAlias = gymnasium.Env[Any, Any]


class GymnasiumBackend:
    """See `recorder.envs.backend.Backend`; subclasses define how to come back to a moment."""

    def __init__(self, spec: EnvSpec, *, render: bool, sound: bool, fresh: bool) -> None:
        self.spec = spec
        try:
            if spec.module:  # from the user's own file: a recording's spec is never built
                importlib.import_module(spec.module)
            self.env = self.build(render)
        except (gymnasium.error.Error, ImportError) as error:
            raise UnknownEnvError(f"{spec.env_id} cannot be built with {dict(spec.kwargs)}: {error}") from error
        self._core: Any = self.env.unwrapped
        states = self.env.observation_space
        self._states = int(states.n) if isinstance(states, Discrete) and states.start == 0 else 0

    def build(self, render: bool) -> Env:
        """Create the environment."""
        drawn: dict[str, Any] = {"render_mode": "rgb_array"} if render else {}
        return gymnasium.make(self.spec.env_id, disable_env_checker=True, **drawn, **self.spec.kwargs)

    def reset(self, seed: int) -> Array:
        """See Backend."""
        return self._seen(self.env.reset(seed=seed)[0])

    def step(self, action: Any) -> tuple[Array, float, bool, bool]:
        """See Backend."""
        if self.spec.action_vectors:
            action = np.array(self.spec.action_vectors[action], self.env.action_space.dtype)
        elif self.spec.action_high != 1.0:
            action = action * np.float32(self.spec.action_high)
        observation, reward, terminated, truncated, _ = self.env.step(action)
        return self._seen(observation), float(reward), bool(terminated), bool(truncated)

    def _seen(self, observation: Any) -> Array:
        """A state that is a number is shown as a vector: 1 at its place, 0 elsewhere."""
        if not self._states:
            return np.asarray(observation)
        vector = np.zeros(self._states, self.spec.observation_dtype)
        vector[int(observation)] = 1
        return vector

    def play(self, action: int) -> None:
        """See Backend."""
        self.step(action)

    @property
    def lives(self) -> int:
        """None."""
        return 0

    @property
    def state_size(self) -> int:
        """0: no state is stored."""
        return 0

    def state(self) -> npt.NDArray[np.float64]:
        """Not available."""
        raise NotImplementedError(f"the state of {self.spec.env_id} cannot be taken out")

    def restore(self, state: Array) -> None:
        """Not available."""
        raise NotImplementedError(f"{self.spec.env_id} cannot be put into a state")

    def capture(self, observation: Array, rows: Mapping[str, Array], index: int) -> None:
        """See Backend."""
        rows[self.spec.observation_array][index] = observation

    def picture(self) -> npt.NDArray[np.uint8]:
        """See Backend."""
        return np.asarray(self.env.render(), np.uint8)

    def memory(self) -> npt.NDArray[np.uint8] | None:
        """None."""
        return None

    def sound(self) -> npt.NDArray[np.uint8]:
        """None."""
        return np.empty(0, np.uint8)

    def close(self) -> None:
        """See Backend. Gymnasium's own environments quit pygame once they have drawn; controllers and sound need it."""
        for drawn_on in ("screen", "window_surface"):
            if getattr(self._core, drawn_on, None) is not None:
                setattr(self._core, drawn_on, None)
        self.env.close()


class ReplayingBackend(GymnasiumBackend):
    """A simulator whose state cannot be read: it returns to a moment by replaying the game from its seed."""

    def __init__(self, spec: EnvSpec, *, render: bool, sound: bool, fresh: bool) -> None:
        super().__init__(spec, render=render, sound=sound, fresh=fresh)
        self._seed = 0
        self._played: list[Any] = []

    def reset(self, seed: int) -> Array:
        """See Backend."""
        self._seed, self._played = seed, []
        return super().reset(seed)

    def step(self, action: Any) -> tuple[Array, float, bool, bool]:
        """See Backend."""
        self._played.append(action)
        return super().step(action)

    def snapshot(self) -> Any:
        """The seed, and the actions since."""
        return self._seed, tuple(self._played)

    def go_back(self, snapshot: Any) -> None:
        """See Backend."""
        seed, played = snapshot
        self.reset(seed)
        for action in played:
            self.step(action)
