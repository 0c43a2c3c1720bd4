"""The environments that can be recorded, and the only door to Gymnasium.

    EnvSpec  (frozen: everything needed to build the environment again)  ──▶  Game  (one running environment)

An environment is recorded at its own rate: Breakout at the console's 60 ticks a second with neither frame
skip nor sticky actions, Hopper at its 125 Hz control rate. Adding an environment is adding one entry to `_SPECS`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import gymnasium
import numpy as np
import numpy.typing as npt

from recorder.envs.palette import ntsc_palette
from recorder.errors import AgentError, SessionError, SystemLibraryError, UnknownEnvError

Env: TypeAlias = gymnasium.Env[Any, Any]
Array: TypeAlias = npt.NDArray[Any]

# A picture of Hopper is drawn in software where there is no GPU; this size keeps that affordable.
_RENDER_SIZE = 400


# What makes a game what it is for players, files and networks: its identity, its interface, its settings and its ROM.
_DECIDING = (
    *("name", "env_id", "kwargs", "rate_hz", "rom_sha256"),
    *("observation_shape", "observation_dtype", "action_shape", "action_dtype", "action_names"),
)
_MOST_VERSIONS = 8  # a stranger's session may name any number


@dataclass(frozen=True)
class EnvSpec:
    """Everything needed to build an environment again, and to know whether two are the same.

    Shapes and dtypes are those of one tick, as an Agent sees them. `rate_hz` is in ticks per second.
    `episode_ticks` and `idle_ticks` (ticks without a reward) end a game that nobody watches over.
    `versions` and `rom_sha256` name the simulator that is installed, or that made a recording; versions are told where
    they differ, and do not decide whether two environments are the same.
    """

    name: str
    title: str
    env_id: str
    kwargs: Mapping[str, Any]
    rate_hz: float
    observation_shape: tuple[int, ...]
    observation_dtype: str
    action_shape: tuple[int, ...]  # () for a discrete action
    action_dtype: str
    action_names: tuple[str, ...]  # of each discrete action, or of each component of a continuous one
    mirror_actions: tuple[int, ...]  # the action of the left-right mirrored screen; empty where there is no mirror
    episode_ticks: int
    idle_ticks: int | None
    distributions: tuple[str, ...]  # the Python distributions whose versions matter for exact replay
    versions: Mapping[str, str] = field(default_factory=dict)
    rom_sha256: str | None = None

    @property
    def discrete(self) -> bool:
        """True where an action is one of `action_names`, False where it is a vector in [-1, 1]."""
        return self.action_shape == ()

    @property
    def has_screen(self) -> bool:
        """True where an observation is an RGB screen, False where it is a vector."""
        return len(self.observation_shape) == 3

    def to_json(self) -> dict[str, Any]:
        """The spec as plain JSON values."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Any) -> EnvSpec:
        """The inverse of `to_json`. Raises ValueError, naming the entry that is missing or of the wrong kind."""
        if not isinstance(values, dict):
            raise ValueError("the environment's specification is not a table")
        types: dict[str, tuple[type, ...]] = {
            "name": (str,),
            "title": (str,),
            "env_id": (str,),
            "kwargs": (dict,),
            "rate_hz": (float, int),
            "observation_shape": (list,),
            "observation_dtype": (str,),
            "action_shape": (list,),
            "action_dtype": (str,),
            "action_names": (list,),
            "mirror_actions": (list,),
            "episode_ticks": (int,),
            "idle_ticks": (int, type(None)),
            "distributions": (list,),
            "versions": (dict,),
            "rom_sha256": (str, type(None)),
        }
        for key, accepted in types.items():
            if key not in values or not isinstance(values[key], accepted):
                raise ValueError(f"the environment's specification has no usable '{key}'")
        given = {key: values[key] for key in types}
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        return cls(**fields)

    @property
    def interface(self) -> tuple[Any, ...]:
        """What players see and do: shapes, dtypes and the names of actions."""
        seen = (self.observation_shape, self.observation_dtype)
        return (*seen, self.action_shape, self.action_dtype, self.action_names)

    def differences(self, other: EnvSpec) -> list[str]:
        """What distinguishes the games of this spec from those of `other`, one phrase each; empty where nothing does.

        Interface, settings and ROM decide. The simulator's versions are told, not judged: see `version_differences`.
        """
        mine, theirs = self.to_json(), other.to_json()
        return [f"{key}: {mine[key]} here, {theirs[key]} there" for key in _DECIDING if mine[key] != theirs[key]]

    def version_differences(self, other: EnvSpec) -> list[str]:
        """Where the simulator of this spec has another version than that of `other`: "gymnasium 1.3.0, not 1.2.2"."""
        names = sorted({*self.versions, *other.versions})
        pairs = [(name, *(_word(spec.versions.get(name, "none")) for spec in (self, other))) for name in names]
        found = [f"{_word(name)} {mine}, not {theirs}" for name, mine, theirs in pairs if mine != theirs]
        return found[:_MOST_VERSIONS]


