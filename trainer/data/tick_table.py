"""The training data of all sessions as one table with a row for each tick.

    session A  ██████░░████   session B  ███░██████          excluded spans split an episode into parts
               part 0  part 1            2   part 3
    rows       0 … 5   6 … 9             10… 13 …            numbered consecutively; all actions in one file

A row's past and future end with its part. Nothing is kept in memory per tick.

Inputs are preprocessed screens, vectors, or, once a network has learned to see (trainer.learn.perception), the
positions that it finds on screens.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.envs.spec import EnvSpec
from recorder.store.schema import CHUNK_TICKS
from recorder.store.session import Session
from trainer.config import TrainConfig
from trainer.errors import TrainingError
from trainer.policy.keypoints import LAG, with_those_before
from trainer.policy.preprocess import Preprocess

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]

# Read in one go; whole chunks, so that none is decoded twice.
_SCREEN_CHUNKS, _SCREEN_BYTES, _VECTORS = 10, 32 << 20, 10_000
_BLOCK_ROWS = 1 << 18


class Ranges:
    """The rows of some ranges, one after another, as one sequence that is not stored: `ranges[indices]` are rows."""

    def __init__(self, ranges: Sequence[range]) -> None:
        self.ranges = ranges
        self._starts = np.array([each.start for each in ranges], np.int64)
        self._edges = np.concatenate([[0], np.cumsum([len(each) for each in ranges])]).astype(np.int64)

    def __len__(self) -> int:
        return int(self._edges[-1])

    def __getitem__(self, indices: Rows) -> Rows:
        """Rows int64 at indices (…) below the length."""
        which = np.searchsorted(self._edges, indices, "right") - 1
        return self._starts[which] + (indices - self._edges[which])

    def has(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which of rows (…) are in one of the ranges, which must be in rising order."""
        if not self.ranges:
            return np.zeros(rows.shape, bool)
        which = np.maximum(np.searchsorted(self._starts, rows, "right") - 1, 0)
        return np.asarray((rows >= self._starts[which]) & (rows < self._starts[which] + np.diff(self._edges)[which]))

    def shared_with(self, others: Sequence[range]) -> list[range]:
        """The non-empty intersections with each of `others`, as ranges in rising order."""
        common = [
            range(max(mine.start, other.start), min(mine.stop, other.stop)) for mine in self.ranges for other in others
        ]
        return sorted((rows for rows in common if rows), key=lambda rows: rows.start)

    def blocks(self) -> Iterator[Rows]:
        """All rows in order, in blocks."""
        for first in range(0, len(self), _BLOCK_ROWS):
            yield self[np.arange(first, min(first + _BLOCK_ROWS, len(self)))]


