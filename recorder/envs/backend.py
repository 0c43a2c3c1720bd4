"""Back ends, one for each kind of simulator: they build, step, capture, restore and draw environments, with sound.

    EnvSpec.backend ──▶ Backend:  atari      the Arcade Learning Environment: screens, memory, sound
                                  mujoco     vectors or pictures, and the physics state
                                  gymnasium  everything else in Gymnasium; a state is restored by replaying the game

A back end knows a simulator but no particular game; the spec describes the game.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recorder.envs.spec import Colours, EnvSpec

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Kind:
    """A kind of simulator, described without loading it: the class of its back end, and its Python packages.

    `program` names what tells the digest of a game's program, if its games are separate files; `stores_state`: its
    state is stored with every tick; `goes_back`: it returns to a snapshot at once, without playing again; `colours`:
    how its screens are stored.
    """

    backend: str
    packages: tuple[str, ...]
    program: str = ""
    stores_state: bool = False
    goes_back: bool = True
    colours: Colours = "rgb"


BACKENDS: Mapping[str, Kind] = MappingProxyType(
    {
        "atari": Kind(
            "recorder.envs.atari:AtariBackend",
            ("gymnasium", "ale-py"),
            "recorder.envs.atari:rom_sha256",
            colours="palette",
        ),
        "mujoco": Kind("recorder.envs.mujoco:MujocoBackend", ("gymnasium", "mujoco"), stores_state=True),
        "gymnasium": Kind("recorder.envs.gymnasium:ReplayingBackend", ("gymnasium",), goes_back=False),
    }
)


class Backend(Protocol):
    """One running simulator. Moments are those between two ticks."""

    env: Any  # the gymnasium.Env, for agents that need its internals

    def __init__(self, spec: EnvSpec, *, render: bool, sound: bool, fresh: bool) -> None:
        """Raises UnknownEnvError if it cannot be built, and SystemLibraryError if it cannot be drawn."""

    def reset(self, seed: int) -> Array:
        """Begin a game; returns the first observation."""

    def step(self, action: Any) -> tuple[Array, float, bool, bool]:
        """Advance one tick; returns (observation, reward, terminated, truncated)."""

    def play(self, action: int) -> None:
        """Advance one tick without making an observation, if that is faster."""

    @property
    def lives(self) -> int:
        """Lives left; 0 in a game without lives."""

    @property
    def state_size(self) -> int:
        """The length of a stored state; 0 if none is stored."""

    def state(self) -> npt.NDArray[np.float64]:
        """The simulator's state, float64 (state_size,)."""

    def restore(self, state: Array) -> None:
        """Restore a state returned by `state`; the game then continues bit for bit the same."""

    def snapshot(self) -> Any:
        """Everything needed to come back to this moment, in memory."""

    def go_back(self, snapshot: Any) -> None:
        """Return to a snapshot of this game."""

    def capture(self, observation: Array, rows: Mapping[str, Array], index: int) -> None:
        """Copy the moment into row `index` of the arrays that are stored."""

    def picture(self) -> npt.NDArray[np.uint8]:
        """The game as a viewer shows it now, uint8 RGB (height, width, 3)."""

    def memory(self) -> npt.NDArray[np.uint8] | None:
        """A copy of the console's memory, uint8 (bytes,); None if there is none."""

    def sound(self) -> npt.NDArray[np.uint8]:
        """The sound of the last tick, unsigned samples around 128 at 60 × 512 Hz, uint8 (n,)."""

    def close(self) -> None:
        """Release the simulator."""


def backend_class(spec: EnvSpec) -> type[Backend]:
    """The back end that a spec names. Raises KeyError for an unknown one."""
    module, _, name = BACKENDS[spec.backend].backend.partition(":")
    found: type[Backend] = getattr(importlib.import_module(module), name)
    return found


def installed_version(package: str) -> str:
    """The version of a Python package; empty if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def program_sha256(spec: EnvSpec) -> str | None:
    """The digest of the game's program, if it is a separate file. Raises UnknownEnvError if the file is missing."""
    named = BACKENDS[spec.backend].program
    return str(_load(named)(spec)) if named else None


def _load(named: str) -> Any:
    module, _, name = named.partition(":")
    return getattr(importlib.import_module(module), name)