def _word(value: Any) -> str:
    """A name or a version, as one may print what comes from anybody."""
    return "".join(letter for letter in str(value)[:40] if letter.isprintable())


_SPECS = {
    spec.name: spec
    for spec in (
        EnvSpec(
            name="breakout",
            title="Breakout",
            env_id="ALE/Breakout-v5",
            kwargs={"frameskip": 1, "repeat_action_probability": 0.0},
            rate_hz=60.0,
            observation_shape=(210, 160, 3),
            observation_dtype="uint8",
            action_shape=(),
            action_dtype="uint8",
            action_names=("NOOP", "FIRE", "RIGHT", "LEFT"),
            mirror_actions=(0, 1, 3, 2),
            episode_ticks=36_000,
            idle_ticks=3_600,
            distributions=("gymnasium", "ale-py"),
        ),
        EnvSpec(
            name="hopper",
            title="Hopper",
            env_id="Hopper-v5",
            kwargs={},
            rate_hz=125.0,
            observation_shape=(11,),
            observation_dtype="float64",
            action_shape=(3,),
            action_dtype="float32",
            action_names=("thigh", "leg", "foot"),
            mirror_actions=(),
            episode_ticks=1_000,
            idle_ticks=None,
            distributions=("gymnasium", "mujoco"),
        ),
    )
}

ENV_NAMES: tuple[str, ...] = tuple(_SPECS)


@cache
def get_spec(name: str) -> EnvSpec:
    """The spec of a registered environment, with the installed simulator's versions.

    Raises UnknownEnvError, listing the names there are.
    """
    if name not in _SPECS:
        raise UnknownEnvError(f"there is no environment named {name!r}; choose one of: {', '.join(ENV_NAMES)}")
    spec = _SPECS[name]
    versions = {name: importlib.metadata.version(name) for name in spec.distributions}
    return replace(spec, versions=versions, rom_sha256=_rom_sha256() if spec.has_screen else None)


def other_simulator(specs: Iterable[EnvSpec]) -> str:
    """Words for the simulators of recordings and policies where one is not the installed one; nothing where all are.

    Raises UnknownEnvError.
    """
    phrases = dict.fromkeys(each for spec in specs for each in spec.version_differences(get_spec(spec.name)))
    return f"another simulator than the one installed here ({'; '.join(phrases)})" if phrases else ""


def simulator_notes(specs: Mapping[str, EnvSpec]) -> tuple[str, ...]:
    """A sentence for each of these recordings and policies, by name, that is not of the simulator installed here."""
    others = {name: other_simulator([spec]) for name, spec in specs.items()}
    return tuple(f"{name} was made with {other}" for name, other in others.items() if other)


def _rom_sha256() -> str:
    import ale_py.roms

    return hashlib.sha256(Path(str(ale_py.roms.get_rom_path("breakout"))).read_bytes()).hexdigest()


def _make_atari(spec: EnvSpec, render: bool) -> Env:
    import ale_py

    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    gymnasium.register_envs(ale_py)
    return gymnasium.make(spec.env_id, disable_env_checker=True, **spec.kwargs)


def _make_mujoco(spec: EnvSpec, render: bool) -> Env:
    if not render:
        return gymnasium.make(spec.env_id, disable_env_checker=True, **spec.kwargs)
    if sys.platform.startswith("linux"):
        os.environ.setdefault("MUJOCO_GL", "egl")  # draws with and without a screen
        if os.environ["MUJOCO_GL"] in ("egl", "osmesa"):
            os.environ["PYOPENGL_PLATFORM"] = os.environ["MUJOCO_GL"]  # MuJoCo refuses every other, with a traceback
        else:
            warnings.filterwarnings("ignore", module="glfw")  # it says the same again by failing
    return gymnasium.make(
        spec.env_id,
        disable_env_checker=True,
        render_mode="rgb_array",
        width=_RENDER_SIZE,
        height=_RENDER_SIZE,
        camera_name="track",  # the default camera stays where the hopper started
        **spec.kwargs,
    )


