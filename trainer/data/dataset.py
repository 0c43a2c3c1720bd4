"""Sessions as training data, however long: preprocessed once into packed files, from which batches are gathered.

    sessions ─▶ episodes, without what is excluded ─▶ split by episode ─┬─▶ training ticks   ─▶ random batches
                                                                        └─▶ validation ticks

A span that is left out in the middle of an episode parts it: neither a history nor a label reaches across.

Several processes part the training ticks among them, each a run of them: what is drawn is the same for all, and each
reads, prepares and gathers what is its own (trainer.distributed). The first one reads those that validate, too.

Memory does not grow with the data: everything of a size with them lies in memory-mapped files in a temporary folder, of
at most `TrainConfig.cache_bytes`. Batches are drawn by full shuffling over all sessions as long as the packed screens
fit into that, which 180 hours of Breakout do by default; `trainer.data.sampler` tells what happens beyond.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.envs.registry import other_simulator
from recorder.envs.spec import EnvSpec
from recorder.store.session import Session
from trainer.config import TrainConfig
from trainer.data.frame_cache import FrameCache
from trainer.data.sampler import Sampler
from trainer.data.temporary import TemporaryFolder
from trainer.data.tick_table import Ranges, Rows, TickTable
from trainer.distributed import ProcessGroup
from trainer.errors import TrainingError
from trainer.policy.hand import AGES, IDLE

# Ticks that tell what the data are like; a screen has 7,056 numbers, a vector eleven.
_MEAN_SCREENS, _MEAN_VECTORS = 4_096, 100_000
_BLOCK = 256
_TOLD_SCREENS = 32
_RARE = 0.05

Array = npt.NDArray[Any]
Take = Callable[[Rows], Array]
Locate = Callable[[Array], Array]


@dataclass(frozen=True)
class Batch:
    """`inputs` uint8 (B, history, size, size), float32 positions (B, history, POSITIONS) or vectors (B, n); `labels`
    int64 (B,) or float32 (B, m). `ahead`, int64 (B, L), are the discrete actions of each tick and of those that follow
    it, for the longest of TrainConfig.label_windows; the game's last one is repeated. `held`, int64 (B, 2), are the
    discrete action of the tick before and for how many ticks, up to AGES, it has been taken: IDLE where a game begins.

    `shifts`, int64 (B,), tells which of TrainConfig.label_shifts each sample is of. For a network with a memory,
    vectors and their labels are sequences: (B, T, …). Of a batch of `size` samples that several processes learn from
    these are the ones at `places`, int64 (B,).
    """

    inputs: npt.NDArray[Any]
    labels: npt.NDArray[Any]
    ahead: npt.NDArray[np.int64]
    held: npt.NDArray[np.int64]
    shifts: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    size: int


class Dataset:
    """The chosen episodes of some sessions of one environment; fill it by running `load` to its end, then `close` it.

    `chosen` names, for sessions that are not to be taken whole, the indices of the episodes to take. `group` are the
    processes that part the ticks among them.

    Raises TrainingError when there is nothing to train on or the sessions do not belong together.
    """

    def __init__(
        self,
        sessions: Sequence[Session],
        config: TrainConfig,
        chosen: Mapping[str, Collection[int]] | None = None,
        group: ProcessGroup | None = None,
    ) -> None:
        if not sessions:
            raise TrainingError("no session is chosen; choose at least one to train on")
        self.spec: EnvSpec = sessions[0].spec
        for session in sessions[1:]:
            differences = self.spec.differences(session.spec)
            if differences:
                raise TrainingError(
                    f"{sessions[0].place} and {session.place} cannot be trained on together "
                    f"({'; '.join(differences)}); "
                    "choose sessions of one environment"
                )
        self.config = config
        self._group = group or ProcessGroup()
        self._own = range(0)
        self.warnings: list[str] = []
        if other := other_simulator([session.spec for session in sessions]):
            self.warnings.append(f"some of this was recorded with {other}")
        parts = [
            (session, session.to_learn(episode))
            for session in sessions
            for episode in session.episodes
            if not chosen or episode.index in chosen.get(session.name, (episode.index,))
        ]
        parts = [(session, ranges) for session, ranges in parts if ranges]
        self._lengths = [sum(map(len, ranges)) for _, ranges in parts]
        self.ticks = sum(self._lengths)
        if self.ticks < 2:
            raise TrainingError(_too_little(sessions, self.ticks, bool(chosen)))
        pieces = [(session, ticks) for session, ranges in parts for ticks in ranges]
        self.tick_table = TickTable(pieces, self.spec, config)
        self.train_rows = self.validation_rows = Ranges([])
        self._counts = np.zeros(len(self.spec.action_names), np.int64)  # of each discrete action
        self._changes = np.zeros((len(self._counts), len(self._counts)), np.int64)  # from each to each
        self._weights = np.zeros(0)  # of each discrete action
        self._sampler: Sampler | None = None
        self._own_positions = np.zeros(0, bool)
        self._aside: tuple[int, FrameCache] | None = (
            None  # what validates, where it is not at hand anyway, and its limit
        )
        self._statistics: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None = None
        try:
            self._temporary = TemporaryFolder()
        except OSError as error:
            raise TrainingError(f"there is no place for temporary files ({error}); set TMPDIR to one") from None

    def locate_with(self, locate: Locate, own: npt.NDArray[np.bool_]) -> None:
        """From the next `load` on, inputs are the positions that `locate` finds on screens; see KeypointNet.

        Those that are the player's `own`, bool (m,), are never late (see TrainConfig.label_shifts).
        """
        self.tick_table.locate, self._own_positions = locate, own

    def close(self) -> None:
        """Remove the temporary files."""
        if self._sampler is not None:
            self._sampler.close()
        if self._aside is not None:
            self._aside[1].close()
        self._temporary.close()

    def load(self, only: list[range] | None = None) -> Iterator[float]:
        """Read and preprocess what this process needs (or as much as there is room for); yields the fraction done.

        With `only` runs of rows of the tick table, what is learned from is in these, until the next call.

        Raises SessionError for a damaged session, and TrainingError for one that does not fit its environment and when
        the disk is full.
        """
        with self._telling_of_the_disk():
            if self._sampler is None:
                self.tick_table.read_actions(self._temporary.path)
                self._split()
            else:
                self._sampler.close()
            every = self.config.every
            if not any(self._learned(block).any() for block in self.train_rows.blocks()):
                raise TrainingError(
                    f"with every={every}, none of the {_ticks(len(self.train_rows))} to learn from is taken; set "
                    "every lower, or record more play"
                )
            self._own = own_rows(self.train_rows, self._group)
            if self.spec.discrete and self._sampler is None:
                self._weigh()
            room = min(self.config.cache_bytes, self._temporary.room()) - self.tick_table.action_bytes
            weigh = self._weights_of if self.spec.discrete or self.config.every > 1 else None
            self._sampler = Sampler(
                self.tick_table,
                self.train_rows,
                weigh,
                self.config,
                self._margins,
                self._temporary.path,
                max(1, room),
                self._needed() if self._group.size > 1 else None,
            )
            yield from self._sampler.load(None if only is None else self.train_rows.shared_with(only))

    def resume(self, draws: int) -> Iterator[float]:
        """Go on as after so many calls of `draw`; yields like `load` where something has to be read for it."""
        assert self._sampler is not None
        with self._telling_of_the_disk():
            yield from self._sampler.resume(draws)

    def statistics(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Mean and standard deviation over training ticks, each of the shape of one input.

        The first call, after `load`, is one that all processes make: each has only some of the ticks.
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
                own = self._is_own(rows)
                here = self._sampler.take(rows[own])
                sample = np.zeros((len(rows), *here.shape[1:]), here.dtype)
                sample[own] = here
                sample = self._group.total(sample)  # of each tick all processes but one have zeros
            # Some at a time: as floats, all of them would take more memory than anything else in training.
            blocks = [sample[first : first + _BLOCK] for first in range(0, len(sample), _BLOCK)]
            mean = sum(block.sum(axis=0, dtype=np.float64) for block in blocks) / len(sample)
            squares = sum(np.square(block - mean).sum(axis=0) for block in blocks) / len(sample)
            self._statistics = mean.astype(np.float32), np.sqrt(squares).astype(np.float32)
        return self._statistics

    def fingerprint(self) -> str:
        """SHA-256 of what is learned from, as hex: the actions, what the inputs are like, and who validates.

        It is known once everything is read, and does not depend on the room for it.
        """
        digest = hashlib.sha256()
        everything = Ranges([range(self.ticks)])
        for block in everything.blocks():
            digest.update(self.tick_table.actions(block).tobytes())
        for block in everything.blocks():
            digest.update(self.tick_table.starts(block).tobytes())
        for block in self.validation_rows.blocks():
            digest.update(block.tobytes())
        for part in self.statistics() if self.tick_table.locate is None else self._some_screens():
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        """A random training batch, rare actions drawn more often; of several processes, this one's part of it."""
        assert self._sampler is not None
        with self._telling_of_the_disk():
            rows = self._sampler.draw(rng, size)
            shifts = rng.integers(0, len(self.config.label_shifts), size)
            places = np.flatnonzero(self._is_own(rows))
            return replace(self._gather(rows[places], shifts[places]), places=places, size=size)

    def validation_batches(self, size: int, limit: int) -> Iterator[Batch]:
        """The validation ticks in order, evenly thinned out to at most `limit` (of sequences: ticks in all).

        They take turns in the label shift that they are of.
        """
        assert self._sampler is not None
        limit //= self.config.sequence if self.config.recurrent else 1
        take: Take = self._sampler.take
        if self._sampler.pooled:
            with self._telling_of_the_disk():
                limit, shelf = self._put_aside(limit)
            take = shelf.take
        rows = self._validating(limit)
        shifts = self._in_turn(len(rows))
        for start in range(0, len(rows), size):
            yield self._gather(rows[start : start + size], shifts[start : start + size], take)

    @property
    def train_ticks(self) -> int:
        """How many ticks are learned from."""
        return max(1, len(self.train_rows) // self.config.every)

    @property
    def action_shares(self) -> tuple[float, ...]:
        """The share of the ticks that each discrete action was taken in; nothing for continuous ones."""
        return tuple((self._counts / self.ticks).tolist()) if self.spec.discrete else ()

    @property
    def follows(self) -> npt.NDArray[np.bool_]:
        """Which discrete action ever came right after which, bool (actions, actions)."""
        return np.asarray(self._changes > 0, bool)

    @property
    def rare_actions(self) -> tuple[int, ...]:
        """Discrete actions that were taken, but in less than a twentieth of the ticks."""
        return rare_among(self._counts / self.ticks)

    @property
    def _margins(self) -> tuple[int, int]:
        """How many ticks before and after its own a sample looks at."""
        latest = self.config.label_shifts[-1]
        if self.config.recurrent:
            return self.config.sequence - 1 + latest, self.config.sequence - 1
        return (max(self.config.history) + latest if self.spec.sees_screen else latest), 0

    @contextlib.contextmanager
    def _telling_of_the_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TrainingError(
                f"the training's data cannot be kept in {self._temporary.path.parent} ({error.strerror or error}); "
                "make room, or set TMPDIR to another disk"
            ) from error

    def _split(self) -> None:
        """Whole episodes to validation, at random, up to the share; of a lone episode, its end."""
        lengths = self._lengths
        edges = np.concatenate([[0], np.cumsum(lengths)]).tolist()
        wanted = max(1, round(self.config.validation_share * self.ticks))
        chosen, held = set(), 0
        for index in np.random.default_rng(self.config.seed).permutation(len(lengths)).tolist():
            # Taking at most twice the share keeps one long game from emptying the training set; so may a short one.
            if held + lengths[index] <= min(2 * wanted, self.ticks - 1):
                chosen.add(index)
                held += lengths[index]
            if held >= wanted:
                break
        episodes = [range(first, stop) for first, stop in pairwise(edges)]
        self.train_rows = Ranges([rows for index, rows in enumerate(episodes) if index not in chosen])
        self.validation_rows = Ranges([rows for index, rows in enumerate(episodes) if index in chosen])
        if not chosen:
            self.train_rows = Ranges([range(self.ticks - wanted)])
            self.validation_rows = Ranges([range(self.ticks - wanted, self.ticks)])
            self.warnings.append("too few episodes to hold whole ones out; the last minutes of play validate instead")

    def _weigh(self) -> None:
        """Find the weight of each action: rarer ones than the share that is wanted weigh more."""
        known = len(self.spec.action_names)
        for block in Ranges([range(self.ticks)]).blocks():
            actions = self.tick_table.actions(block)
            self._counts += np.bincount(actions, minlength=known)
            np.add.at(self._changes, (self._held(block)[:, 0], actions), 1)
        counts = np.zeros(known)
        for block in self.train_rows.blocks():
            counts += np.bincount(self.tick_table.actions(block[self._learned(block)]), minlength=known)
        wanted = np.where(counts > 0, np.maximum(counts / counts.sum(), self.config.rare_action_share), 0.0)
        wanted /= wanted.sum()
        self._weights = np.divide(wanted, counts, out=np.zeros_like(counts), where=counts > 0)
        serve = self.spec.serve_index
        if serve is not None and not self._counts[serve]:
            name = self.spec.serve_action
            self.warnings.append(f"nobody presses {name} in these sessions, so the clone will not be able to serve")

    def _weights_of(self, rows: Rows) -> npt.NDArray[np.float64]:
        """How often each of rows (n,) is drawn, relative to the others."""
        weights = self._learned(rows).astype(np.float64)
        if self.spec.discrete:
            weights *= self._weights[self.tick_table.actions(rows)]
        return weights

    def _some_screens(self) -> Iterator[Array]:
        for row in np.linspace(0, self.ticks - 1, _TOLD_SCREENS).astype(int).tolist():
            yield from self.tick_table.screens(range(row, row + 1))

    def _learned(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which of the training rows (n,) are learned from."""
        return np.asarray(rows % self.config.every == 0)

    def _in_turn(self, count: int) -> npt.NDArray[np.int64]:
        """The label shifts (count,) that samples are of who take turns."""
        return np.arange(count) % len(self.config.label_shifts)

    def _seen(self, rows: Rows, delays: Rows | int = 0) -> Rows:
        """The rows that samples of `rows` look at, `delays` ticks late, (B, n); they stay within the episode."""
        starts = self.tick_table.starts(rows)[:, None]
        if self.config.recurrent:
            # Sequences end within their episode; a shorter episode's first tick is repeated.
            ticks = np.arange(self.config.sequence)
            first = np.minimum(rows, self.tick_table.stops(rows) - len(ticks))
            seen = first[:, None] + ticks
        else:
            seen = rows[:, None] - np.asarray(self.config.history if self.spec.sees_screen else (0,))
        return np.asarray(np.maximum(seen - np.reshape(delays, (-1, 1)), starts), np.int64)

    def _gather(self, rows: Rows, shifts: npt.NDArray[np.int64], take: Take | None = None) -> Batch:
        if take is None:
            assert self._sampler is not None
            take = self._sampler.take
        delays = np.asarray(self.config.label_shifts)[shifts]
        seen = self._seen(rows, delays)
        labels = self.tick_table.actions(self._seen(rows) if self.config.recurrent else rows)
        inputs = take(seen if self.spec.sees_screen or self.config.recurrent else seen[:, 0])
        late = np.flatnonzero(delays)
        if self.spec.sees_screen and len(late):
            now = take(self._seen(rows[late]))
            if self.tick_table.locate is not None:
                inputs[late] = np.where(self._own_positions, now, inputs[late])
            else:
                own = self.config.hidden_pixels
                inputs[late, :, own] = now[:, :, own]
        ahead, held = np.empty((len(rows), 0), np.int64), np.empty((len(rows), 0), np.int64)
        if self.spec.discrete:
            held = self._held(rows)
            following = rows[:, None] + np.arange(self.config.label_windows[-1])
            ahead = self.tick_table.actions(np.minimum(following, self.tick_table.stops(rows)[:, None] - 1))
        return Batch(inputs, labels, ahead, held, shifts, np.arange(len(rows)), len(rows))

    def _held(self, rows: Rows) -> npt.NDArray[np.int64]:
        """What is held at rows (n,), and for how long; see Batch."""
        earlier = rows[:, None] - 1 - np.arange(AGES)
        starts = self.tick_table.starts(rows)[:, None]
        actions = np.where(earlier >= starts, self.tick_table.actions(np.maximum(earlier, starts)), -1)
        same = np.logical_and.accumulate(actions == actions[:, :1], axis=1).sum(axis=1)
        begun = actions[:, 0] < 0
        return np.stack([np.where(begun, IDLE, actions[:, 0]), np.where(begun, 1, same)], axis=1)

    def _is_own(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which of some training rows (n,) are this process's own."""
        return np.asarray((rows >= self._own.start) & (rows < self._own.stop))

    def _needed(self) -> list[range]:
        """The runs of rows, each within a part, that this process's samples look at, and those that validate."""
        own = [
            range(max(each.start, self._own.start), min(each.stop, self._own.stop)) for each in self.train_rows.ranges
        ]
        wanted = own + (list(self.validation_rows.ranges) if self._group.first else [])
        pieces = self.tick_table.cut(
            Ranges(sorted((each for each in wanted if each), key=lambda e: e.start)), self.ticks
        )
        return [self.tick_table.within(piece, *self._margins) for piece in pieces]

    def _validating(self, limit: int) -> Rows:
        """The validation ticks, evenly thinned out to at most `limit`."""
        count = len(self.validation_rows)
        picks = np.arange(count) if count <= limit else np.linspace(0, count - 1, limit).astype(np.int64)
        return self.validation_rows[picks]

    def _put_aside(self, limit: int) -> tuple[int, FrameCache]:
        """A shelf of what validates, fewer ticks than `limit` where there is no room for so many; and their number."""
        assert self._sampler is not None
        if self._aside is None:
            shelf = None
            while shelf is None:
                rows = self._validating(limit)
                seen = [self._seen(rows, delay) for delay in (0, self.config.label_shifts[-1])]
                shelf = self._sampler.put_aside(_spans(np.concatenate(seen, axis=1)))
                limit = limit if shelf is not None else limit // 2
            self._aside = limit, shelf
        return self._aside


def rare_among(shares: npt.NDArray[np.float64]) -> tuple[int, ...]:
    """The actions that are taken, but in less than a twentieth of the ticks, of the share (actions,) of each."""
    return tuple(np.flatnonzero((shares > 0) & (shares < _RARE)).tolist())


def _too_little(sessions: Sequence[Session], ticks: int, chosen: bool) -> str:
    """Why there is nothing to train on, and what to do."""
    names = ", ".join(str(session.place) for session in sessions)
    played = sum(map(len, sessions))
    if ticks or not played:
        left = f"{_ticks(ticks)} of {played:,}" if ticks < played else _ticks(ticks)
        return f"{names}: {left} is nothing to train on; record some more play first, or leave less of it out"
    if chosen and any(session.to_learn(episode) for session in sessions for episode in session.episodes):
        return f"{names}: of the chosen episodes nothing is left to learn from; choose other ones"
    return f"{names}: all that was played is left out; use some of it again, or choose another session"


def _ticks(number: int) -> str:
    return f"{number:,} tick{'' if number == 1 else 's'}"


def _spans(rows: Rows) -> list[range]:
    """The stretches of rows that samples look at, who look at rows (B, …); what overlaps is one."""
    spans: list[range] = []
    for first, last in zip(rows.min(axis=1).tolist(), rows.max(axis=1).tolist(), strict=True):
        if spans and first < spans[-1].stop:
            spans[-1] = range(spans[-1].start, max(last + 1, spans[-1].stop))
        else:
            spans.append(range(first, last + 1))
    return spans


def own_rows(rows: Ranges, group: ProcessGroup) -> range:
    """The span of dataset rows in which those of `rows`, which rise, are a process's own: as many for each.

    Decision: ticks that follow each other, not whole episodes: so parts are equal even of a single game, and little is
    read twice (what is seen with the first tick of a part).
    """
    edges = np.array([len(rows) * k // group.size for k in (group.rank, group.rank + 1)])
    if edges[0] == edges[1]:
        return range(0)
    first, last = rows[edges - [0, 1]].tolist()
    return range(first, last + 1)