class TickTable:
    """Parts of sessions of one environment, one after another; call `read_actions` first."""

    def __init__(self, parts: Sequence[tuple[Session, range]], spec: EnvSpec, config: TrainConfig) -> None:
        self.spec = spec
        self._sessions = [session for session, _ in parts]
        self._first_ticks = np.array([part.start for _, part in parts], np.int64)
        self._edges = np.concatenate([[0], np.cumsum([len(part) for _, part in parts])]).astype(np.int64)
        self._preprocess = Preprocess.of(config)
        self.positions = config.positions
        self._actions: Array = np.empty((0, *spec.action_shape), spec.action_dtype)
        self.locate: Callable[[Array], Array] | None = None  # see KeypointNet

    def __len__(self) -> int:
        return int(self._edges[-1])

    @property
    def parts(self) -> list[range]:
        """The rows of each part."""
        return [range(first, stop) for first, stop in pairwise(self._edges.tolist())]

    @property
    def corrected(self) -> bool:
        """Whether a clone and its supervisor played some of it (recorder.store.corrections)."""
        return any(shown is not None for _, shown in self._shown)

    @cached_property
    def corrections(self) -> Ranges:
        """The rows in which a supervisor showed a clone what to do, in order."""
        return Ranges([rows for _, shown in self._shown for rows in shown or ()])

    @property
    def to_imitate(self) -> list[range]:
        """The rows that show what to do: all but those in which a clone played by itself, in order."""
        return [rows for part, shown in self._shown for rows in ([part] if shown is None else shown)]

    @cached_property
    def _shown(self) -> list[tuple[range, list[range] | None]]:
        """The rows of each part, and those of them that are corrections if a clone and its supervisor played it."""
        found: list[tuple[range, list[range] | None]] = []
        for session, first, part in zip(self._sessions, self._first_ticks.tolist(), self.parts, strict=True):
            together = session.corrections
            if together is None:
                found.append((part, None))
                continue
            wanted = together.to_imitate()[first : first + len(part)].astype(np.int8)
            edges = np.flatnonzero(np.diff(wanted, prepend=0, append=0)) + part.start
            found.append((part, [range(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]))
        return found

    @property
    def screen_shape(self) -> tuple[int, int]:
        """Rows and columns of a preprocessed screen."""
        return self._preprocess.shape(self.spec.observation_shape)

    @property
    def action_bytes(self) -> int:
        """The size of the file of actions."""
        return len(self) * self._actions.dtype.itemsize * int(np.prod(self.spec.action_shape, dtype=int))

    def read_actions(self, folder: Path) -> None:
        """Write the actions of all rows to a file in `folder`. Raises SessionError, TrainingError and OSError."""
        file = folder / "actions"
        known = len(self.spec.action_names)
        with file.open("wb") as out:
            for session, first, (row, stop) in zip(
                self._sessions, self._first_ticks.tolist(), pairwise(self._edges.tolist()), strict=True
            ):
                actions = session.actions[first : first + stop - row]
                if self.spec.discrete and actions.max() >= known:
                    raise TrainingError(
                        f"{session.place} has action {actions.max()}, but the actions of {self.spec.title} are 0 to "
                        f"{known - 1}; do not select this session"
                    )
                out.write(np.ascontiguousarray(actions, self.spec.action_dtype).data)
        shape = (len(self), *self.spec.action_shape)
        self._actions = np.asarray(np.memmap(file, self.spec.action_dtype, "r", shape=shape))

    def actions(self, rows: Rows) -> Array:
        """The actions at rows (…): int64 (…), or float32 (…, m)."""
        return np.asarray(self._actions[rows], np.int64 if self.spec.discrete else np.float32)

    def starts(self, rows: Rows) -> Rows:
        """The first row of the part of each of rows (…)."""
        return self._edges[np.searchsorted(self._edges, rows, "right") - 1]

    def stops(self, rows: Rows) -> Rows:
        """The row after the last one of the part of each of rows (…)."""
        return self._edges[np.searchsorted(self._edges, rows, "right")]

    def within(self, rows: range, back: int, ahead: int) -> range:
        """These rows of one part, extended within it by up to `back` rows before and `ahead` rows after."""
        part = int(np.searchsorted(self._edges, rows.start, "right")) - 1
        first, stop = int(self._edges[part]), int(self._edges[part + 1])
        return range(max(first, rows.start - back), min(stop, rows.stop + ahead))

    def cut(self, rows: Ranges, ticks: int) -> list[range]:
        """These rows as ranges of at most `ticks` rows, each within a part."""
        pieces = []
        for each in rows.ranges:
            inner = self._edges[(self._edges > each.start) & (self._edges < each.stop)]
            for start, stop in pairwise([each.start, *inner.tolist(), each.stop]):
                pieces += [range(first, min(first + ticks, stop)) for first in range(start, stop, ticks)]
        return pieces

    def at(self, rows: range) -> tuple[Session, range]:
        """The session that rows of one part belong to, and their ticks in it."""
        part = int(np.searchsorted(self._edges, rows.start, "right")) - 1
        offset = int(self._first_ticks[part] - self._edges[part])
        return self._sessions[part], range(rows.start + offset, rows.stop + offset)

    def inputs(self, rows: range) -> Iterator[Array]:
        """The inputs of rows of one part, read from its session in blocks.

        uint8 (n, size, size) or float32 (n, m). Raises SessionError.
        """
        if not self.spec.sees_screen:
            session, ticks = self.at(rows)
            for some in _at_once(ticks, _VECTORS):
                yield session.vectors(some.start, some.stop).astype(np.float32)
            return
        if self.locate is None:
            yield from self.screens(rows)
            return
        context = next(self.screens(self.within(rows, LAG, 0)[: -len(rows)]), np.empty(0, np.uint8))
        for screens in self.screens(rows):
            yield self.locate(with_those_before(screens, context))
            context = screens if len(screens) >= LAG else np.concatenate([context, screens][not len(context) :])[-LAG:]

    def screens(self, rows: range) -> Iterator[Array]:
        """The preprocessed screens uint8 (n, size, size) of rows of one part, in blocks. Raises SessionError."""
        if not rows:
            return
        session, ticks = self.at(self.within(rows, self._preprocess.pooled - 1, 0))
        lead = len(ticks) - len(rows)
        chunk_bytes = CHUNK_TICKS * math.prod(self.spec.frame_shape)
        most = CHUNK_TICKS * max(1, min(_SCREEN_CHUNKS, _SCREEN_BYTES // chunk_bytes))
        last: Array | None = None
        for some in _at_once(ticks, most):
            single = self.preprocessed(session, session.screens(some.start, some.stop))
            pooled = self._preprocess.pool(single, last)[lead:]
            lead, last = max(0, lead - len(single)), single
            if len(pooled):
                yield pooled

    def preprocessed(self, session: Session, screens: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Screens of a session, as it stores them, as uint8 (n, rows, columns)."""
        return self._preprocess.from_stored(screens, session.palette)

    def sample(self, rows: Rows) -> Array:
        """The inputs of rows (n,) in rising order, read from their sessions; see `inputs`."""
        found = []
        # Rows in about the same chunk are read together.
        for cluster in np.split(rows, np.flatnonzero(np.diff(rows) > CHUNK_TICKS) + 1):
            for part in np.split(cluster, np.flatnonzero(np.diff(self.starts(cluster))) + 1):
                read = np.concatenate(list(self.inputs(range(int(part[0]), int(part[-1]) + 1))))
                found.append(read[part - part[0]])
        return np.concatenate(found)


def _at_once(ticks: range, most: int) -> Iterator[range]:
    """These ticks in ranges that end at multiples of `most`."""
    first = ticks.start
    while first < ticks.stop:
        stop = min((first // most + 1) * most, ticks.stop)
        yield range(first, stop)
        first = stop
