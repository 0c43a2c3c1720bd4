"""The environments there are: a declarative file each, those that ship with Twinplay and the user's own.

    recorder/envs/specs/*.toml, <configuration>/envs/*.toml ──▶ get_spec("breakout"): EnvSpec

Adding an environment is adding a file: docs/environments.md. What a recording says of its environment is never built:
it must be one of these.
"""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs
from msgspec.structs import replace

from recorder.envs.backend import BACKENDS, backend_class
from recorder.envs.spec import EnvSpec
from recorder.errors import TwinplayError, UnknownEnvError
from recorder.system.files import replacing

_SHIPPED = Path(__file__).parent / "specs"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Tables of a file, and what their entries are called in EnvSpec.
_TABLES: dict[str, dict[str, str]] = {
    "observation": {
        **{name: f"observation_{name}" for name in ("kind", "shape", "dtype", "names")},
        **{name: name for name in ("pixel_aspect", "playfield", "own_rows")},
    },
    "action": {
        **{name: f"action_{name}" for name in ("shape", "dtype", "names")},
        "mirror": "mirror_actions",
        "serve": "serve_action",
    },
    "start": {name: f"start_{name}" for name in ("noops", "moves", "move_ticks")},
}
_PLAIN = (
    *("title", "backend", "env_id", "kwargs", "rate_hz", "episode_ticks", "idle_ticks", "tick_bytes", "lives"),
    *("points", "distance_index"),
)


class EnvFileError(TwinplayError):
    """A file that describes an environment cannot be used."""


def own_folder() -> Path:
    """Where the user's own environments lie."""
    return Path(platformdirs.user_config_dir("twinplay", appauthor=False)) / "envs"


@cache
def _files() -> dict[str, Path]:
    """The files by the names of their environments; one's own never take the place of those that ship."""
    own = own_folder()
    found = {path.stem: path for path in sorted(own.glob("*.toml"))} if own.is_dir() else {}
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.toml"))} | {
        name: path for name, path in found.items() if not (_SHIPPED / path.name).exists()
    }


def env_names() -> tuple[str, ...]:
    """The environments that can be recorded, by name; the first is where one begins."""
    return tuple(_files())


@cache
def get_spec(name: str) -> EnvSpec:
    """The spec of an environment, with the installed simulator's versions.

    Raises UnknownEnvError, listing the names there are, and EnvFileError for a file that cannot be used.
    """
    if name not in _files():
        raise UnknownEnvError(f"there is no environment named {name!r}; choose one of: {', '.join(env_names())}")
    spec = read_spec(_files()[name])
    versions = {package: importlib.metadata.version(package) for package in spec.distributions}
    return replace(spec, versions=versions, rom_sha256=program_sha256(spec))


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
    """An environment's file. Raises EnvFileError, saying what in it cannot be meant."""
    try:
        if not _NAME.fullmatch(path.stem):
            raise ValueError("its name is not made of small letters, digits and underscores")
        return _declared(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise EnvFileError(f"{path} does not describe an environment ({reason}); see docs/environments.md") from None


def _declared(name: str, values: dict[str, Any]) -> EnvSpec:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if key in ("controls", "chords"):
            flat[key] = value
        elif key in _TABLES and isinstance(value, dict):
            unknown = set(value) - set(_TABLES[key])
            if unknown:
                raise ValueError(f"[{key}] has no entry {', '.join(sorted(unknown))}")
            flat |= {_TABLES[key][entry]: each for entry, each in value.items()}
        elif key in _PLAIN:
            flat[key] = value
        else:
            raise ValueError(f"there is no entry {key}")
    backend = flat["backend"]
    if backend not in BACKENDS:
        raise ValueError(f"backend {backend!r} is unknown; choose one of: {', '.join(BACKENDS)}")
    if ":" in flat["env_id"]:
        raise ValueError(f"env_id {flat['env_id']!r} names a module, which would be imported")
    names = flat["action_names"]
    mirrored = [names.index(each) for each in flat.pop("mirror_actions", [])]
    usual: dict[str, Any] = {
        "name": name,
        "kwargs": {},
        "idle_ticks": None,
        "action_shape": [],
        "mirror_actions": mirrored,
        "distributions": list(BACKENDS[backend].packages),
        "stores_state": BACKENDS[backend].stores_state,
        "versions": {},
        "rom_sha256": None,
    }
    return EnvSpec.from_json(usual | flat)


def add_file(path: Path) -> Path:
    """Copy the file of an environment to where the user's own lie; returns its place there.

    Raises EnvFileError for a file that cannot be used, that has the name of one that ships, or that cannot be copied.
    """
    spec = read_spec(path)
    try:
        if (_SHIPPED / path.name).exists():
            raise ValueError(f"an environment named {spec.name} ships with Twinplay; give the file another name")
        program_sha256(spec)
        target = own_folder() / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as part:
            part.write_bytes(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EnvFileError(f"{path} cannot be added: {error}") from None
    _files.cache_clear()
    return target


def program_sha256(spec: EnvSpec) -> str | None:
    """The digest of the game's program, where it is a file of its own. Raises UnknownEnvError where there is none."""
    return backend_class(spec).program_sha256(spec) if BACKENDS[spec.backend].has_program else None


def stored_spec(values: Any) -> EnvSpec:
    """The spec that a recording or a policy holds, which need not be of an environment that there is.

    Raises ValueError, naming the entry that is missing or of the wrong kind.
    """
    name = values.get("name") if isinstance(values, dict) else None
    known = isinstance(name, str) and name in _files()
    return EnvSpec.from_json(values, get_spec(str(name)) if known else None)


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
