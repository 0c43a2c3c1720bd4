"""Trainings on disk, whoever started them: the window follows these files, and so can another window tomorrow.

    library/runs/2026-11-21T10-14-03-breakout/
      config.json             what is trained: settings, sessions with digests, the policy's name       see `set_setup`
      state.json              where it stands, why, and the best figures so far                         replaced
      progress.jsonl          the progress records, one a line                                          grows
      log.txt                 what happened, with the time of day                                       grows
      checkpoint.safetensors  while it is not over: what it goes on from                                replaced
      events.out.tfevents.*   the curves, for TensorBoard
      request                 "pause" or "stop", asked of the process that trains

    QUEUED ──▶ RUNNING ──▶ DONE             PAUSED, INTERRUPTED and FAILED may be QUEUED again;
                  ├──▶ PAUSED ◀── asked     a checkpoint, where there is one, is gone on from
                  ├──▶ FAILED ◀── an error
                  └──▶ INTERRUPTED ◀── the process vanished

Whoever trains a run holds the operating system's lock `runs/.locks/<id>.lock`, so a run that says RUNNING and is not
locked is known to be interrupted, however its process ended. `trainer.runs.work` does the training.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import msgspec
from filelock import FileLock, Timeout
from msgspec.structs import replace

from recorder.errors import NewerVersionError, UsageError, first_line
from recorder.library.library import Library, ensure_writable
from recorder.library.names import first_of, name_of
from recorder.library.players import demonstrator
from recorder.store.session import Session
from recorder.system.records import plain, read, said
from recorder.system.trash import FOLDER, move_to_trash, restore_from_trash
from trainer.config import TrainConfig
from trainer.data.chosen_episodes import ticks_learned
from trainer.errors import RunError
from trainer.runs.run_files import add_to_log, end_of_log, read_json, update_json, write_json
from trainer.runs.setup import Setup, Source

CHECKPOINT, PROGRESS = "checkpoint.safetensors", "progress.jsonl"
_MOST_REASON = 2_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_POLICY_NAME = re.compile(r"[\w(][\w .,()+-]{0,99}")  # of a file in the library's policies, also a renamed one


class RunState(Enum):
    """Drawn in the module's docstring."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Status(msgspec.Struct, frozen=True):
    """Where a run stands. `reason` is a sentence; the figures are the latest that are known."""

    state: Annotated[RunState, said("where it stands", absent="")] = RunState.QUEUED
    reason: Annotated[str, said("why, as a sentence; may be empty")] = ""
    batches: Annotated[int, said("batches until now")] = 0
    seconds: Annotated[float, said("of all sittings until now")] = 0.0
    score: Annotated[float | None, said("mean return of the games that judged it last")] = None
    val_loss: Annotated[float | None, said("loss on the play that is held out")] = None
    val_accuracy: Annotated[float | None, said("accuracy on the play that is held out")] = None
    stopped_early: Annotated[bool, said("whether somebody ended it before its budget was used up")] = False
    queued_ns: Annotated[int, said("when it was queued; the least comes first")] = 0
    pid: Annotated[int, said("the process that trains it; 0 where none does")] = 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        values: dict[str, Any] = plain(self)
        return values

    @classmethod
    def from_json(cls, values: Any) -> Status:
        """The inverse of `to_json`; what a later version added is left out. Raises ValueError for anything else."""
        if not isinstance(values, dict) or "state" not in values:
            raise ValueError("it is not the state of a run")
        status = read(cls, values)
        return replace(status, reason=status.reason[:_MOST_REASON])


@dataclass(frozen=True)
class Run:
    """One run as read. `problem` is a sentence about files that cannot be read; there is no setup then."""

    id: str
    folder: Path
    setup: Setup | None
    status: Status
    policy: Path | None = None
    resumable: bool = False
    problem: str = ""

    @property
    def names_its_twin(self) -> bool:
        """Whether somebody chose the name of its twin."""
        return self.policy is not None and self.policy.stem != self.id

    @property
    def named(self) -> str:
        """What its twin is named, where somebody chose that; otherwise who played what it learns from, if known."""
        if self.policy is not None and self.names_its_twin:
            return self.policy.stem
        return "" if self.setup is None else first_of(source.player for source in self.setup.sources)

    @property
    def active(self) -> bool:
        """Whether it is trained, or waits for it."""
        return self.status.state in (RunState.QUEUED, RunState.RUNNING)