class Game:
    """One running environment: what a Rollout drives and a recording captures.

    `sticky` repeats the previous action with that probability (Machado et al. 2018) and marks the spec accordingly.
    `render=True` lets `picture()` draw where the observation is not a picture already; `sound=True` lets `sound()` be
    heard, for 6 % of the emulator's speed.
    Raises UnknownEnvError for a spec that is not one of ours at heart: gymnasium would import whatever module an id
    names, so none is taken from a file. Raises SystemLibraryError where drawing needs a library that is missing.
    """

    def __init__(self, spec: EnvSpec, *, render: bool = False, sticky: float = 0.0, sound: bool = False) -> None:
        known = get_spec(spec.name)
        if spec.env_id != known.env_id or not spec.kwargs.keys() <= known.kwargs.keys():
            raise UnknownEnvError(
                f"{known.title} is {known.env_id} with {', '.join(known.kwargs) or 'no'} settings, "
                f"not {spec.env_id!r} with {dict(spec.kwargs)}"
            )
        if sticky:
            spec = replace(spec, kwargs={**spec.kwargs, "repeat_action_probability": sticky})
        self.spec = spec
        self._render = render
        self._started = False
        make: Callable[[EnvSpec, bool], Env] = _make_atari if spec.has_screen else _make_mujoco
        try:
            with _drawing_errors():
                self.env: Env = make(spec, render)
        except gymnasium.error.Error as error:
            raise UnknownEnvError(f"{spec.env_id} cannot be built with {dict(spec.kwargs)}: {error}") from error
        self._core: Any = self.env.unwrapped
        self.palette = ntsc_palette()
        if sound and spec.has_screen:
            self._turn_sound_on()

    def __enter__(self) -> Game:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def lives(self) -> int:
        """Lives left; 0 in an environment that has none."""
        return int(self._core.ale.lives()) if self.spec.has_screen else 0

    @property
    def state_size(self) -> int:
        """Length of the simulator's state vector that `capture` stores; 0 where screens are stored."""
        if self.spec.has_screen:
            return 0
        import mujoco

        return int(mujoco.mj_stateSize(self._core.model, _mujoco_state()))

    def reset(self, seed: int, *, varied: bool = False) -> Array:
        """Start a new game and return its first observation.

        `varied` plays 1-30 no-ops and then 0-60 random LEFT or RIGHT ticks drawn from the seed: Breakout without
        sticky actions is deterministic, and no-ops alone lead to only four different games. Hopper's start is drawn
        from the seed by the simulator in any case.
        """
        seed = int(seed) & 0x7FFFFFFF
        if self.spec.has_screen and not self.spec.kwargs.get("repeat_action_probability"):
            # Nothing in the emulator is random, and being seeded it would load its ROM again, which takes 70 ms.
            self._core.np_random = np.random.default_rng(seed)
            observation, _ = self.env.reset()
        else:
            observation, _ = self.env.reset(seed=seed)
        self._started = True
        if varied and self.spec.has_screen:
            rng = np.random.default_rng(seed)
            moves = [0] * int(rng.integers(1, 31)) + rng.integers(2, 4, int(rng.integers(0, 61))).tolist()
            for move in moves:
                observation = self.env.step(move)[0]
        return np.asarray(observation)

    def step(self, action: Any) -> tuple[Array, float, bool, bool]:
        """Advance one tick; returns (observation, reward, terminated, truncated)."""
        observation, reward, terminated, truncated, _ = self.env.step(action)
        return observation, float(reward), bool(terminated), bool(truncated)

    def play(self, action: int) -> None:
        """Advance an emulator one tick, with no observation made of it: twice as fast as `step`."""
        self._core.ale.act(self._core._action_set[action])

    def memory(self) -> npt.NDArray[np.uint8] | None:
        """A copy of the console's memory, uint8 (128,); None where there is no emulator."""
        return np.array(self._core.ale.getRAM(), np.uint8) if self.spec.has_screen else None

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
        return np.clip(vector, -1.0, 1.0)

    def storage(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Name -> (shape, dtype) of what `capture` writes for one tick."""
        if self.spec.has_screen:
            return {"screen": (self.spec.observation_shape[:2], "uint8")}
        return {"observation": (self.spec.observation_shape, "float64"), "state": ((self.state_size,), "float64")}

    def capture(self, observation: Array, rows: Mapping[str, Array], index: int) -> None:
        """Copy the present moment into row `index` of the arrays named by `storage`."""
        if self.spec.has_screen:
            self._core.ale.getScreen(rows["screen"][index])
        else:
            rows["observation"][index] = observation
            rows["state"][index] = self.state()

    def state(self) -> npt.NDArray[np.float64]:
        """MuJoCo's physics state with its warm start, float64 (state_size,); `restore` continues bit for bit."""
        import mujoco

        state = np.empty(self.state_size, np.float64)
        mujoco.mj_getState(self._core.model, self._core.data, state, _mujoco_state())
        return state

    @staticmethod
    def distance(state: Array) -> float:
        """How far forward the hopper is in a state returned by `state`, in metres from where it started."""
        return float(state[1])  # the state begins with the time, then the positions, of which the first is x

    def restore(self, state: Array) -> None:
        """Put the simulator into a state returned by `state` (Hopper only)."""
        import mujoco

        if state.shape != (self.state_size,):
            raise SessionError(f"a stored state of {state.shape[0]} numbers does not fit {self.state_size} expected")
        if not self._started:
            self.reset(0)
        mujoco.mj_setState(self._core.model, self._core.data, np.ascontiguousarray(state, np.float64), _mujoco_state())
        warmstart = self._core.data.qacc_warmstart.copy()
        mujoco.mj_forward(self._core.model, self._core.data)  # so that pictures show the restored pose
        self._core.data.qacc_warmstart[:] = warmstart

    def snapshot(self) -> Any:
        """The simulator's whole state in memory, for `go_back`."""
        return self._core.clone_state(include_rng=True) if self.spec.has_screen else self.state()

    def go_back(self, snapshot: Any) -> None:
        """Return to a snapshot of this game. The emulator draws no screen before the next step (openai/gym#575)."""
        if self.spec.has_screen:
            self._core.restore_state(snapshot)
        else:
            self.restore(snapshot)

    def picture(self) -> npt.NDArray[np.uint8]:
        """The game as a viewer shows it now, uint8 RGB (height, width, 3)."""
        if self.spec.has_screen:
            return np.asarray(self._core.ale.getScreenRGB())
        with _drawing_errors():
            return np.asarray(self.env.render(), np.uint8)

    def _turn_sound_on(self) -> None:
        # gymnasium's own `sound_obs` would make observations of another kind.
        self._core.ale.setBool("sound_obs", True)
        self._core.load_game()

    def sound(self) -> npt.NDArray[np.uint8]:
        """The sound of the last tick, unsigned samples around 128 at 60 × 512 Hz, uint8 (512,)."""
        return np.asarray(self._core.ale.getAudio())

    def close(self) -> None:
        """Release the simulator."""
        self.env.close()


def _mujoco_state() -> int:
    import mujoco

    return int(mujoco.mjtState.mjSTATE_FULLPHYSICS) | int(mujoco.mjtState.mjSTATE_WARMSTART)


@contextlib.contextmanager
def _drawing_errors() -> Iterator[None]:
    """Turn the riddles of a missing OpenGL or EGL library into one sentence."""
    try:
        yield
    except gymnasium.error.Error:
        raise
    except Exception as error:  # PyOpenGL raises AttributeError, ImportError, RuntimeError or its own kinds
        text = f"{type(error).__name__}: {error}"
        if "MUJOCO_GL" in text:
            raise SystemLibraryError(
                f"MuJoCo knows no MUJOCO_GL={os.environ.get('MUJOCO_GL')}; set it to egl, osmesa or glfw, or unset it"
            ) from None
        if not any(word in text for word in ("EGL", "OpenGL", "GLContext", "glGetError", "glfw", "osmesa", "OSMesa")):
            raise
        asked = os.environ.get("MUJOCO_GL", "egl")
        if asked != "egl":
            needs = "its library is missing" if asked == "osmesa" else "there is no screen, or its library is missing"
            raise SystemLibraryError(
                f"MuJoCo cannot draw with MUJOCO_GL={asked}: {needs}; set it to egl, or unset it"
            ) from error
        raise SystemLibraryError(
            "MuJoCo cannot draw here because EGL is missing; install it with: sudo apt-get install libegl1 libgl1"
        ) from error
