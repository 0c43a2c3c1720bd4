"""The known environments: a declarative file for each, shipped with Twinplay or written by the user, and Atari's games.

    recorder/envs/specs/**/*.toml, <configuration>/envs/*.toml ──▶ get_spec("breakout"): EnvSpec
    recorder/envs/atari_games.toml                          ──▶ get_spec("pong"): EnvSpec

To add an environment, add a file: docs/environments.md. A recording's description of its environment is never used to
build one: the environment must be one of these.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs
from msgspec.structs import replace

from recorder.envs.atari_games import atari_games, atari_values
from recorder.envs.backend import BACKENDS, installed_version, program_sha256
from recorder.envs.components import expanded
from recorder.envs.spec import MOST_FRAMES, SCREEN, EnvSpec
from recorder.errors import TwinplayError, UnknownEnvError
from recorder.system.files import replacing

_SHIPPED = Path(__file__).parent / "specs"
_MODULE = re.compile(r"([A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Tables of a file, and the names of their entries in EnvSpec.
_TABLES: dict[str, dict[str, str]] = {
    "observation": {
        **{name: f"observation_{name}" for name in ("kind", "shape", "dtype", "names", "from", "key")},
        **{name: name for name in ("pixel_aspect", "palette", "playfield", "own_rows")},
    },
    "action": {
        **{name: f"action_{name}" for name in ("shape", "dtype", "names")},
        "mirror": "mirror_actions",
        "serve": "serve_action",
        "high": "action_high",
        "components": "components",
    },
    "start": {name: f"start_{name}" for name in ("noops", "moves", "move_ticks")},
}
_PLAIN = (
    *("title", "backend", "env_id", "kwargs", "rate_hz", "episode_ticks", "idle_ticks", "tick_bytes", "lives"),
    *("points", "distance_index", "module", "packages"),
)


class EnvFileError(TwinplayError):
    """A file that describes an environment cannot be used."""


def own_folder() -> Path:
    """The folder of the user's own environments."""
    return Path(platformdirs.user_config_dir("twinplay", appauthor=False)) / "envs"


def _shipped() -> dict[str, Path]:
    """The files that ship, by the names of their environments; those in a folder of their own come later."""
    return {path.stem: path for folder in ("*.toml", "*/*.toml") for path in sorted(_SHIPPED.glob(folder))}


@cache
def _files() -> dict[str, Path]:
    """The files by the names of their environments. One of the user's own counts before one that ships: their
    recordings were made with it, whatever a later version brings.
    """
    own = own_folder()
    found = sorted(own.glob("*.toml")) if own.is_dir() else []
    return _shipped() | {path.stem: path for path in found}


def env_names() -> tuple[str, ...]:
    """The names of the environments that can be recorded; the first one is the default.

    Those with a file come first, and then all games of the Atari.
    """
    files = _files()
    return (*files, *(name for name in atari_games() if name not in files))


def installed_spec(spec: EnvSpec) -> EnvSpec:
    """The spec of the environment here that a recording or a policy names, at their frame skip.

    Raises UnknownEnvError.
    """
    known = get_spec(spec.name)
    frames = spec.frame_skip
    if known.frame_skip is None or frames is None or frames > MOST_FRAMES:
        return known
    return known.skipping(frames)


def described_names() -> tuple[str, ...]:
    """The names of the environments that have a file: the shipped ones, then the user's own."""
    return tuple(_files())


@cache
def get_spec(name: str) -> EnvSpec:
    """The spec of an environment, with the installed simulator's versions.

    Raises UnknownEnvError, which lists known names, and EnvFileError for a file that cannot be used.
    """
    if name in _files():
        spec = read_spec(_files()[name])
    elif name in atari_games():
        spec = _completed(name, atari_values(name))
    else:
        close = difflib.get_close_matches(name, env_names(), 1)
        meant = f", did you mean {close[0]}?" if close else ";"
        raise UnknownEnvError(
            f"there is no environment named {name!r}{meant} choose one of: {', '.join(described_names())}, "
            "or an Atari game that `twinplay envs` lists"
        )
    versions = {package: version for package in spec.distributions if (version := installed_version(package))}
    return replace(spec, versions=versions, rom_sha256=program_sha256(spec))


def missing_packages(spec: EnvSpec) -> tuple[str, ...]:
    """The Python packages that an environment known here needs and that are not installed."""
    return tuple(package for package in spec.distributions if package not in spec.versions)


def varied_starts(name: str) -> int | None:
    """How many of a hundred varied starts of an environment differ; None where that was not counted."""
    shipped = name not in _files() or _SHIPPED in _files()[name].parents
    return atari_games()[name].starts if shipped and name in atari_games() else None