class Runs:
    """The runs of a library, whose folder need not exist yet."""

    def __init__(self, library: Path) -> None:
        self.library = library
        self.folder = library / "runs"
        self._setups: dict[Path, tuple[int, Setup]] = {}  # by file, with its time: they hardly ever change

    def create(
        self,
        sessions: Sequence[Session],
        config: TrainConfig,
        *,
        preset: str = "",
        episodes: Mapping[str, Sequence[int]] | None = None,
        policy: Path | None = None,
        parent: Path | None = None,
        left_out: str = "",
    ) -> Run:
        """A new run, QUEUED. `policy` defaults to one in the library with the run's name; with a `parent`, the training
        goes on from that policy. `left_out` says what of the sessions is not used.

        Raises RunError or LibraryError when the folder cannot be written, UsageError when there are no sessions.
        """
        if not sessions:
            raise UsageError("no session is chosen; choose at least one to train on")
        ensure_writable(self.folder)
        env, created = sessions[0].spec.name, datetime.now(UTC)
        folder = self._new_folder(f"{created:%Y-%m-%dT%H-%M-%S}", env)
        ticks = ticks_learned(sessions, episodes)
        sources = tuple(
            Source(
                str(session.place),
                str(session.attributes.get("digest") or session.digest()),
                learned / session.spec.rate_hz / 60,
                tuple((episodes or {})[session.name]) if session.name in (episodes or {}) else None,
                name_of(demonstrator(session.player)),
            )
            for session, learned in zip(sessions, ticks, strict=True)
        )
        name = f"{folder.name}.safetensors" if policy is None else self._policy_name(policy)
        origin = "" if parent is None else self._policy_name(parent)
        setup = Setup(env, preset, config, sources, name, created.isoformat(timespec="seconds"), origin, left_out)
        write_json(folder / "config.json", setup.to_json())
        self.set_status(folder.name, Status(queued_ns=time.time_ns()))
        self.log(
            folder.name,
            f"created: {preset or 'custom settings'}, learns from {', '.join(source.name for source in sources)}",
        )
        if left_out:
            self.log(folder.name, f"left out: {left_out}")
        return self.get(folder.name)

    def _policy_name(self, policy: Path) -> str:
        """How a setup names a policy: by its file in the library's policies, or by its whole path."""
        whole = policy.resolve()
        return policy.name if whole.parent == Library(self.library).policies.resolve() else str(whole)

    def path(self, run: str) -> Path:
        """The folder of a run that exists. Raises RunError for anything else, whatever it tries to name."""
        folder = self.folder / run
        if not _NAME.fullmatch(run) or folder.is_symlink() or not folder.is_dir():
            raise RunError(f"{self.library} has no run named {run!r}; `twinplay runs` lists them")
        return folder

    def get(self, run: str) -> Run:
        """One run; damaged files are told in its `problem`. Raises RunError when there is no such run."""
        folder = self.path(run)
        try:
            setup = self._setup(folder / "config.json")
            policy = self._policy_path(setup.policy)
        except (ValueError, OSError, RecursionError) as error:
            problem = (
                f"{folder / 'config.json'} cannot be read ({first_line(error)}); delete the run and start a new one"
            )
            if isinstance(error, NewerVersionError):
                problem = f"{folder / 'config.json'} cannot be read: {error}"
            return Run(run, folder, None, Status(RunState.FAILED, problem), problem=problem)
        try:
            status = Status.from_json(read_json(folder / "state.json"))
        except (ValueError, OSError, RecursionError) as error:
            reason = f"{folder / 'state.json'} cannot be read ({first_line(error)}); resume the run, or delete it"
            status = Status(RunState.FAILED, reason)
        over = status.state in (RunState.QUEUED, RunState.RUNNING, RunState.DONE)
        return Run(run, folder, setup, status, policy, not over)

    def find(self, run: str) -> Run | None:
        """One run, or None when there is no such run."""
        try:
            return self.get(run)
        except RunError:
            return None

    def all(self) -> list[Run]:
        """Every run, the newest first."""
        with contextlib.suppress(OSError):
            names = sorted(
                (entry.name for entry in os.scandir(self.folder) if _NAME.fullmatch(entry.name)), reverse=True
            )
            return [run for name in names if (run := self.find(name)) is not None]
        return []

    def queued(self) -> list[Run]:
        """The runs that wait, the next one first."""
        waiting = [run for run in self.all() if run.status.state is RunState.QUEUED]
        return sorted(waiting, key=lambda run: run.status.queued_ns)

    def set_status(self, run: str, status: Status) -> None:
        """Replace where a run stands. Raises RunError."""
        self._replace(run, "state.json", status.to_json())

    def set_setup(self, run: str, setup: Setup) -> None:
        """Replace what is noted of where a run's sessions and policy lie; all else of it is fixed. Raises RunError."""
        self._replace(run, "config.json", setup.to_json())

    def enqueue(self, run: str) -> None:
        """Let a run that is not over be trained again, from its checkpoint where there is one. Raises RunError."""
        found = self.get(run)
        if not found.resumable or found.setup is None:
            said = found.problem or f"it is {found.status.state.value}"
            raise RunError(f"the run {run} cannot be resumed: {said}")
        (found.folder / "request").unlink(missing_ok=True)
        self.set_status(run, replace(found.status, state=RunState.QUEUED, reason="", queued_ns=time.time_ns()))

    def request(self, run: str, what: str) -> None:
        """Ask whoever trains a run to "pause" or to "stop"; one that waits is paused at once. Raises RunError."""
        found = self.get(run)
        if found.status.state is RunState.QUEUED and not self.is_locked(run):
            self.set_status(run, replace(found.status, state=RunState.PAUSED, reason="it had not started"))
        elif found.status.state is RunState.RUNNING:
            (found.folder / "request").write_text(what, encoding="ascii")
        else:
            raise RunError(f"the run {run} is {found.status.state.value}; only a running one can {what}")

    def requested(self, run: str) -> str:
        """What was asked of the run, "" for nothing."""
        try:
            return (self.path(run) / "request").read_text(encoding="ascii", errors="replace")[:10]
        except OSError:
            return ""

    def log(self, run: str, line: str) -> None:
        """Add a line to a run's log."""
        with contextlib.suppress(OSError):
            add_to_log(self.path(run) / "log.txt", line)

    def read_log(self, run: str) -> str:
        """The end of a run's log, at most 64 kB of it."""
        try:
            return end_of_log(self.path(run) / "log.txt")
        except OSError:
            return ""

    def lock(self, run: str) -> FileLock:
        """The lock that whoever trains the run holds; of the name "" the one of whoever works through the queue."""
        folder = self.folder / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{run or 'queue'}.lock")

    def is_locked(self, run: str = "") -> bool:
        """Whether a process trains the run; without a name: whether one works through the queue."""
        if not (self.folder / ".locks" / f"{run or 'queue'}.lock").exists():
            return False
        lock = self.lock(run)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            return True
        lock.release()
        return False

    def settle(self, reason: str = "", among: Sequence[str] | None = None) -> list[Run]:
        """Mark as INTERRUPTED the runs (of all, or `among` some) that say RUNNING, but nobody trains them."""
        reason = reason or "the training process ended unexpectedly (killed, or the computer was switched off)"
        known = self.all() if among is None else [run for name in among if (run := self.find(name)) is not None]
        lost = [run for run in known if run.status.state is RunState.RUNNING and not self.is_locked(run.id)]
        for run in lost:
            self.set_status(run.id, replace(run.status, state=RunState.INTERRUPTED, reason=reason, pid=0))
            self.log(run.id, f"interrupted: {reason}")
        return [self.get(run.id) for run in lost]

    def trash(self, run: str) -> Path:
        """Move a run, which nobody trains, to the trash of runs; `restore` brings it back. Raises RunError."""
        folder = self.path(run)
        try:
            with self.lock(run).acquire(timeout=0):  # so that nobody begins to train it meanwhile
                return move_to_trash(folder)
        except Timeout:
            raise RunError(f"the run {run} is being trained; stop it first") from None
        except OSError as error:
            raise RunError(f"{folder} cannot be moved to the trash: {error.strerror}") from error

    def restore(self, trashed: Path) -> None:
        """Bring a run back from the trash. Raises RunError."""
        if trashed.parent != self.folder / FOLDER or not trashed.is_dir():
            raise RunError(f"{trashed} is not in the trash, so it cannot be restored")
        try:
            restore_from_trash(trashed)
        except OSError as error:
            raise RunError(f"{trashed} cannot be restored: {error.strerror}") from error

    def _replace(self, run: str, file: str, values: dict[str, Any]) -> None:
        path = self.path(run) / file
        try:
            update_json(path, values)
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror}; free some disk space") from error

    def _setup(self, path: Path) -> Setup:
        changed = path.stat().st_mtime_ns
        if self._setups.get(path, (0,))[0] != changed:
            self._setups[path] = (changed, Setup.from_json(read_json(path)))
        return self._setups[path][1]

    def parent(self, setup: Setup) -> Path | None:
        """The policy that a training goes on from, if any. Raises ValueError for a name that cannot be."""
        return self._policy_path(setup.parent) if setup.parent else None

    def _policy_path(self, named: str) -> Path:
        if os.path.isabs(named):
            return Path(named)
        if not _POLICY_NAME.fullmatch(named) or not named.endswith(".safetensors"):
            raise ValueError(f"its policy is named {named[:60]!r}")
        return Library(self.library).policies / named

    def _new_folder(self, stamp: str, env: str) -> Path:
        """Runs of one second are numbered in the order they were made, whatever their environment."""
        for number in _numbers():
            begun = stamp if number == 1 else f"{stamp}.{number}"
            if any(name.startswith(f"{begun}-") for name in os.listdir(self.folder)):
                continue
            folder = self.folder / f"{begun}-{env}"
            policy = Library(self.library).policies / f"{folder.name}.safetensors"
            with contextlib.suppress(FileExistsError):
                if not policy.exists():
                    folder.mkdir()
                    return folder
        raise AssertionError


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        number += 1
        yield number
