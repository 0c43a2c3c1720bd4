"""Which key plays which action, which controller steers, and the file that stores this.

    keys.json   {"version": 1, "environments": {"breakout": [{"code": 65, "name": "A", "action": "LEFT"}, …], …},
                 "keys": […],                      for an environment that is not named above; written by version 0.1
                 "controller": {"id": "0300…", "name": "PS4 Controller"}}      without it, any controller steers

A key whose meaning depends on the layout is stored by its position on the keyboard (recorder.agents.keyboard), any
other key by the toolkit's code; inputs of controllers have negative codes (recorder.agents.gamepad). Earlier versions
stored the toolkit's code of a letter, which means whichever key types that letter. `name` is what was printed on the
key when it was chosen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import platformdirs
from msgspec import Meta
from msgspec.structs import asdict

from recorder.agents.gamepad import ANY_DEVICE, Device
from recorder.envs.spec import EnvSpec
from recorder.errors import NewerVersionError, TwinplayError, check_version
from recorder.system.files import replacing
from recorder.system.records import read

_VERSION = 1
_MAX_BYTES = 100_000
_CODES = 1 << 31  # sessions store them as int32


class BindingsError(TwinplayError):
    """Key bindings cannot be read or written."""


class BoundKey(msgspec.Struct, frozen=True):
    """A key or a controller's input, what was printed on it, and the action that it plays."""

    code: Annotated[int, Meta(gt=-_CODES, lt=_CODES)]
    name: str
    action: str


class KeysFile(msgspec.Struct, frozen=True):
    """keys.json, drawn in the module's docstring. Only the keys that are asked for are read: others may be damaged."""

    version: int
    environments: dict[str, Any] = {}
    keys: Any = None
    controller: Device = ANY_DEVICE


class BoundKeys(msgspec.Struct, frozen=True):
    """The keys for one environment."""

    keys: tuple[BoundKey, ...]


@dataclass(frozen=True)
class Bindings:
    """`actions` maps key codes to actions, `names` key codes to what was printed on the keys when they were chosen.

    `controller` is the device that steers, or one of gamepad's ANY_DEVICE and NO_DEVICE.
    """

    actions: Mapping[int, int]
    names: Mapping[int, str]
    controller: Device = ANY_DEVICE

    def __post_init__(self) -> None:
        unnamed = set(self.actions) - set(self.names)
        if unnamed:
            raise ValueError(f"the keys {sorted(unnamed)} have no names")

    def keys_of(self, action: int) -> list[int]:
        """The keys that play `action`."""
        return [code for code, played in self.actions.items() if played == action]

    def code_of(self, *codes: int) -> int | None:
        """The first of a key's codes that is bound; None if none is."""
        return next((code for code in codes if code in self.actions), None)

    def bound(self, code: int, name: str, action: int) -> Bindings:
        """A copy with this key bound to `action` instead of anything it played before."""
        return replace(self, actions={**self.actions, code: action}, names={**self.names, code: name})

    def unbound(self, code: int) -> Bindings:
        """A copy without this key."""
        actions = {each: action for each, action in self.actions.items() if each != code}
        return replace(self, actions=actions, names={each: self.names[each] for each in actions})

    def keys_to_json(self, spec: EnvSpec) -> list[dict[str, Any]]:
        """The keys as plain JSON values; actions by name."""
        return [
            {"code": code, "name": self.names[code], "action": spec.control_names[action]}
            for code, action in self.actions.items()
        ]

    @classmethod
    def from_json(cls, values: Any, spec: EnvSpec) -> Bindings | None:
        """The bindings for an environment, from the contents of a file; None if it has none.

        Raises ValueError for anything else.
        """
        if isinstance(values, dict):
            check_version(values.get("version"), _VERSION)
        file = read(KeysFile, values)
        own = file.environments.get(spec.name)
        if own is None and file.keys is None:
            raise ValueError("it lacks keys")
        entries = read(BoundKeys, {"keys": file.keys if own is None else own}).keys
        if own is None and not {entry.action for entry in entries} <= set(spec.controls):
            return None
        actions = {entry.code: spec.control_names.index(entry.action) for entry in entries}
        return cls(actions, {entry.code: entry.name for entry in entries}, file.controller)


def bindings_file() -> Path:
    """The file of the player's own bindings, in the user's configuration folder."""
    return Path(platformdirs.user_config_dir("twinplay", appauthor=False)) / "keys.json"


def load_bindings(path: Path, spec: EnvSpec) -> Bindings | None:
    """The bindings stored at `path` for an environment; None if there are none.

    Raises BindingsError when they cannot be used.
    """
    try:
        values = _read(path)
        return None if values is None else Bindings.from_json(values, spec)
    except NewerVersionError as error:
        raise BindingsError(f"{path} cannot be read, so the default keys are used: {error}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BindingsError(
            f"{path} has no usable keys ({error}); the default keys are used until you choose others"
        ) from None


def save_bindings(path: Path, bindings: Bindings, spec: EnvSpec) -> None:
    """Store bindings for an environment at `path`, and keep those of others. The file is replaced atomically.

    Raises BindingsError, and keeps the file if a newer version wrote it.
    """
    try:
        before = _read(path)
        if isinstance(before, dict):
            check_version(before.get("version"), _VERSION)
    except NewerVersionError as error:
        raise BindingsError(
            f"{path} is left as it is, and the keys are kept only until Twinplay closes: {error}"
        ) from None
    except (OSError, ValueError, RecursionError):
        before = None
    keys = bindings.keys_to_json(spec)
    values = {**before} if isinstance(before, dict) else {"version": _VERSION}
    others = values.get("environments")
    values["environments"] = {**(others if isinstance(others, dict) else {}), spec.name: keys}
    values.setdefault("keys", keys)
    values.pop("controller", None)
    if bindings.controller != ANY_DEVICE:
        values["controller"] = asdict(bindings.controller)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_text(json.dumps(values, indent=1), encoding="utf-8")
    except OSError as error:
        raise BindingsError(
            f"{path} cannot be written: {error.strerror}; the keys are kept only until Twinplay closes"
        ) from None


def _read(path: Path) -> Any:
    """The contents of the file; None if it does not exist. Raises OSError or ValueError."""
    if not path.exists():
        return None
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError("it is too large")
    return json.loads(path.read_text(encoding="utf-8"))