def usable_specs() -> tuple[list[EnvSpec], list[str]]:
    """All environments that can be used, and a sentence for each file that cannot."""
    specs, problems = [], []
    for name in env_names():
        try:
            specs.append(get_spec(name))
        except TwinplayError as error:
            problems.append(str(error))
    return specs, problems


def read_spec(path: Path) -> EnvSpec:
    """Read an environment's file. Raises EnvFileError, saying what in it is invalid."""
    try:
        if not _NAME.fullmatch(path.stem):
            raise ValueError("its name may contain only lower-case letters, digits and underscores")
        return _declared(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise EnvFileError(f"{path} does not describe an environment ({reason}); see docs/environments.md") from None


def _declared(name: str, values: dict[str, Any]) -> EnvSpec:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if key in ("controls", "chords", "held"):
            flat[key] = value
        elif key in _TABLES and isinstance(value, dict):
            unknown = set(value) - set(_TABLES[key])
            if unknown:
                raise ValueError(f"[{key}] has unknown entries: {', '.join(sorted(unknown))}")
            flat |= {_TABLES[key][entry]: each for entry, each in value.items()}
        elif key in _PLAIN:
            flat[key] = value
        else:
            raise ValueError(f"the entry {key} is unknown")
    backend = flat["backend"]
    if backend not in BACKENDS:
        raise ValueError(f"backend {backend!r} is unknown; choose one of: {', '.join(BACKENDS)}")
    if ":" in flat["env_id"]:
        raise ValueError(f"env_id {flat['env_id']!r} names a Python module; name it as `module`")
    if not _MODULE.fullmatch(str(flat.get("module", ""))):
        raise ValueError(f"module {flat['module']!r} is not the name of a Python module")
    if "components" in flat:
        if {"action_names", "action_shape", "action_dtype", "chords"} & flat.keys():
            raise ValueError("[action] components stand in place of names, shape, dtype and [chords]")
        flat |= expanded(flat.pop("components"))
    names, mirror = flat["action_names"], flat.pop("mirror_actions", [])
    if not isinstance(names, list) or not isinstance(mirror, list) or not all(each in names for each in mirror):
        raise ValueError("[action] has a list of names, and its mirror is a list of the same names")
    return _completed(name, flat | {"mirror_actions": [names.index(each) for each in mirror]})


def _completed(name: str, values: Mapping[str, Any]) -> EnvSpec:
    """The spec with these values; what it lacks follows from its back end."""
    kind = BACKENDS[values["backend"]]
    values = dict(values)
    screen = values.get("observation_kind") == SCREEN
    usual: dict[str, Any] = {
        "name": name,
        "kwargs": {},
        "idle_ticks": None,
        "action_shape": [],
        "mirror_actions": [],
        "distributions": [*kind.packages, *values.pop("packages", [])],
        "colours": kind.colours if screen else "palette",
        "stores_state": kind.stores_state,
        "same_memory": True,
        "versions": {},
        "rom_sha256": None,
    }
    return EnvSpec.from_json({**usual, **values})


def add_file(path: Path) -> Path:
    """Copy an environment's file into the folder of the user's own; returns the new path.

    Raises EnvFileError for a file that cannot be used, that has the name of a shipped one, or that cannot be copied.
    """
    spec = read_spec(path)
    try:
        if spec.name in _shipped():
            raise ValueError(f"an environment named {spec.name} ships with Twinplay; give the file another name")
        program_sha256(spec)
        target = own_folder() / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as part:
            part.write_bytes(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EnvFileError(f"{path} cannot be added: {error}") from None
    _files.cache_clear()
    get_spec.cache_clear()
    return target


def stored_spec(values: Any) -> EnvSpec:
    """The spec that a recording or a policy holds; its environment need not be installed.

    Raises ValueError, naming the entry that is missing or of the wrong type.
    """
    name = values.get("name") if isinstance(values, dict) else None
    known = isinstance(name, str) and name in env_names()
    return EnvSpec.from_json(values, get_spec(str(name)) if known else None)


def other_simulator(specs: Iterable[EnvSpec]) -> str:
    """A text that names the simulators of recordings and policies, if one differs from the installed; otherwise empty.

    Raises UnknownEnvError.
    """
    phrases = dict.fromkeys(each for spec in specs for each in spec.version_differences(get_spec(spec.name)))
    return f"a different simulator version ({'; '.join(phrases)})" if phrases else ""


def simulator_notes(specs: Mapping[str, EnvSpec]) -> tuple[str, ...]:
    """A sentence for each of these recordings and policies, by name, whose simulator differs from the installed one."""
    others = {name: other_simulator([spec]) for name, spec in specs.items()}
    return tuple(f"{name} was made with {other}" for name, other in others.items() if other)
