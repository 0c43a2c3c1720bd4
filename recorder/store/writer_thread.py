"""The thread that writes a session's arrays and commits them during play.

    put(command, argument) ─▶ ░░░░ ─▶ plan: one job for each array ─▶ work: do the jobs in order, commit when due

A commit stores what was written before it began, so a crash loses what came after that, until the next commit ends: see
CommitTimer. The queue is bounded: a slow disk slows a full-speed recording down, but never fills the memory.
"""

from __future__ import annotations

import contextlib
import math
import queue
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from recorder.agents.agent import KeyEvent
from recorder.errors import SessionError
from recorder.play.latency import Latency
from recorder.store.episode_rows import last_game
from recorder.store.new_session import NewSession
from recorder.store.origin import FORKS
from recorder.store.schema import CHUNK_TICKS, EPISODE_COLUMNS, KEY_COLUMNS
from recorder.store.session import Session
from recorder.store.write_errors import NO_MEMORY, reason, remedy
from recorder.store.zarr_store import Array
from recorder.system.jobs import start_thread
from recorder.system.jobs.failures import told
from recorder.system.priority import step_back

_LOSS_S, _FULL_SPEED_LOSS_S = 0.4, 0.6  # a commit at full speed costs as much as a hundred ticks
_WAIT_S = 0.25  # for more to write, at most, and between tries
_LAST_TRIES = 3  # in real time, at the end, so that a fault of a moment costs nothing
_QUEUE_BLOCKS = 12  # of 2 MB each for Breakout: enough for full-speed play during a commit; a crash loses the queue
_BATCH_BLOCKS = 4  # to write before it is looked whether a commit is due
_QUEUE_BYTES, _LEAST_BLOCKS = 64 << 20, 2  # larger screens have fewer blocks
_BACK_PRESSURE_S = 0.002
_MEMORY_S = 5.0  # to wait for a block to fill, if there is no memory for another
_KEPT = "everything up to about one second before is kept"


class Block:
    """Rows of up to CHUNK_TICKS ticks, by array name."""

    def __init__(self, columns: Mapping[str, tuple[tuple[int, ...], str]]) -> None:
        self.rows = {name: np.zeros((CHUNK_TICKS, *shape), dtype) for name, (shape, dtype) in columns.items()}
        self.count = 0
        self.started_ns = 0


class CommitTimer:
    """When to commit: early enough that it ends `loss_s` seconds after the previous commit began.

    How long a commit takes depends on the disk, so the last one's duration is allowed for.
    """

    def __init__(self, loss_s: float, now_s: float) -> None:
        self._loss_s, self._began_s, self._took_s = loss_s, now_s, 0.0

    def left_s(self, now_s: float) -> float:
        """In how many seconds to commit; none or fewer: now."""
        return self._began_s + self._loss_s - self._took_s - now_s

    def committed(self, began_s: float, now_s: float) -> None:
        """A commit that began at `began_s` has ended now."""
        self._began_s, self._took_s = began_s, now_s - began_s


