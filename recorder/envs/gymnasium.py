"""The base of back ends that build their environments with Gymnasium, and a back end for all its other environments."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from typing import Any, TypeAlias

import cv2
import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete

from recorder.envs.backend import Array
from recorder.envs.spec import EnvSpec
from recorder.errors import UnknownEnvError

Env: TypeAlias = gymnasium.Env[Any, Any]


def spare_warnings() -> None:
    """To be called before an environment is made: a warning of Box2D's ends the process where warnings are errors."""
    warnings.filterwarnings("ignore", "builtin type [sS]wig", DeprecationWarning)


class GymnasiumBackend:
    """See `recorder.envs.backend.Backend`; subclasses define how to come back to a moment."""

    def __init__(self, spec: EnvSpec, *, render: bool, sound: bool, fresh: bool) -> None:
        self.spec = spec
        spare_warnings()
        try:
            if spec.module:  # from the user's own file: a recording's spec is never built
                importlib.import_module(spec.module)
            self.env = self.build(render)
        except (gymnasium.error.Error, ImportError) as error:
            raise UnknownEnvError(f"{spec.env_id} cannot be built with {dict(spec.kwargs)}: {error}") from error
        self._core: Any = self.env.unwrapped
        states = self.env.observation_space
        self._states = int(states.n) if isinstance(states, Discrete) and states.start == 0 else 0
        done = self.env.action_space
        # A component that only goes up from 0 (a pedal) takes what is below as 0.
        self._pedals = np.flatnonzero(done.low == 0) if isinstance(done, Box) else np.empty(0, np.int64)
        self._given: Any = None  # what the environment gave last
        self._seen: Array | None = None  # and what a player sees of it, once it was looked at

    def build(self, render: bool) -> Env:
        """Create the environment."""
        drawn: dict[str, Any] = {"render_mode": "rgb_array"} if render or self._draws else {}
        return gymnasium.make(self.spec.env_id, disable_env_checker=True, **drawn, **self.spec.kwargs)

    def reset(self, seed: int) -> Array:
        """See Backend."""
        self._given, self._seen = self.env.reset(seed=seed)[0], None
        return self.look()

    def step(self, action: Any) -> tuple[Array, float, bool, bool]:
        """See Backend."""
        reward, terminated, truncated = self.advance(action)
        return self.look(), reward, terminated, truncated

    def advance(self, action: Any) -> tuple[float, bool, bool]:
        """Play a tick that nobody looks at; returns (reward, terminated, truncated)."""
        if self.spec.action_vectors:
            action = np.array(self.spec.action_vectors[action], self.env.action_space.dtype)
        elif self.spec.action_high != 1.0:
            action = action * np.float32(self.spec.action_high)
        if len(self._pedals):
            action = np.array(action)
            action[self._pedals] = action[self._pedals].clip(min=0)
        self._given, reward, terminated, truncated, _ = self.env.step(action)
        self._seen = None
        return float(reward), bool(terminated), bool(truncated)

    def look(self) -> Array:
        """What a player sees now. A numbered state is shown as a vector: 1 at its place, 0 elsewhere."""
        if self._seen is None:
            spec = self.spec
            given: Any = self._drawn() if self._draws else self._given
            try:
                given = given[spec.observation_key] if spec.observation_key else given
                self._seen = _reduced(np.asarray(given), spec) if spec.sees_screen else self._vector(given)
            except (KeyError, IndexError, TypeError, ValueError):
                entry = f"entry {spec.observation_key!r} of shape" if spec.observation_key else "shape"
                raise UnknownEnvError(
                    f"{spec.env_id} shows {self.env.observation_space}, in which its file expects a "
                    f"{spec.observation_kind} of {entry} {spec.observation_shape}; correct [observation]"
                ) from None
        return self._seen

    def _vector(self, given: Any) -> Array:
        if not self._states:
            return np.asarray(given).reshape(self.spec.observation_shape)
        vector = np.zeros(self._states, self.spec.observation_dtype)
        vector[int(given)] = 1
        return vector

    @property
    def _draws(self) -> bool:
        """Whether players see what is drawn for viewers."""
        return self.spec.observation_from == "render"

    def _drawn(self) -> npt.NDArray[np.uint8]:
        """The picture for viewers."""
        drawn = self.env.render()
        if drawn is None:
            raise UnknownEnvError(f"{self.spec.env_id} draws no pictures")
        return np.asarray(drawn, np.uint8)

    def play(self, action: int) -> None:
        """See Backend."""
        self.advance(action)

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
        """See Backend. Where players see pictures, a viewer sees the same."""
        return self.look() if self.spec.sees_screen else self._drawn()

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


def _reduced(picture: Array, spec: EnvSpec) -> Array:
    """A picture of the size that the spec says; a larger one is made smaller. Raises ValueError for any other."""
    height, width, planes = shape = spec.observation_shape
    if picture.shape == shape:
        return picture
    larger = picture.ndim == 3 and picture.shape[0] >= height and picture.shape[1] >= width
    if not larger or picture.dtype != np.uint8 or picture.shape[2] != planes:
        raise ValueError
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))


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

    def advance(self, action: Any) -> tuple[float, bool, bool]:
        """See GymnasiumBackend."""
        self._played.append(action)
        return super().advance(action)

    def snapshot(self) -> Any:
        """The seed, and the actions since."""
        return self._seed, tuple(self._played)

    def go_back(self, snapshot: Any) -> None:
        """See Backend."""
        seed, played = snapshot
        self.reset(seed)
        for action in played:
            self.advance(action)
