"""Sessions as training data, of any length: preprocessed once into packed files, from which batches are gathered.

    sessions ─▶ episodes, without what is excluded ─▶ split by episode ─┬─▶ training ticks   ─▶ random batches
                                                                        └─▶ validation ticks

An excluded span in the middle of an episode splits it: neither a history nor a label reaches across the gap.

Several processes split the training ticks among them; each has a contiguous range. All draw the same batches, and each
reads, preprocesses and gathers its own ticks (trainer.distributed). The first one also reads the validation ticks.

Memory does not grow with the data: everything that does lies in memory-mapped files in a temporary folder, of at most
`TrainConfig.cache_bytes`. If the packed screens fit into that (by default 180 hours of Breakout do), batches are drawn
by full shuffling over all sessions; `trainer.data.sampler` describes the other case.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from recorder.envs.registry import other_simulator
from recorder.store.session import Session
from recorder.system.texts import count
from trainer.config import TrainConfig
from trainer.data.chosen_episodes import common_spec, episodes_to_learn
from trainer.data.draw_weights import DrawWeights, rare_among
from trainer.data.frame_cache import FrameCache
from trainer.data.own_rows import OwnRows
from trainer.data.sampler import Sampler
from trainer.data.samples import Batch, Samples, Take
from trainer.data.split import Split
from trainer.data.temporary import TemporaryFolder
from trainer.data.tick_table import Array, Ranges, Rows, TickTable
from trainer.distributed import ProcessGroup
from trainer.errors import TrainingError

# Ticks used for the statistics; a screen has 7,056 numbers, a vector eleven.
_MEAN_SCREENS, _MEAN_VECTORS = 4_096, 100_000
_BLOCK = 256
_TOLD_SCREENS = 32
_SOME = 0x50  # separates its random generator from others

Locate = Callable[[Array], Array]


class Dataset:
    """The chosen episodes of some sessions of one environment. Run `load` to its end to fill it, and `close` it.

    `chosen` maps the name of a session to the indices of its chosen episodes; other sessions are used whole. `group`
    are the processes that split the ticks among them.

    Raises TrainingError when there is nothing to train on or the sessions do not belong together.
    """

    def __init__(
        self,
        sessions: Sequence[Session],
        config: TrainConfig,
        chosen: Mapping[str, Collection[int]] | None = None,
        group: ProcessGroup | None = None,
    ) -> None:
        self.spec = common_spec(sessions)
        self.config = config
        self._group = group or ProcessGroup()
        self.warnings: list[str] = []
        self.steers: bool | None = None  # whether any position is the player's own, once that is known
        if other := other_simulator([session.spec for session in sessions]):
            self.warnings.append(f"some of it was recorded with {other}")
        parts = episodes_to_learn(sessions, chosen)
        self._lengths = [sum(map(len, ranges)) for _, ranges in parts]
        self.ticks = sum(self._lengths)
        pieces = [(session, ticks) for session, ranges in parts for ticks in ranges]
        self.tick_table = TickTable(pieces, self.spec, config)
        self.train_rows = self.validation_rows = Ranges([])
        self._own = OwnRows(range(0))
        self._samples = Samples(self.tick_table, config)
        self._weights = DrawWeights(self.tick_table, config)
        self._sampler: Sampler | None = None
        self._aside: tuple[int, FrameCache] | None = None  # if pooled: limit and cache for validation
        self._statistics: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None = None
        try:
            self._temporary = TemporaryFolder()
        except OSError as error:
            raise TrainingError(f"there is no folder for temporary files ({error}); set TMPDIR to a folder") from None

    def locate_with(self, locate: Locate, own: npt.NDArray[np.bool_]) -> None:
        """From the next `load` on, inputs are the positions that `locate` finds on screens; see KeypointNet.

        The player's `own` positions, bool (m,), are never delayed (see TrainConfig.label_shifts).
        """
        self.tick_table.locate, self._samples.own_positions, self.steers = locate, own, bool(own.any())

    def close(self) -> None:
        """Remove the temporary files."""
        if self._sampler is not None:
            self._sampler.close()
        if self._aside is not None:
            self._aside[1].close()
        self._temporary.close()

    def load(self, only: list[range] | None = None) -> Iterator[float]:
        """Read and preprocess what this process needs (or as much as there is room for); yields the fraction done.

        With `only`, runs of rows of the tick table, training samples come from these rows until the next call.

        Raises SessionError for a damaged session. Raises TrainingError for a session that does not fit its environment,
        and when the disk is full.
        """
        with self._telling_of_the_disk():
            if self._sampler is None:
                self.tick_table.read_actions(self._temporary.path)
                self._split()
            else:
                self._sampler.close()
            every = self.config.every
            if not any(self._weights.learned(block).any() for block in self.train_rows.blocks()):
                raise TrainingError(
                    f"with every={every}, none of the {count(len(self.train_rows), 'tick')} to learn from are used; "
                    "lower every, or record more play"
                )
            self._own = OwnRows.of(self.train_rows, self._group)
            if self._sampler is None:
                self._weigh()
            room = min(self.config.cache_bytes, self._temporary.room()) - self.tick_table.action_bytes
            self._sampler = Sampler(
                self.tick_table,
                self.train_rows,
                self._weights.of if self._weights.uneven else None,
                self.config,
                self._samples.margins,
                self._temporary.path,
                max(1, room),
                self._needed() if self._group.size > 1 else None,
            )
            yield from self._sampler.load(None if only is None else self.train_rows.shared_with(only))

    def resume(self, draws: int) -> Iterator[float]:
        """Continue as if `draw` had been called `draws` times; yields like `load` if something must be read for it."""
        assert self._sampler is not None
        with self._telling_of_the_disk():
            yield from self._sampler.resume(draws)

    def statistics(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Mean and standard deviation over training ticks, each of the shape of one input.

        All processes must make the first call, after `load`, together: each has only some of the ticks.
        """
        if self._statistics is None:
            assert self._sampler is not None
            count = len(self.train_rows)
            enough = _MEAN_SCREENS if self.spec.sees_screen else _MEAN_VECTORS
            picks = np.sort(np.random.default_rng(0).choice(count, min(count, enough), replace=False))
            rows = self.train_rows[picks]
            if self._sampler.pooled:
                sample = self.tick_table.sample(rows)
            else:
                own = self._own.has(rows)
                here = self._sampler.take(rows[own])
                sample = np.zeros((len(rows), *here.shape[1:]), here.dtype)
                sample[own] = here
                sample = self._group.total(sample)  # for each tick, all processes but one have zeros
            # In blocks: as floats, all of them would take more memory than anything else in training.
            blocks = [sample[first : first + _BLOCK] for first in range(0, len(sample), _BLOCK)]
            mean = sum(block.sum(axis=0, dtype=np.float64) for block in blocks) / len(sample)
            squares = sum(np.square(block - mean).sum(axis=0) for block in blocks) / len(sample)
            self._statistics = mean.astype(np.float32), np.sqrt(squares).astype(np.float32)
        return self._statistics

    def fingerprint(self) -> str:
        """SHA-256 of the training data, as hex: of the actions, the inputs' statistics, and the validation split.

        Available once everything is read. Does not depend on the size of the cache.
        """
        digest = hashlib.sha256()
        everything = Ranges([range(self.ticks)])
        for block in everything.blocks():
            digest.update(self.tick_table.actions(block).tobytes())
        for block in everything.blocks():
            digest.update(self.tick_table.starts(block).tobytes())
        for block in self.validation_rows.blocks():
            digest.update(block.tobytes())
        for part in self.statistics() if self.tick_table.locate is None else _some_screens(self.tick_table, self.ticks):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        """A random training batch, in which rare actions are oversampled; with several processes, this one's part."""
        assert self._sampler is not None
        with self._telling_of_the_disk():
            rows = self._sampler.draw(rng, size)
            shifts = rng.integers(0, len(self.config.label_shifts), size)
            places = np.flatnonzero(self._own.has(rows))
            return replace(self._gather(rows[places], shifts[places]), places=places, size=size)

    def some(self, size: int) -> Batch:
        """Training samples, drawn at random from what is loaded; `draw` is not affected by it."""
        assert self._sampler is not None
        rows = self._sampler.some(np.random.default_rng([self.config.seed, _SOME]), size)
        rows = rows[self._own.has(rows)]
        return self._gather(rows, np.zeros(len(rows), np.int64))

    def validation_batches(self, size: int, limit: int) -> Iterator[Batch]:
        """The validation ticks in order, evenly subsampled to at most `limit` (for sequences: ticks in all).

        The label shifts are assigned in turn.
        """
        assert self._sampler is not None
        limit //= self.config.sequence if self.config.recurrent else 1
        take: Take = self._sampler.take
        if self._sampler.pooled:
            with self._telling_of_the_disk():
                limit, cache = self._put_aside(limit)
            take = cache.take
        rows = _evenly(self.validation_rows, limit)
        shifts = self._samples.shifts_in_turn(len(rows))
        for start in range(0, len(rows), size):
            yield self._samples.gather(rows[start : start + size], shifts[start : start + size], take)

    @property
    def train_ticks(self) -> int:
        """How many ticks are learned from."""
        return max(1, len(self.train_rows) // self.config.every)

    @property
    def action_shares(self) -> tuple[float, ...]:
        """The share of the ticks in which each discrete action was taken; empty for continuous actions."""
        return tuple(self._weights.shares.tolist()) if self.spec.discrete else ()

    @property
    def follows(self) -> npt.NDArray[np.bool_]:
        """Which discrete action ever directly followed which, bool (actions, actions)."""
        return np.asarray(self._weights.changes > 0, bool)

    @property
    def rare_actions(self) -> tuple[int, ...]:
        """Discrete actions that were taken, but in less than a twentieth of the ticks."""
        return rare_among(self._weights.shares)

    @contextlib.contextmanager
    def _telling_of_the_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TrainingError(
                f"the training data cannot be stored in {self._temporary.path.parent} ({error.strerror or error}); "
                "free some disk space, or set TMPDIR to another disk"
            ) from error

    def _split(self) -> None:
        split = Split.of(self._lengths, self.config.validation_share, self.config.seed)
        if self.tick_table.corrected:
            split = split.within(self.tick_table.to_imitate, self.config.validation_share)
        self.train_rows, self.validation_rows = split.train, split.validation
        if not split.whole:
            self.warnings.append(
                "too few episodes to hold out whole ones; the last minutes of play are used for validation"
            )

    def _weigh(self) -> None:
        if self.spec.discrete:
            self._weights.count(self.train_rows, self._samples)
        self._weights.weigh_corrections(self.train_rows)
        serve = self.spec.serve_index
        if serve is not None and not self._weights.counts[serve]:
            name = self.spec.serve_action
            self.warnings.append(f"nobody presses {name} in these sessions, so the policy cannot learn to serve")

    def _gather(self, rows: Rows, shifts: npt.NDArray[np.int64]) -> Batch:
        assert self._sampler is not None
        return self._samples.gather(rows, shifts, self._sampler.take)

    def _needed(self) -> list[range]:
        """The runs of rows, each within a part, that this process's samples and the validation ticks look at."""
        wanted = self._own.among(self.train_rows.ranges)
        wanted += list(self.validation_rows.ranges) if self._group.first else []
        pieces = self.tick_table.cut(
            Ranges(sorted((each for each in wanted if each), key=lambda e: e.start)), self.ticks
        )
        return [self.tick_table.within(piece, *self._samples.margins) for piece in pieces]

    def _put_aside(self, limit: int) -> tuple[int, FrameCache]:
        """The number of validation ticks (fewer than `limit` if there is no room for so many), and their cache."""
        assert self._sampler is not None
        if self._aside is None:
            cache = None
            while cache is None:
                rows = _evenly(self.validation_rows, limit)
                seen = [self._samples.seen(rows, delay) for delay in (0, self.config.label_shifts[-1])]
                cache = self._sampler.put_aside(_spans(np.concatenate(seen, axis=1)))
                limit = limit if cache is not None else limit // 2
            self._aside = limit, cache
        return self._aside


def _evenly(rows: Ranges, limit: int) -> Rows:
    """At most `limit` of these rows, evenly subsampled."""
    count = len(rows)
    return rows[np.arange(count) if count <= limit else np.linspace(0, count - 1, limit).astype(np.int64)]


def _some_screens(tick_table: TickTable, ticks: int) -> Iterator[Array]:
    for row in np.linspace(0, ticks - 1, _TOLD_SCREENS).astype(int).tolist():
        yield from tick_table.screens(range(row, row + 1))


def _spans(rows: Rows) -> list[range]:
    """The runs of rows that samples look at; `rows` (B, …) are theirs. Runs that overlap are joined."""
    spans: list[range] = []
    for first, last in zip(rows.min(axis=1).tolist(), rows.max(axis=1).tolist(), strict=True):
        if spans and first < spans[-1].stop:
            spans[-1] = range(spans[-1].start, max(last + 1, spans[-1].stop))
        else:
            spans.append(range(first, last + 1))
    return spans
