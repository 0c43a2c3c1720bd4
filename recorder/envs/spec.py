"""What an environment is, as data: what players see and do, at which rate, and what is stored of it.

    specs/breakout.toml ──read──▶ EnvSpec ──to_json──▶ every session and policy ──from_json──▶ EnvSpec

How one is built, stepped and drawn is the business of its back end (recorder.envs.backend).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from recorder.system.records import Field, RecordError, check, fields, plain, read, said

SCREEN, VECTOR = "screen", "vector"
STATE = "state"  # the array of simulator states
ObservationKind = Literal["screen", "vector"]
Colours = Literal["palette", "rgb"]
ObservationSource = Literal["environment", "render"]
PaletteName = Literal["ntsc", "pal"]
OBSERVATION_KINDS: tuple[str, ...] = get_args(ObservationKind)

# What makes a game what it is for players, files and networks: its identity, its interface, its settings and its ROM.
_DECIDING = (
    *("name", "env_id", "kwargs", "rate_hz", "rom_sha256"),
    *("observation_shape", "observation_dtype", "observation_from", "observation_key"),
    *("action_shape", "action_dtype", "action_names", "action_vectors"),
)
_FRAME_SKIP = "frameskip"  # as the Arcade Learning Environment calls it
MOST_FRAMES = 8
_MOST_PIXELS = 256 * 1_024  # of an RGB screen: a chunk of 60 then has 47 MB
_MOST_VERSIONS = 8  # a stranger's session may name any number
_MOST_NAMES = 100
_Names = Annotated[tuple[str, ...], Meta(max_length=_MOST_NAMES)]
_Numbers = Annotated[tuple[int, ...], Meta(max_length=_MOST_NAMES)]
_Keys = Annotated[dict[str, _Names], Meta(max_length=_MOST_NAMES)]
_Table = Annotated[dict[str, Any], Meta(max_length=_MOST_NAMES)]


class EnvSpec(msgspec.Struct, frozen=True):
    """Everything needed to build an environment again, and to know whether two are the same.

    Shapes and dtypes are those of one tick, as an Agent sees them. `backend` is one of
    `recorder.envs.backend.BACKENDS`, which builds `env_id` with `kwargs`. The first action is what is done while
    nothing is held. `versions` and `rom_sha256` name the simulator that is installed, or that made a recording;
    versions are told where they differ, and do not decide whether two environments are the same.

    Raises ValueError for values that do not fit each other.
    """

    name: Annotated[str, said("short name")]
    title: Annotated[str, said("the name to show")]
    env_id: Annotated[str, said("as `gymnasium.make` takes it")]
    kwargs: Annotated[_Table, said("as `gymnasium.make` takes them")]
    rate_hz: Annotated[float, said("ticks per second", ge=0.1, le=10_000)]
    observation_shape: Annotated[_Numbers, said("shape of what a player sees in a tick")]
    observation_dtype: Annotated[str, said("its dtype")]
    action_shape: Annotated[_Numbers, said("`[]` for a discrete action")]
    action_dtype: Annotated[str, said("dtype of an action")]
    action_names: Annotated[_Names, said("of each discrete action, or of each component")]
    mirror_actions: Annotated[
        _Numbers, said("the action that each becomes in the left-right mirrored screen; empty where there is none")
    ]
    episode_ticks: Annotated[int, said("ticks after which a game that nobody watches over ends")]
    backend: Annotated[str, said("the kind of simulator: `atari`, `mujoco` or `gymnasium`")]
    observation_kind: Annotated[
        ObservationKind,
        said("a screen is a picture in RGB; a vector is stored as it is. Either is stored with a state or without"),
    ]
    colours: Annotated[
        Colours, said("how a screen is stored: `palette` as indices of its colours, `rgb` as it is", absent="")
    ] = "palette"
    observation_from: Annotated[
        ObservationSource,
        said("`environment`: what it gives a player; `render`: the picture that it draws for a viewer", absent=""),
    ] = "environment"
    observation_key: Annotated[str, said("the entry, where the environment gives a dictionary; may be empty")] = ""
    module: Annotated[
        str, said("the Python module that registers it; imported only if the user's own file says so, too")
    ] = ""
    idle_ticks: Annotated[int | None, said("ticks without a reward after which it ends", absent="")] = None
    distributions: Annotated[_Names, said("Python packages that decide how it plays", absent="")] = ()
    observation_names: Annotated[_Names, said("the entries of a vector; may be empty")] = ()
    stores_state: Annotated[bool, said("whether the array `state` is there")] = False
    distance_index: (
        Annotated[
            int, said("the entry of `state` that says how far forward it is, in metres", ge=0, le=10_000, off="unknown")
        ]
        | None
    ) = None
    pixel_aspect: Annotated[
        float, said("width of a pixel by its height on a console's screen; 0 for other pictures", ge=0, le=10)
    ] = 0.0
    palette: Annotated[PaletteName, said("the colours of palette indices, by the television standard")] = "ntsc"
    playfield: Annotated[_Numbers, said("rows that a network sees: first, last + 1; may be empty")] = ()
    own_rows: Annotated[_Numbers, said("rows of the player's own figure: first, last + 1; may be empty")] = ()
    controls: Annotated[
        _Keys,
        said(
            "what a person holds down, in the order in which it lies: action, list of default keys (W3C UI Events); "
            "one that is no action does something only in a chord; empty where nobody can play by hand"
        ),
    ] = {}
    held: Annotated[
        dict[str, Annotated[tuple[float, ...], Meta(max_length=_MOST_NAMES)]],
        said("what a control adds to a continuous action while it is held, from -1 to 1 for each component"),
    ] = {}
    action_high: Annotated[float, said("what 1 of a continuous action is to the simulator", ge=1e-6, le=1e6)] = 1.0
    action_vectors: Annotated[
        tuple[_Numbers, ...],
        said("what the simulator takes for each discrete action, if several at a time", max_length=_MOST_NAMES),
    ] = ()
    chords: Annotated[_Keys, said("action that several controls make together: list of the controls")] = {}
    serve_action: Annotated[str, said("the action without which no game begins; may be empty")] = ""
    lives: Annotated[bool, said("whether a lost life is an event")] = False
    points: Annotated[bool, said("whether a reward is an event")] = False
    start_noops: Annotated[int, said("a varied start is 1 to so many no-ops", ge=0, le=1_000)] = 0
    start_moves: Annotated[_Names, said("and then random ones of these actions")] = ()
    start_move_ticks: Annotated[int, said("0 to so many of them", ge=0, le=1_000)] = 0
    tick_bytes: Annotated[int, said("about what a tick takes on disk")] = 100
    same_memory: Annotated[
        bool,
        said("whether a console is switched on with the same memory for each game", absent="false: the first only"),
    ] = False
    versions: Annotated[_Table, said("the versions of `distributions`", absent="")] = {}
    rom_sha256: Annotated[str | None, said("SHA-256 of the game's ROM", absent="")] = None

    def __post_init__(self) -> None:
        check(self)
        if self.sees_screen != (len(self.observation_shape) == 3):
            raise ValueError(f"a {self.observation_kind} does not have the shape {self.observation_shape}")
        if self.colours == "rgb":
            _check_pictures(self)
        elif self.observation_from == "render":
            raise ValueError("what is drawn is a screen in RGB")
        chorded = {control for chord in self.chords.values() for control in chord}
        free = chorded | self.held.keys()
        named = {*self.chords, *self.start_moves, *(self.controls.keys() - free), *(free - self.controls.keys())}
        named |= {self.serve_action} - {""}
        if not named <= set(self.action_names):
            unknown = ", ".join(sorted(named - set(self.action_names)))
            raise ValueError(f"there is no action named {unknown}; there are {', '.join(self.action_names)}")
        if any(len(vector) != len(self.action_names) for vector in self.held.values()) or (self.held and self.discrete):
            raise ValueError("[held] has a number for each component of a continuous action")
        if self.action_vectors and (not self.discrete or len(self.action_vectors) != len(self.action_names)):
            raise ValueError("action_vectors has a list of numbers for each discrete action")
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
    def drawn_from_state(self) -> bool:
        """Whether a moment is drawn from its stored state: it has no screens."""
        return not self.sees_screen and self.stores_state

    @property
    def playable(self) -> bool:
        """Whether a person can play it by hand."""
        return bool(self.controls)

    @property
    def serve_index(self) -> int | None:
        """The index of the action without which no game begins; None where there is none."""
        return self.action_names.index(self.serve_action) if self.serve_action else None

    @property
    def modifiers(self) -> tuple[str, ...]:
        """The controls that are no actions: they do something only in a chord."""
        return tuple(control for control in self.controls if control not in self.action_names)

    @property
    def control_names(self) -> tuple[str, ...]:
        """The actions and then the modifiers; a control's index is its place here."""
        return self.action_names + self.modifiers

    @property
    def held_vectors(self) -> dict[int, tuple[float, ...]]:
        """What a control adds to a continuous action, by the control's index."""
        return {self.control_names.index(control): vector for control, vector in self.held.items()}

    @property
    def modifier_indices(self) -> frozenset[int]:
        """The indices of the modifiers."""
        return frozenset(range(len(self.action_names), len(self.control_names)))

    @property
    def chord_indices(self) -> dict[frozenset[int], int]:
        """The actions that several controls held together make: indices of the controls to that of the action."""
        index = self.control_names.index
        return {frozenset(map(index, controls)): index(action) for action, controls in self.chords.items()}

    @property
    def frame_skip(self) -> int | None:
        """How many frames of the simulator a tick is; None where the simulator knows no such thing."""
        frames = self.kwargs.get(_FRAME_SKIP)
        return frames if isinstance(frames, int) and not isinstance(frames, bool) and frames > 0 else None

    def skipping(self, frames: int) -> EnvSpec:
        """The same game, in which a tick is so many frames: an action is held for all of them.

        Raises ValueError where that cannot be, or for less than 1 or more than 8 frames.
        """
        return _skipping(self, frames)

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """The shape of an observation as it is stored: palette indices have no colours."""
        indices = self.sees_screen and self.colours == "palette"
        return self.observation_shape[:2] if indices else self.observation_shape

    @property
    def observation_array(self) -> str:
        """The name under which observations are stored."""
        return SCREEN if self.sees_screen else "observation"

    def storage(self, state_size: int) -> dict[str, tuple[tuple[int, ...], str]]:
        """Name -> (shape, dtype) of what is stored of the moment before a tick."""
        dtype = "uint8" if self.sees_screen else self.observation_dtype
        stored = {self.observation_array: (self.frame_shape, dtype)}
        return stored | ({STATE: ((state_size,), "float64")} if self.stores_state else {})

    def distance(self, state: Sequence[float]) -> float | None:
        """How far forward a stored state is, in metres; None where there is no forward."""
        index = self.distance_index
        return None if index is None or index >= len(state) else float(state[index])

    def to_json(self) -> dict[str, Any]:
        """The spec as plain JSON values."""
        values: dict[str, Any] = plain(self)
        return values

    @classmethod
    def from_json(cls, values: Any, installed: EnvSpec | None = None) -> EnvSpec:
        """The inverse of `to_json`; what a file of an earlier version lacks is as in the spec `installed` here.

        Raises ValueError, naming the entry that is missing or of the wrong kind.
        """
        if not isinstance(values, dict):
            raise ValueError("the environment's specification is not a table")
        lacking = [each for each in fields(cls) if each.name not in values]
        given = {each.name: _absent(each, values, installed) for each in lacking if each.name not in _OLDEST}
        missing = [each.name for each in lacking if each.name in _OLDEST]
        if missing:
            raise ValueError(f"the environment's specification has no usable '{missing[0]}'")
        try:
            return read(cls, values | given)
        except RecordError as error:
            if not error.field:
                raise
            name = error.field.partition("[")[0]
            raise ValueError(f"the environment's specification has no usable '{name}' ({error})") from None

    @property
    def interface(self) -> tuple[Any, ...]:
        """What players see and do: shapes, dtypes and the names of actions."""
        seen = (self.observation_shape, self.observation_dtype)
        return (*seen, self.action_shape, self.action_dtype, self.action_names, self.action_vectors)

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


