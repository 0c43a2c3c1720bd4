"""Creating a session: its folder, its lock, its arrays and its first attributes.

    .making-5f3a…  ──arrays, attributes──▶  lock  ──rename──▶  2026-11-21T10-14-03-breakout.zarr

It is never visible in the library without its lock or while incomplete.
"""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from recorder.envs.game import Game
from recorder.envs.spec import EnvSpec
from recorder.errors import LibraryError
from recorder.store.corrections import ATTRIBUTE, shared_columns
from recorder.store.locks import release, session_lock
from recorder.store.places import keep_out_of_sessions
from recorder.store.schema import (
    CHUNK_TICKS,
    EPISODE_COLUMNS,
    FORMAT,
    FORMAT_VERSION,
    KEY_COLUMNS,
    OUTCOMES,
    SCALAR_CHUNK,
    TICK_COLUMNS,
)
from recorder.store.write_errors import reason
from recorder.store.zarr_store import GrowingArray, GrowingGroup
from recorder.system.files import make_folders

_FINAL_CHUNK = 16
_SAME_SECOND = 1_000  # names that are tried for a session


@dataclass(frozen=True)
class NewSession:
    """A session that was just created: its path, the lock held on it, its group, and its arrays by name."""

    path: Path
    lock: FileLock
    group: GrowingGroup
    arrays: dict[str, GrowingArray]


def create_session(library: Path, game: Game, created: datetime, attributes: dict[str, Any]) -> NewSession:
    """Create an empty session in `library`, with its first commit.

    Raises LibraryError if the library cannot be written, or is itself a session.
    """
    keep_out_of_sessions(library)
    making = library / f".making-{uuid.uuid4().hex}"
    try:
        make_folders(making)
        group = GrowingGroup(making, attributes)
        arrays = create_arrays(group, game.spec, game.storage(), shared=ATTRIBUTE in attributes)
        path, lock = move_in(group, library, created, game.spec)
        try:
            group.commit()
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            release(lock)
            raise
    except BaseException as error:
        shutil.rmtree(making, ignore_errors=True)
        if not isinstance(error, (OSError, MemoryError)):
            raise
        raise LibraryError(f"{library} cannot be written: {reason(error)}; choose another library folder") from error
    return NewSession(path, lock, group, arrays)


def tick_columns(spec: EnvSpec, shared: bool) -> dict[str, tuple[tuple[int, ...], str]]:
    """Name -> (shape, dtype) of the arrays that every tick has besides those of `Game.storage`.

    `shared`: a clone and its supervisor play together (recorder.store.corrections).
    """
    action = {"action": (spec.action_shape, spec.action_dtype)}
    columns = action | {column.name: ((), column.dtype) for column in TICK_COLUMNS}
    return columns | (shared_columns(spec) if shared else {})


def create_arrays(
    group: GrowingGroup, spec: EnvSpec, storage: Mapping[str, tuple[tuple[int, ...], str]], *, shared: bool
) -> dict[str, GrowingArray]:
    """All arrays of a new session, by name; `storage` is that of `Game.storage`, `shared` as for `tick_columns`."""
    arrays = {}
    for name, (shape, dtype) in storage.items():
        chunk = CHUNK_TICKS if len(shape) > 1 else 1_000
        arrays[name] = group.array(name, shape, dtype, chunk, growth=-(-SCALAR_CHUNK // chunk))
        arrays[f"final_{name}"] = group.array(f"final_{name}", shape, dtype, _FINAL_CHUNK)
    for name, (shape, dtype) in tick_columns(spec, shared).items():
        arrays[name] = group.array(name, shape, dtype, SCALAR_CHUNK, growth=1)
    for folder, columns in (("episodes", EPISODE_COLUMNS), ("keys", KEY_COLUMNS)):
        for column in columns:
            arrays[f"{folder}/{column.name}"] = group.array(f"{folder}/{column.name}", (), column.dtype, 1_024)
    return arrays


def move_in(group: GrowingGroup, library: Path, created: datetime, spec: EnvSpec) -> tuple[Path, FileLock]:
    """Move a new session, complete and locked, into the library; returns its path and lock."""
    stem = f"{created:%Y-%m-%dT%H-%M-%S}-{spec.name}"
    for attempt in range(1, _SAME_SECOND + 1):
        path = library / (f"{stem}.zarr" if attempt == 1 else f"{stem}-{attempt}.zarr")
        lock = session_lock(path)
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=0)
            try:
                group.move_to(path)
                return path, lock
            except OSError:
                release(lock)
                if not path.exists():
                    raise
    raise LibraryError(f"{library} has {_SAME_SECOND:,} sessions of the same second; choose another library folder")


def first_attributes(
    game: Game,
    player: dict[str, Any],
    seed: int,
    created: datetime,
    monotonic_ns: int,
    key_names: dict[int, str],
) -> dict[str, Any]:
    """The attributes of an empty session; `monotonic_ns` is the recording's current clock."""
    attributes: dict[str, Any] = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "ticks": 0,
        "episodes": 0,
        "keys": 0,
        "finals": 0,
        "state": "recording",
        "env": game.spec.to_json(),
        "player": player,
        "seed": seed,
        "created": created.isoformat(timespec="seconds"),
        "clock": {"monotonic_ns": monotonic_ns, "unix_ns": time.time_ns()},
        "key_names": {str(code): name for code, name in key_names.items()},
        "outcomes": list(OUTCOMES),
        "notes": "",
    }
    if game.spec.sees_screen and game.palette is not None:
        attributes["palette"] = game.palette.tolist()
    return attributes
