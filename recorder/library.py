"""A folder of sessions.

library/
  2026-11-21T10-14-03-breakout.zarr/     sessions
  policies/                              clones trained on them (*.safetensors)
  .locks/   .trash/                      held by living recorders; sessions taken out
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from recorder.errors import LibraryError, SessionError
from recorder.session import Session
from recorder.timing import Timing
from recorder.writer import is_being_written

POLICIES = "policies"


@dataclass(frozen=True)
class SessionSummary:
    """One line of a list of sessions. `state`: complete, recording, interrupted, or unreadable (see `problem`)."""

    path: Path
    name: str
    env: str
    env_title: str
    player: dict[str, Any]
    created: str
    state: str
    ticks: int
    episodes: int
    seconds: float
    total_rewards: tuple[float, ...]
    size_bytes: int
    timing: Timing | None = None
    verified: bool = False
    problem: str = ""

    @property
    def mean_score(self) -> float | None:
        """Mean total reward of the episodes."""
        return sum(self.total_rewards) / len(self.total_rewards) if self.total_rewards else None

    @property
    def best_score(self) -> float | None:
        """Highest total reward of an episode."""
        return max(self.total_rewards, default=None)


def default_library() -> Path:
    """Where recordings go unless told otherwise: the user's data folder, or $TWINPLAY_LIBRARY."""
    chosen = os.environ.get("TWINPLAY_LIBRARY")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("twinplay", appauthor=False)) / "library"


class Library:
    """The sessions of one folder, which need not exist yet."""

    def __init__(self, path: Path | str | None = None) -> None:
        self.path = Path(path) if path is not None else default_library()

    @property
    def policies(self) -> Path:
        """The folder of policies trained here."""
        return self.path / POLICIES

    def sessions(self) -> list[SessionSummary]:
        """All sessions, the newest first; an unreadable one is listed with its problem.

        Raises LibraryError when the folder cannot be read.
        """
        try:
            paths = sorted(self.path.glob("*.zarr"), key=lambda path: path.name, reverse=True)
        except OSError as error:
            raise LibraryError(f"{self.path} cannot be read: {error.strerror}") from error
        if self.path.exists() and not self.path.is_dir():
            raise LibraryError(f"{self.path} is a file, not a library folder; choose a folder")
        return [summarize(path) for path in paths]

    def find(self, name: str) -> Path:
        """The path of session `name`, given with or without ".zarr". Raises SessionError when there is none."""
        path = self.path / f"{Path(name).name.removesuffix('.zarr')}.zarr"
        if not path.is_dir():
            raise SessionError(f"{self.path} holds no session named {name}; `twinplay sessions` lists them")
        return path

    def trash(self, name: str) -> Path:
        """Move a session out of the library into its trash and return where it lies; `restore` brings it back.

        Raises SessionError when there is no such session, or a living recorder writes it.
        """
        path = self.find(name)
        if is_being_written(path):
            raise SessionError(f"{path} is being recorded; stop the recording first")
        target = self.path / ".trash" / path.name
        try:
            target.parent.mkdir(exist_ok=True)
            if target.exists():
                target = target.with_name(f"{path.name.removesuffix('.zarr')}-{time.time_ns()}.zarr")
            path.rename(target)
        except OSError as error:
            raise LibraryError(f"{path} cannot be moved to {target}: {error.strerror}") from error
        return target

    def restore(self, trashed: Path) -> Path:
        """Bring a session back from the trash and return where it lies. Raises SessionError or LibraryError."""
        target = self.path / trashed.name
        if not trashed.is_dir() or trashed.parent != self.path / ".trash":
            raise SessionError(f"{trashed} is not in the trash of {self.path}; it cannot be brought back")
        try:
            trashed.rename(target)
        except OSError as error:
            raise LibraryError(f"{trashed} cannot be moved to {target}: {error.strerror}") from error
        return target


def summarize(path: Path) -> SessionSummary:
    """The summary of one session; never raises for a damaged one."""
    try:
        session = Session.open(path)
        summary = session.summary()
        state = "complete" if session.complete else "recording" if is_being_written(path) else "interrupted"
        return SessionSummary(
            path=path,
            name=session.name,
            env=session.spec.name,
            env_title=session.spec.title,
            player=session.player,
            created=session.created,
            state=state,
            ticks=len(session),
            episodes=int(summary["episodes"]),
            seconds=session.duration_s,
            total_rewards=tuple(float(score) for score in summary["total_rewards"]),
            size_bytes=int(summary["size_bytes"]),
            timing=Timing.from_json(summary["timing"]),
            verified=session.verified,
        )
    except (SessionError, KeyError, TypeError, ValueError) as error:
        return SessionSummary(
            path, path.name.removesuffix(".zarr"), "", "", {}, "", "unreadable", 0, 0, 0.0, (), 0, problem=str(error)
        )


def ensure_writable(folder: Path) -> None:
    """Raise LibraryError unless files can be made in `folder`, which is created if need be."""
    probe = folder / f".write-probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
    except OSError as error:
        raise LibraryError(f"{folder} cannot be written: {error.strerror}; choose another folder") from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