def _check_pictures(spec: EnvSpec) -> None:
    height, width, planes = spec.observation_shape if spec.sees_screen else (0, 0, 0)
    if planes != 3 or spec.observation_dtype != "uint8" or height < 1 or width < 1:
        raise ValueError("a screen in RGB has the shape (height, width, 3) and the dtype uint8")
    if height * width > _MOST_PIXELS:
        raise ValueError(
            f"a screen of {width} × {height} pixels is too large to be recorded; give a smaller shape, and it is made "
            "smaller"
        )


def _skipping(spec: EnvSpec, frames: int) -> EnvSpec:
    now = spec.frame_skip
    if now is None:
        raise ValueError(f"{spec.title} knows no frame skip")
    if not 1 <= frames <= MOST_FRAMES:
        raise ValueError(f"a frame skip of {frames}; choose one from 1 to {MOST_FRAMES}")

    def ticks(count: int) -> int:
        return max(1, count * now // frames)

    return replace(
        spec,
        kwargs={**spec.kwargs, _FRAME_SKIP: frames},
        rate_hz=spec.rate_hz * now / frames,
        episode_ticks=ticks(spec.episode_ticks),
        idle_ticks=None if spec.idle_ticks is None else ticks(spec.idle_ticks),
        start_noops=ticks(spec.start_noops) if spec.start_noops else 0,
        start_move_ticks=ticks(spec.start_move_ticks) if spec.start_move_ticks else 0,
    )


def _word(value: Any) -> str:
    """A name or a version, as one may print what comes from anybody."""
    return "".join(letter for letter in str(value)[:40] if letter.isprintable())


# What every file has, also one that version 0.1 wrote.
_OLDEST = (
    *("name", "title", "env_id", "kwargs", "rate_hz", "observation_shape", "observation_dtype", "action_shape"),
    *("action_dtype", "action_names", "mirror_actions", "episode_ticks", "idle_ticks", "distributions", "versions"),
    "rom_sha256",
)


def _absent(field: Field, values: Mapping[str, Any], installed: EnvSpec | None) -> Any:
    """What a field is taken for that a file does not have."""
    name = field.name
    if name == "same_memory":  # a game was then recorded on a console that had played others
        return False
    if name in ("colours", "observation_from", "observation_key"):  # there was no other way then
        return field.default
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
    return "" if name == "backend" else field.default
