"""What an environment is, as data: what players see and do, at which rate, and what is stored of it.

    specs/breakout.toml ──read──▶ EnvSpec ──to_json──▶ every session and policy ──from_json──▶ EnvSpec

How one is built, stepped and drawn is the business of its back end (recorder.envs.backend).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

SCREEN, VECTOR = "screen", "vector"
STATE = "state"  # the array of simulator states
OBSERVATION_KINDS = (SCREEN, VECTOR)

# What makes a game what it is for players, files and networks: its identity, its interface, its settings and its ROM.
_DECIDING = (
    *("name", "env_id", "kwargs", "rate_hz", "rom_sha256"),
    *("observation_shape", "observation_dtype", "action_shape", "action_dtype", "action_names"),
)
_MOST_VERSIONS = 8  # a stranger's session may name any number
_MOST_NAMES = 100


@dataclass(frozen=True)
class EnvSpec:
    """Everything needed to build an environment again, and to know whether two are the same.

    Shapes and dtypes are those of one tick, as an Agent sees them. `rate_hz` is in ticks per second. `episode_ticks`
    and `idle_ticks` (ticks without a reward) end a game that nobody watches over. `backend` is one of
    `recorder.envs.backend.BACKENDS`, which builds `env_id` with `kwargs`.

    What is observed: a "screen" is RGB and stored as palette indices; a "vector" is stored as it is, with the
    simulator's state beside it where `stores_state`. `pixel_aspect` is how many times as wide as high the pixels of a
    console's picture are, which is then drawn with sharp edges; 0 for other pictures. `playfield` are the rows of a
    screen that a network sees, `own_rows` those where the player's own figure is: (first, last + 1), or nothing.
    `observation_names` name the entries of a vector, and `distance_index` the entry of a stored state that says how
    far forward it is, in metres.

    What is done: an action is one of `action_names`, or a vector with an entry for each. `mirror_actions` is the index
    of each action in the left-right mirrored screen, nothing where there is no mirror. `controls` are what a person
    holds down, in the order in which they lie, each an action with the keys that do by default (W3C UI Events names);
    nothing where nobody can play by hand. `chords` are the actions that several controls held together make.
    `serve_action` is the one without which no game begins. The first action is what is done while nothing is held.

    `lives` and `points`: whether losing a life, and earning a reward, are events. A varied start is 1 to `start_noops`
    no-ops and then 0 to `start_move_ticks` random `start_moves`. `tick_bytes` is about what a tick takes on disk.

    `versions` and `rom_sha256` name the simulator that is installed, or that made a recording; versions are told where
    they differ, and do not decide whether two environments are the same. `distributions` are the Python packages that
    `versions` are of.

    Raises ValueError for values that do not fit each other.
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
    action_names: tuple[str, ...]
    mirror_actions: tuple[int, ...]
    episode_ticks: int
    backend: str
    observation_kind: str
    idle_ticks: int | None = None
    distributions: tuple[str, ...] = ()
    observation_names: tuple[str, ...] = ()
    stores_state: bool = False
    distance_index: int | None = None
    pixel_aspect: float = 0.0
    playfield: tuple[int, ...] = ()
    own_rows: tuple[int, ...] = ()
    controls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    serve_action: str = ""
    lives: bool = False
    points: bool = False
    start_noops: int = 0
    start_moves: tuple[str, ...] = ()
    start_move_ticks: int = 0
    tick_bytes: int = 100
    versions: Mapping[str, str] = field(default_factory=dict)
    rom_sha256: str | None = None

    def __post_init__(self) -> None:
        if self.observation_kind not in OBSERVATION_KINDS:
            raise ValueError(f"observations are {' or '.join(OBSERVATION_KINDS)}, not {self.observation_kind!r}")
        if self.sees_screen != (len(self.observation_shape) == 3):
            raise ValueError(f"a {self.observation_kind} does not have the shape {self.observation_shape}")
        named = {*self.controls, *self.chords, *self.start_moves}
        named |= {control for chord in self.chords.values() for control in chord}
        named |= {self.serve_action} - {""}
        if not named <= set(self.action_names):
            unknown = ", ".join(sorted(named - set(self.action_names)))
            raise ValueError(f"there is no action named {unknown}; there are {', '.join(self.action_names)}")
        for name, value, least, most in (
            ("rate_hz", self.rate_hz, 0.1, 10_000),
            ("pixel_aspect", self.pixel_aspect, 0, 10),
            ("start_noops", self.start_noops, 0, 1_000),
            ("start_move_ticks", self.start_move_ticks, 0, 1_000),
            ("distance_index", self.distance_index or 0, 0, 10_000),
        ):
            if not least <= value <= most:
                raise ValueError(f"{name} is {value}, not from {least} to {most:,}")
        if self.mirror_actions and sorted(self.mirror_actions) != list(range(len(self.action_names))):
            raise ValueError("each action needs one that mirrors it")

    @property
    def discrete(self) -> bool:
        """True where an action is one of `action_names`, False where it is a vector in [-1, 1]."""
        return self.action_shape == ()

    @property
    def sees_screen(self) -> bool:
        """True where an observation is an RGB screen, False where it is a vector."""
        return self.observation_kind == SCREEN

    @property
    def drawn_live(self) -> bool:
        """Whether only a game that is being played can be drawn: it has no screens, and no state to go to is stored."""
        return not self.sees_screen and not self.stores_state

    @property
    def playable(self) -> bool:
        """Whether a person can play it by hand."""
        return bool(self.controls)

    @property
    def serve_index(self) -> int | None:
        """The index of the action without which no game begins; None where there is none."""
        return self.action_names.index(self.serve_action) if self.serve_action else None

    @property
    def chord_indices(self) -> dict[frozenset[int], int]:
        """The actions that several controls held together make: indices of the controls to that of the action."""
        index = self.action_names.index
        return {frozenset(map(index, controls)): index(action) for action, controls in self.chords.items()}

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """The shape of an observation as it is stored: a screen without its colours."""
        return self.observation_shape[:2] if self.sees_screen else self.observation_shape

    @property
    def observation_array(self) -> str:
        """The name under which observations are stored."""
        return "screen" if self.sees_screen else "observation"

    def storage(self, state_size: int) -> dict[str, tuple[tuple[int, ...], str]]:
        """Name -> (shape, dtype) of what is stored of the moment before a tick."""
        if self.sees_screen:
            return {SCREEN: (self.observation_shape[:2], "uint8")}
        stored = {"observation": (self.observation_shape, self.observation_dtype)}
        return stored | ({STATE: ((state_size,), "float64")} if self.stores_state else {})

    def distance(self, state: Sequence[float]) -> float | None:
        """How far forward a stored state is, in metres; None where there is no forward."""
        index = self.distance_index
        return None if index is None or index >= len(state) else float(state[index])

    def to_json(self) -> dict[str, Any]:
        """The spec as plain JSON values."""
        return {
            key: list(value)
            if isinstance(value, tuple)
            else {k: list(v) if isinstance(v, tuple) else v for k, v in value.items()}
            if isinstance(value, dict)
            else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: Any, installed: EnvSpec | None = None) -> EnvSpec:
        """The inverse of `to_json`; what a file of an earlier version lacks is as in the spec `installed` here.

        Raises ValueError, naming the entry that is missing or of the wrong kind.
        """
        if not isinstance(values, dict):
            raise ValueError("the environment's specification is not a table")
        given: dict[str, Any] = {}
        for each in fields(cls):
            if each.name not in values:
                if each.name in _OLDEST:
                    raise ValueError(f"the environment's specification has no usable '{each.name}'")
                given[each.name] = _absent(each.name, values, installed)
                continue
            try:
                given[each.name] = _READERS[each.name](values[each.name])
            except (TypeError, ValueError, AttributeError, OverflowError):
                raise ValueError(f"the environment's specification has no usable '{each.name}'") from None
        return cls(**given)

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


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _number(value: Any) -> float:
    if not isinstance(value, float | int) or isinstance(value, bool) or not math.isfinite(value):
        raise TypeError
    return value