class WriterThread:
    """Writes a new session in a separate thread; `columns` is name -> (shape, dtype) of the arrays of ticks.

    After a write error `check` raises SessionError, and nothing more is written. If the game runs in `real_time`, the
    thread instead reports the error in `trouble`, keeps its data and tries again, at the end for half a second; it also
    has the time to compress complete chunks thoroughly.
    """

    def __init__(self, new: NewSession, columns: Mapping[str, tuple[tuple[int, ...], str]], real_time: bool) -> None:
        self.trouble = ""  # in real time, why it cannot write now, as a sentence
        self._path, self._group, self._arrays = new.path, new.group, new.arrays
        self._columns = columns
        block = sum(CHUNK_TICKS * math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in columns.values())
        self._most_blocks = min(_QUEUE_BLOCKS, max(_LEAST_BLOCKS, _QUEUE_BYTES // block))
        self._real_time = real_time
        self._timer = CommitTimer(_LOSS_S if real_time else _FULL_SPEED_LOSS_S, time.monotonic())
        self._failure = ""  # as a sentence: an error that is kept would keep the game that it went through
        self._spare: queue.SimpleQueue[Block] = queue.SimpleQueue()
        self._queue: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._jobs: deque[Callable[[], object]] = deque()  # the remaining work, in order
        self._last_game: dict[str, Any] | None = None  # as in the columns of episodes
        self._forks: list[dict[str, Any]] = []  # the origins of the lead-ins that are written
        self._noted: dict[str, Any] = {}  # attributes that a complete session gets
        self._dirty = False
        self._thread = start_thread(self._run, f"writer {self._path.name}")

    def check(self) -> None:
        """Raise SessionError once writing has failed."""
        if self._failure:
            raise SessionError(self._failure)

    def block(self) -> Block:
        """An empty block to fill; a block that was already written is reused."""
        try:
            block = self._spare.get_nowait()
        except queue.Empty:
            return Block(self._columns)
        block.count = 0
        return block

    def swap(self, block: Block) -> Block:
        """Append the rows of a block, which the caller must not use afterwards; returns an empty one.

        Without memory for another, it waits for one that was written. Raises SessionError if none is.
        """
        try:
            following = self.block()
        except MemoryError:
            self._put("block", block)
            try:
                following = self._spare.get(timeout=_MEMORY_S)
            except queue.Empty:
                self._failure = f"{self._path} could not be written: {NO_MEMORY}; {_KEPT}"
                raise SessionError(self._failure) from None
            following.count = 0
        else:
            self._put("block", block)
        return following

    def put_keys(self, events: Sequence[KeyEvent]) -> None:
        """Append raw key transitions."""
        self._put("keys", events)

    def put_final(self, final: Mapping[str, Array]) -> None:
        """Append the final moment of an episode: name -> (1, …), with the names of `Game.storage`."""
        self._put("final", final)

    def put_episodes(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace the table of episodes."""
        self._put("episodes", rows)

    def put_fork(self, origin: Mapping[str, Any]) -> None:
        """Add the origin of a lead-in that was handed over."""
        self._put("fork", dict(origin))

    def put_truncated(self, tick: int, truncated: bool) -> None:
        """Change `truncated` of a tick that was already handed over."""
        self._put("truncated", (tick, truncated))

    def close(self, latency: Latency | None, noted: Mapping[str, Any] | None = None) -> None:
        """Write the rest, complete the session, with `latency` if there is one and the attributes `noted`, and wait for
        the thread to end.

        Then call `check` for errors.
        """
        self._noted = dict(noted or {}) | ({} if latency is None else {"latency": latency.to_json()})
        self._end("close")

    def leave(self) -> None:
        """Write the rest and wait for the thread to end; the session stays incomplete."""
        self._end("leave")

    def abandon(self) -> None:
        """Wait for the thread to end; the rest need not be written."""
        self._end("abandon")

    def _end(self, command: str) -> None:
        self._put(command, None)
        self._thread.join()

    def _put(self, command: str, argument: Any) -> None:
        while self._queue.qsize() >= self._most_blocks:
            time.sleep(_BACK_PRESSURE_S)
        self._queue.put((command, argument))  # a SimpleQueue (in C): queue.Queue's lock alone took a tenth of a tick

    # The following methods run in the thread.

    def _run(self) -> None:
        if self._real_time:
            step_back()
        while True:
            waits = self._dirty and not self.trouble and not self._failure
            wait_s = min(max(0.0, self._timer.left_s(time.monotonic())), _WAIT_S) if waits else _WAIT_S
            try:
                batch = [self._queue.get(timeout=wait_s)]
            except queue.Empty:
                batch = []
            with contextlib.suppress(queue.Empty):
                while len(batch) < _BATCH_BLOCKS:
                    batch.append(self._queue.get_nowait())
            last = batch[-1][0] if batch else ""
            try:
                self._plan(batch)
                if not self._failure:
                    if last in ("close", "leave"):
                        self._finish(complete=last == "close")
                    else:
                        self._work(patient=self._real_time)
            except Exception as error:  # told to the game, which would otherwise wait for this thread for ever
                self._failure = f"{self._path} could not be written: {told(error)}; {_KEPT}"
            if last in ("close", "leave", "abandon"):
                return

    def _plan(self, batch: list[tuple[str, Any]]) -> None:
        """Queue the writing of a batch, array by array, so that it can resume where an error interrupted it."""
        if self._failure:
            return
        for command, argument in batch:
            if command == "block":
                thorough = self._real_time and self._queue.empty()
                for name in self._columns:
                    rows = argument.rows[name][: argument.count]
                    self._jobs.append(partial(self._arrays[name].append, rows, thorough=thorough))
                self._jobs.append(partial(self._spare.put, argument))
            elif command == "truncated":
                self._jobs.append(partial(self._arrays["truncated"].amend, *argument))
            elif command == "fork":
                self._jobs.append(partial(self._forks.append, argument))
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
            self._jobs.append(partial(setattr, self, "_last_game", last_game(tables[-1])))
        self._dirty = self._dirty or bool(batch)

    def _finish(self, *, complete: bool) -> None:
        """Write the rest, and let the session be `complete`; in real time, try again before it is given up."""
        for left in reversed(range(_LAST_TRIES if self._real_time else 1)):
            done = self._work(final=True, complete=complete, patient=left > 0 and self._path.exists())
            if done or self._failure:
                return
            time.sleep(_WAIT_S)

    def _work(self, *, final: bool = False, complete: bool = False, patient: bool) -> bool:
        """Do the queued writes, and commit when due or `final`; returns whether it could.

        If it is `patient`, it may be called again after an error.
        """
        try:
            while self._jobs:
                self._jobs[0]()
                self._jobs.popleft()
            began_s = time.monotonic()
            if self._dirty and (final or self._timer.left_s(began_s) <= 0):
                self._group.commit(
                    ticks=self._arrays["action"].rows,
                    episodes=self._arrays["episodes/start"].rows,
                    keys=self._arrays["keys/code"].rows,
                    finals=min(array.rows for name, array in self._arrays.items() if name.startswith("final_")),
                    last_game=self._last_game,
                    **({FORKS: self._forks} if self._forks else {}),
                )
                self._timer.committed(began_s, time.monotonic())
                self._dirty = False
            if complete:
                self._complete()
            self.trouble = ""
            return True
        except SessionError as error:  # the written data cannot be read back
            if not (patient and final):
                self._failure = str(error)
        except (OSError, MemoryError) as error:
            if patient:
                self.trouble = f"{self._path} cannot be written: {reason(error)}"
                return False
            told = f"{reason(error)}; {_KEPT}; {remedy(reason(error))} before the next take"
            if not (self._path / "zarr.json").exists():  # the folder may be left, with a part of its files
                told = "its folder was deleted or moved, and what was recorded went with it; restore the folder"
            self._failure = f"{self._path} could not be written: {told}"
        return False

    def _complete(self) -> None:
        for array in self._arrays.values():
            array.finish()
        self._group.commit()
        session = Session.open(self._path)
        facts = {"summary": session.summary(), "digest": session.digest(), **self._noted}
        self._group.commit(state="complete", last_game=None, **facts)
