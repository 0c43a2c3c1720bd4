"""Writing a session while it is played: the Sink of a rollout.

    tick's thread                    queue (bounded)              writer's thread
    observe(), add() ─▶ block of ≤ 60 ticks ─▶ ░░░░ ─▶ GrowingArrays ─▶ commit (fsync, `ticks`)

The tick's thread only copies into preallocated blocks. A block is handed over when it is full or a quarter of a second
old, and at the end of each game; a commit follows at most a quarter of a second later, so a crash costs less than one
second of play. The queue is bounded: a disk that cannot keep up slows a full-speed recording down
and never fills the memory.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from recorder.agents.agent import KeyEvent
from recorder.envs.game import Game
from recorder.envs.spec import EnvSpec
from recorder.errors import LibraryError, SessionError
from recorder.play.rollout import Step
from recorder.store.places import Place, Url, keep_out_of_sessions, on_this_computer, place
from recorder.store.schema import (
    CHUNK_TICKS,
    EPISODE_COLUMNS,
    FORMAT,
    FORMAT_VERSION,
    KEY_COLUMNS,
    LABELS,
    OUTCOMES,
    SCALAR_CHUNK,
    TICK_COLUMNS,
)
from recorder.store.session import Session
from recorder.store.zarr_store import Array, GrowingArray, GrowingGroup
from recorder.system.jobs import start_thread

_HAND_OVER_NS = 250_000_000
_COMMIT_S = 0.25
_QUEUE_BLOCKS = 24  # of 2 MB each for Breakout: what is played at full speed during a commit; more could be lost
_BACK_PRESSURE_S = 0.002
_FINAL_CHUNK = 16


class _Block:
    """Rows of up to CHUNK_TICKS ticks."""

    def __init__(self, columns: dict[str, tuple[tuple[int, ...], str]]) -> None:
        self.rows = {name: np.zeros((CHUNK_TICKS, *shape), dtype) for name, (shape, dtype) in columns.items()}
        self.count = 0
        self.started_ns = 0


class SessionWriter:
    """Creates one session in a library and streams a rollout into it.

    `player` is `recorder.agents.agent.describe(agent)`. Raises LibraryError when the library folder cannot be written,
    or is a session itself. After a write error every further call raises SessionError; what was committed before stays
    readable. A `patient` writer says so in `trouble` instead, keeps what it was given and tries again: whoever plays
    should then wait.
    """

    def __init__(
        self,
        library: Path,
        game: Game,
        player: dict[str, Any],
        *,
        seed: int = 0,
        key_names: dict[int, str] | None = None,
        patient: bool = False,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        created = datetime.now(UTC)
        library = on_this_computer(place(library))
        keep_out_of_sessions(library)
        making = library / f".making-{uuid.uuid4().hex}"
        try:
            making.mkdir(parents=True)
            self._group = GrowingGroup(making, _attributes(game, player, seed, created, now(), key_names or {}))
            self._arrays = create_arrays(self._group, game.spec, game.storage())
            self.path, self._lock = move_in(self._group, library, created, game.spec)
            self._group.commit()
        except OSError as error:
            shutil.rmtree(making, ignore_errors=True)
            raise LibraryError(
                f"{library} cannot be written: {_reason(error)}; choose another library folder"
            ) from error
        self._spec = game.spec
        self._now = now
        self._block_columns = {**game.storage(), **tick_columns(game.spec)}
        self._block = _Block(self._block_columns)
        self._spare: queue.SimpleQueue[_Block] = queue.SimpleQueue()
        self._queue: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._episodes: list[dict[str, Any]] = []
        self._bases: list[tuple[int, float]] = []  # the game's ticks and score where each segment begins
        self._ticks = 0  # handed to the writer or in the open block
        self._over = False  # the last tick ended its game
        self._patient = patient
        self._trouble = ""
        self._failure: SessionError | None = None
        self._closed = False
        self._keys: list[KeyEvent] = []
        self._committed_s = time.monotonic()
        self._jobs: deque[Callable[[], object]] = deque()  # what the writer's thread has yet to do, in order
        self._dirty = False
        self._thread = start_thread(self._write_all, f"writer {self.path.name}")

    @property
    def ticks(self) -> int:
        """Ticks recorded so far."""
        return self._ticks

    @property
    def trouble(self) -> str:
        """Why a patient writer cannot write now, as a sentence; empty while it can."""
        return self._trouble

    def begin_episode(self, seed: int) -> None:
        """See Sink."""
        self._check()
        self._episodes.append(
            {
                "start": self._ticks,
                "stop": 0,
                "seed": seed,
                "total_reward": 0.0,
                "outcome": 0,
                "parent": -1,
                "parent_tick": -1,
                "excluded": False,
                "label": 0,
            }
        )
        self._bases.append((0, 0.0))
        self._put("episodes", [dict(row) for row in self._episodes])

    def observe(self, game: Game, observation: Array) -> None:
        """See Sink."""
        game.capture(observation, self._block.rows, self._block.count)

    def add(self, step: Step) -> None:
        """See Sink. Raises SessionError once writing has failed."""
        block = self._block
        rows, index = block.rows, block.count
        rows["action"][index] = step.action
        rows["reward"][index] = step.reward
        rows["terminated"][index] = step.terminated
        rows["truncated"][index] = step.truncated
        rows["lives"][index] = step.lives
        rows["time_ns"][index] = step.time_ns
        rows["due_ns"][index] = step.due_ns
        rows["speed"][index] = step.speed
        if index == 0:
            block.started_ns = step.time_ns
        block.count = index + 1
        self._ticks += 1
        self._over = step.terminated or step.truncated
        self._episodes[-1]["total_reward"] += step.reward
        if block.count == CHUNK_TICKS or step.time_ns - block.started_ns >= _HAND_OVER_NS:
            self._check()
            self._hand_over()

    def rewind(self, game: Game, observation: Array, tick: int, score: float, keep: bool) -> None:
        """See Sink."""
        self._check()
        self._hand_over()
        rows, excluded = self._episodes, not keep
        if rows[-1]["start"] == self._ticks and rows[-1]["parent"] >= 0:  # nothing was played since the last rewind
            cut, undone, fresh = rows[-3:]
            self._set_truncated(cut["stop"] - 1, False)  # it is cut earlier now
        else:
            cut, index = rows[-1], len(rows) - 1
            undone = {**cut, "parent": index, "stop": self._ticks, "outcome": OUTCOMES.index("rewound")}
            undone["total_reward"] = 0.0
            fresh = {**cut, "parent": index, "start": self._ticks, "total_reward": 0.0}
            rows += [undone, fresh]
            final = self._final(game, observation)
            self._put("final", final)  # of the segment that is cut: not read, its end is a tick that is stored
            self._put("final", final)
            self._bases += [self._bases[-1]] * 2
        base_tick, base_score = self._bases[-3]
        self._bases[-2] = self._bases[-1] = (tick, score)
        earned = cut["total_reward"] + undone["total_reward"]
        cut |= {"stop": cut["start"] + tick - base_tick, "total_reward": score - base_score}
        cut["outcome"] = OUTCOMES.index("rewound")
        undone |= {"start": cut["stop"], "total_reward": earned - cut["total_reward"], "excluded": excluded}
        undone["parent_tick"] = fresh["parent_tick"] = cut["stop"]
        for segment in (cut, undone):
            self._set_truncated(segment["stop"] - 1)
        self._put("episodes", [dict(each) for each in rows])

    def mark(self, label: str) -> None:
        """Label the episode under way, or the last one, as in LABELS."""
        self._check()
        if self._episodes:
            self._episodes[-1]["label"] = LABELS.index(label)
            self._put("episodes", [dict(each) for each in self._episodes])

    @property
    def label(self) -> str:
        """The label of the episode under way, or the last one."""
        return LABELS[self._episodes[-1]["label"]] if self._episodes else ""

    def key(self, event: KeyEvent) -> None:
        """Store a raw key transition."""
        self._keys.append(event)

    def end_episode(self, game: Game, observation: Array, outcome: str) -> None:
        """See Sink."""
        row = self._episodes[-1]
        row["stop"], row["outcome"] = self._ticks, OUTCOMES.index(outcome)
        if row["parent"] >= 0 and row["start"] == row["stop"]:  # rewound, and never played on: it ended there
            self._episodes[row["parent"]]["outcome"] = row["outcome"]
        if row["start"] < row["stop"] and not self._over:
            self._set_truncated(row["stop"] - 1)
        self._hand_over()
        self._put("final", self._final(game, observation))
        self._put("episodes", [dict(each) for each in self._episodes])

    def _set_truncated(self, tick: int, value: bool = True) -> None:
        """Whether a recorded tick is the last of an episode that the game itself did not end."""
        first = self._ticks - self._block.count
        if tick >= first:
            self._block.rows["truncated"][tick - first] = value
        else:
            self._put("truncated", (tick, value))

    def flush(self) -> None:
        """Hand everything to the writer's thread now, before a pause."""
        self._hand_over()

    def close(self) -> Session:
        """Finish the session. Open episodes must have been ended. Raises SessionError when writing had failed."""
        self._finish("close")
        if self._failure is not None:
            raise self._failure
        return Session.open(self.path)

    def discard(self) -> None:
        """Throw the take away: its folder leaves the library."""
        self._finish("abandon")
        shutil.rmtree(self.path, ignore_errors=True)

    def _final(self, game: Game, observation: Array) -> dict[str, Array]:
        final = {name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in game.storage().items()}
        game.capture(observation, final, 0)
        return final

    def _finish(self, command: str) -> None:
        if self._closed:
            return
        self._closed = True
        self._hand_over()
        self._put(command, None)
        self._thread.join()
        self._lock.release()
        with contextlib.suppress(OSError):
            Path(self._lock.lock_file).unlink()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _hand_over(self) -> None:
        if self._keys:
            keys, self._keys = self._keys, []
            self._put("keys", keys)
        if self._block.count:
            self._put("block", self._block)
            try:
                self._block = self._spare.get_nowait()
                self._block.count = 0
            except queue.Empty:
                self._block = _Block(self._block_columns)

    def _put(self, command: str, argument: Any) -> None:
        while self._queue.qsize() >= _QUEUE_BLOCKS:
            time.sleep(_BACK_PRESSURE_S)
        self._queue.put((command, argument))  # a queue of C's: queue.Queue's lock alone took a tenth of a tick

    # From here on: the writer's thread.

    def _write_all(self) -> None:
        while True:
            try:
                batch = [self._queue.get(timeout=_COMMIT_S)]
            except queue.Empty:
                batch = []
            with contextlib.suppress(queue.Empty):
                while len(batch) < _QUEUE_BLOCKS:
                    batch.append(self._queue.get_nowait())
            last = batch[-1][0] if batch else ""
            self._plan(batch)
            if self._failure is None:
                self._work(final=last == "close")
            if last in ("close", "abandon"):
                return

    def _plan(self, batch: list[tuple[str, Any]]) -> None:
        """Line up the writing of a batch, array by array, so that it can be taken up again where it was interrupted."""
        if self._failure is not None:
            return
        for command, argument in batch:
            if command == "block":
                for name in self._block_columns:
                    self._jobs.append(partial(self._arrays[name].append, argument.rows[name][: argument.count]))
                self._jobs.append(partial(self._spare.put, argument))
            elif command == "truncated":
                self._jobs.append(partial(self._arrays["truncated"].amend, *argument))
            elif command == "final":
                for name, row in argument.items():
                    self._jobs.append(partial(self._arrays[f"final_{name}"].append, row))
            elif command == "keys":
                for column in KEY_COLUMNS:
                    values = np.array([getattr(event, column.name) for event in argument], column.dtype)
                    self._jobs.append(partial(self._arrays[f"keys/{column.name}"].append, values))
        tables = [argument for command, argument in batch if command == "episodes"]
        if tables:
            for column in EPISODE_COLUMNS:
                values = np.array([row[column.name] for row in tables[-1]], column.dtype)
                self._jobs.append(partial(self._arrays[f"episodes/{column.name}"].replace, values))
        self._dirty = self._dirty or bool(batch)

    def _work(self, final: bool) -> None:
        """Write what is lined up and commit it when that is due; see the class for what follows an error."""
        try:
            while self._jobs:
                self._jobs[0]()
                self._jobs.popleft()
            if self._dirty and (final or time.monotonic() - self._committed_s >= _COMMIT_S):
                self._group.commit(
                    ticks=self._arrays["action"].rows,
                    episodes=self._arrays["episodes/start"].rows,
                    keys=self._arrays["keys/code"].rows,
                    finals=min(array.rows for name, array in self._arrays.items() if name.startswith("final_")),
                )
                self._committed_s, self._dirty = time.monotonic(), False
            if final:
                self._complete()
            self._trouble = ""
        except SessionError as error:  # what was written cannot be read back
            self._failure = error
        except OSError as error:
            if self._patient and not final:
                self._trouble = f"{self.path} cannot be written: {_reason(error)}"
                return
            self._failure = SessionError(
                f"{self.path} could not be written: {_reason(error)}; "
                "what was played until about a second before is kept; make room before the next take"
            )

    def _complete(self) -> None:
        for array in self._arrays.values():
            array.finish()
        self._group.commit()
        session = Session.open(self.path)
        self._group.commit(state="complete", summary=session.summary(), digest=session.digest())