def _optional(reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else reader(value)


def _tuple(reader: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > _MOST_NAMES:
            raise TypeError
        return tuple(map(reader, value))

    return read


def _table(reader: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > _MOST_NAMES:
            raise TypeError
        return {_text(key): reader(each) for key, each in value.items()}

    return read


_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ("name", "title", "env_id", "observation_dtype", "action_dtype", "backend", "observation_kind", "serve_action"),
        _text,
    ),
    "kwargs": _table(lambda value: value),
    "rate_hz": _number,
    "pixel_aspect": _number,
    **dict.fromkeys(("observation_shape", "action_shape", "mirror_actions", "playfield", "own_rows"), _tuple(_whole)),
    **dict.fromkeys(("action_names", "distributions", "observation_names", "start_moves"), _tuple(_text)),
    **dict.fromkeys(("episode_ticks", "start_noops", "start_move_ticks", "tick_bytes"), _whole),
    **dict.fromkeys(("idle_ticks", "distance_index"), _optional(_whole)),
    **dict.fromkeys(("stores_state", "lives", "points"), _flag),
    **dict.fromkeys(("controls", "chords"), _table(_tuple(_text))),
    "versions": _table(lambda value: value),
    "rom_sha256": _optional(_text),
}
# What every file has, also one that version 0.1 wrote.
_OLDEST = (
    *("name", "title", "env_id", "kwargs", "rate_hz", "observation_shape", "observation_dtype", "action_shape"),
    *("action_dtype", "action_names", "mirror_actions", "episode_ticks", "idle_ticks", "distributions", "versions"),
    "rom_sha256",
)


def _absent(name: str, values: Mapping[str, Any], installed: EnvSpec | None) -> Any:
    """What a field is taken for that a file does not have."""
    if installed is not None and installed.env_id == values.get("env_id"):
        return getattr(installed, name)
    shape = values.get("observation_shape")
    screen = isinstance(shape, Sequence) and len(shape) == 3
    if name == "observation_kind":
        return SCREEN if screen else VECTOR
    if name in ("lives", "points"):
        return screen
    if name == "stores_state":
        return not screen
    if name == "backend":
        return ""
    default = next(each for each in fields(EnvSpec) if each.name == name)
    return default.default_factory() if default.default_factory is not MISSING else default.default