def tick_columns(spec: EnvSpec) -> dict[str, tuple[tuple[int, ...], str]]:
    """Name -> (shape, dtype) of what every tick has beside what `Game.storage` names."""
    action = {"action": (spec.action_shape, spec.action_dtype)}
    return action | {column.name: ((), column.dtype) for column in TICK_COLUMNS}


def create_arrays(
    group: GrowingGroup, spec: EnvSpec, storage: Mapping[str, tuple[tuple[int, ...], str]]
) -> dict[str, GrowingArray]:
    """All arrays of a new session, by name; `storage` as `Game.storage` gives it."""
    arrays = {}
    for name, (shape, dtype) in storage.items():
        chunk = CHUNK_TICKS if len(shape) > 1 else 1_000
        arrays[name] = group.array(name, shape, dtype, chunk, growth=-(-SCALAR_CHUNK // chunk))
        arrays[f"final_{name}"] = group.array(f"final_{name}", shape, dtype, _FINAL_CHUNK)
    for name, (shape, dtype) in tick_columns(spec).items():
        arrays[name] = group.array(name, shape, dtype, SCALAR_CHUNK, growth=1)
    for folder, columns in (("episodes", EPISODE_COLUMNS), ("keys", KEY_COLUMNS)):
        for column in columns:
            arrays[f"{folder}/{column.name}"] = group.array(f"{folder}/{column.name}", (), column.dtype, 1_024)
    return arrays


def session_lock(path: Path) -> FileLock:
    """The operating system's lock that a recorder holds while it writes `path`; it lies outside the session.

    Raises OSError, and LibraryError where the session lies in another one.
    """
    file = _lock_file(path)
    keep_out_of_sessions(file.parents[1])
    file.parent.mkdir(exist_ok=True)
    # Not of one thread: a take is begun in one and finished in another.
    return FileLock(file, thread_local=False)


def _lock_file(session: Path) -> Path:
    """The same for every path that leads to the session."""
    real = on_this_computer(place(session))
    return real.parent / ".locks" / f"{real.name}.lock"


def is_being_written(path: Place) -> bool:
    """Whether a living recorder holds the session; at a URL nobody records."""
    if isinstance(path, Url):
        return False
    lock_file = _lock_file(path)
    if not lock_file.exists():
        return False
    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def move_in(group: GrowingGroup, library: Path, created: datetime, spec: EnvSpec) -> tuple[Path, FileLock]:
    """Move a new session into the library, where nobody ever sees it incomplete or unlocked; returns path and lock."""
    stem = f"{created:%Y-%m-%dT%H-%M-%S}-{spec.name}"
    for attempt in range(1, 1_000):
        path = library / (f"{stem}.zarr" if attempt == 1 else f"{stem}-{attempt}.zarr")
        lock = session_lock(path)
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=0)
            try:
                group.move_to(path)
                return path, lock
            except OSError:
                lock.release()
                if not path.exists():
                    raise
    raise LibraryError(f"{library} holds a thousand sessions of the same second; choose another library folder")


def _attributes(
    game: Game,
    player: dict[str, Any],
    seed: int,
    created: datetime,
    monotonic_ns: int,
    key_names: dict[int, str],
) -> dict[str, Any]:
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
    if game.spec.sees_screen:
        attributes["palette"] = game.palette.tolist()
    return attributes


def _reason(error: BaseException) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
