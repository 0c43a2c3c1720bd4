"""Sessions as training data, however long: preprocessed once into a file on disk, from which batches are gathered.

    sessions ─▶ episodes, without what is excluded ─▶ split by episode ─┬─▶ training ticks   ─▶ random batches
                                                                        └─▶ validation ticks

A span that is left out in the middle of an episode parts it: neither a history nor a label reaches across.

Several processes part the training ticks among them, each a run of them: what is drawn is the same for all, and each
reads, prepares and gathers what is its own (trainer.distributed). The first one reads those that validate, too.

Memory does not grow with the data: the preprocessed screens lie in a memory-mapped file in a temporary folder, 7 kB a
tick, which the operating system caches as it sees fit and which is removed with the Dataset.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.envs import EnvSpec
from recorder.session import CHUNK_TICKS, Session
from trainer.config import TrainConfig
from trainer.distributed import World
from trainer.errors import TrainingError
from trainer.preprocess import Preprocess

_READ_TICKS = 10 * CHUNK_TICKS
_MEAN_SAMPLES = 4_096
FIRE = 1
_RARE = 0.05


@dataclass(frozen=True)
class Batch:
    """`inputs` uint8 (B, history, size, size) or float32 (B, n); `labels` int64 (B, K) or float32 (B, K, m).

    K is the number of label shifts. For a network with a memory, vectors and their labels are sequences: (B, T, …).
    Of a batch of `size` samples that several processes learn from these are the ones at `places`, int64 (B,).
    """

    inputs: npt.NDArray[Any]
    labels: npt.NDArray[Any]
    places: npt.NDArray[np.int64]
    size: int


class Dataset:
    """The chosen episodes of some sessions of one environment; fill it by running `load` to its end, then `close` it.

    `chosen` names, for sessions that are not to be taken whole, the indices of the episodes to take. `world` are the
    processes that part the ticks among them.

    Raises TrainingError when there is nothing to train on or the sessions do not belong together.
    """

    def __init__(
        self,
        sessions: Sequence[Session],
        config: TrainConfig,
        chosen: Mapping[str, Collection[int]] | None = None,
        world: World | None = None,
    ) -> None:
        if not sessions:
            raise TrainingError("no session is chosen; choose at least one to train on")
        self.spec: EnvSpec = sessions[0].spec
        for session in sessions[1:]:
            differences = self.spec.differences(session.spec)
            if differences:
                raise TrainingError(
                    f"{sessions[0].path} and {session.path} cannot be trained on together ({'; '.join(differences)}); "
                    "choose sessions of one environment"
                )
        self.config = config
        self.warnings: list[str] = []
        parts = [
            (session, session.to_learn(episode))
            for session in sessions
            for episode in session.episodes
            if not chosen or episode.index in chosen.get(session.name, (episode.index,))
        ]
        self._episodes = [(session, ranges) for session, ranges in parts if ranges]
        self._lengths = [sum(map(len, ranges)) for _, ranges in self._episodes]
        self.ticks = sum(self._lengths)
        if self.ticks < 2:
            names = ", ".join(str(session.path) for session in sessions)
            raise TrainingError(f"{names}: there is nothing to train on; record some play first")
        self.train_rows: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.validation_rows: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._split()
        self._world = world or World()
        self._own = own_rows(self.train_rows, self._world)
        self._held = self._needed()
        self._statistics: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="twinplay-"))
        self._starts = np.empty(self.ticks, np.int64)  # of each tick's part of an episode, in dataset rows
        self._stops = np.empty(self.ticks, np.int64)
        shape = (config.size, config.size) if self.spec.has_screen else self.spec.observation_shape
        dtype = "uint8" if self.spec.has_screen else "float32"
        held = int(self._held.sum())
        needed = held * int(np.prod(shape)) * np.dtype(dtype).itemsize
        free = shutil.disk_usage(self._folder).free
        if needed > 0.9 * free:
            self.close()
            raise TrainingError(
                f"preparing {held} ticks takes {needed / 1e9:.1f} GB in {self._folder.parent}, where "
                f"{free / 1e9:.1f} GB are free; make room, or set TMPDIR to another disk"
            )
        self._inputs = np.memmap(self._folder / "inputs", dtype, "w+", shape=(self.ticks, *shape))
        self._actions = np.empty((self.ticks, *self.spec.action_shape), "int64" if self.spec.discrete else "float32")
        self._probabilities: npt.NDArray[np.float64] | None = None

    def close(self) -> None:
        """Remove the temporary file."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def load(self) -> Iterator[float]:
        """Read and preprocess what this process needs; yields the fraction done."""
        preprocess = Preprocess.of(self.config)
        row = 0
        for session, part in ((session, part) for session, parts in self._episodes for part in parts):
            first, last = row, row + len(part)
            self._starts[first:last], self._stops[first:last] = first, last
            self._actions[first:last] = session.actions[part.start : part.stop]
            for tick in range(part.start, part.stop, _READ_TICKS):
                stop = min(tick + _READ_TICKS, part.stop)
                here = slice(row, row + stop - tick)
                row = here.stop
                if not self._held[here].any():
                    continue
                if self.spec.has_screen:
                    self._inputs[here] = preprocess.from_indices(session.screens(tick, stop), session.palette)
                else:
                    self._inputs[here] = session.observations[tick:stop]
                yield row / self.ticks
        if self.spec.discrete:
            self._weigh()

    def _needed(self) -> npt.NDArray[np.bool_]:
        """(T,): the ticks whose inputs this process needs, with those before and after that are seen with them."""
        needed = np.zeros(self.ticks, bool)
        needed[self.train_rows[self._is_own(self.train_rows)]] = True
        if self._world.first:
            needed[self.validation_rows] = True
        before = after = self.config.sequence if self.config.recurrent else 0
        before = max(before, *self.config.history)
        for start, stop in np.flatnonzero(np.diff(needed, prepend=False, append=False)).reshape(-1, 2).tolist():
            needed[max(0, start - before) : stop + after] = True
        return needed

    def _is_own(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of some training ticks are this process's own."""
        return (rows >= self._own.start) & (rows < self._own.stop)

    def _split(self) -> None:
        """Whole episodes to validation, at random, up to the share; of a lone episode, its end."""
        lengths = self._lengths
        edges = np.concatenate([[0], np.cumsum(lengths)])
        wanted = max(1, round(self.config.validation_share * self.ticks))
        chosen: list[int] = []
        for index in np.random.default_rng(self.config.seed).permutation(len(lengths)).tolist():
            # Taking at most twice the share keeps one long game from emptying the training set.
            if sum(lengths[i] for i in chosen) + lengths[index] <= 2 * wanted:
                chosen.append(index)
            if sum(lengths[i] for i in chosen) >= wanted:
                break
        held_out = np.zeros(self.ticks, bool)
        for index in chosen:
            held_out[edges[index] : edges[index + 1]] = True
        if not chosen:
            held_out[-wanted:] = True
            self.warnings.append("too few episodes to hold whole ones out; the last minutes of play validate instead")
        self.train_rows, self.validation_rows = np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def _weigh(self) -> None:
        weights = np.zeros(len(self.train_rows))
        for labels in self._labels(self.train_rows).T:
            counts = np.bincount(labels, minlength=len(self.spec.action_names)).astype(float)
            shares = counts / counts.sum()
            wanted = np.where(counts > 0, np.maximum(shares, self.config.rare_action_share), 0.0)
            wanted /= wanted.sum()
            weights += np.divide(wanted, counts, out=np.zeros_like(counts), where=counts > 0)[labels]
        self._probabilities = np.cumsum(weights / weights.sum())
        if self.spec.action_names[FIRE] == "FIRE" and not (self._actions == FIRE).any():
            self.warnings.append("nobody presses FIRE in these sessions, so the clone will not be able to serve")

    def statistics(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Mean and standard deviation over training ticks, each of the shape of one input.

        The first call, after `load`, is one that all processes make: each has only some of the ticks.
        """
        if self._statistics is None:
            rows = self.train_rows
            if self.spec.has_screen:
                rows = np.sort(np.random.default_rng(0).choice(rows, min(len(rows), _MEAN_SAMPLES), replace=False))
            own = self._is_own(rows)
            found = np.zeros((len(rows), *self._inputs.shape[1:]), self._inputs.dtype)
            found[own] = self._inputs[rows[own]]
            sample = self._world.total(found).astype(np.float32)  # of each tick all but one have zeros
            self._statistics = sample.mean(axis=0), sample.std(axis=0)
        return self._statistics

    def fingerprint(self) -> str:
        """SHA-256 of what is learned from, as hex: the actions, what the inputs are like, and who validates.

        It is known once everything is read.
        """
        digest = hashlib.sha256()
        for part in (self._actions, self._starts, self.validation_rows, *self.statistics()):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        """A random training batch, rare actions drawn more often; of several processes, this one's part of it."""
        if self._probabilities is None:
            rows = rng.choice(self.train_rows, size)
        else:
            picks = np.searchsorted(self._probabilities, rng.random(size)).clip(max=len(self.train_rows) - 1)
            rows = self.train_rows[picks]
        places = np.flatnonzero(self._is_own(rows))
        return replace(self._gather(rows[places]), places=places, size=size)

    def validation_batches(self, size: int, limit: int) -> Iterator[Batch]:
        """The validation ticks in order, evenly thinned out to at most `limit` (of sequences: ticks in all)."""
        rows = self.validation_rows
        limit //= self.config.sequence if self.config.recurrent else 1
        if len(rows) > limit:
            rows = rows[np.linspace(0, len(rows) - 1, limit).astype(np.int64)]
        for start in range(0, len(rows), size):
            yield self._gather(rows[start : start + size])

    @property
    def rare_actions(self) -> tuple[int, ...]:
        """Discrete actions that were taken, but in less than a twentieth of the ticks."""
        if not self.spec.discrete:
            return ()
        shares = np.bincount(self._actions, minlength=len(self.spec.action_names)) / self.ticks
        return tuple(np.flatnonzero((shares > 0) & (shares < _RARE)).tolist())

    def _labels(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """The actions at each shift after `rows`, (B, K, …); at the end of an episode, its last one."""
        shifted = rows[:, None] + np.asarray(self.config.label_shifts)
        labels: npt.NDArray[Any] = self._actions[np.minimum(shifted, self._stops[rows][:, None] - 1)]
        return labels

    def _gather(self, rows: npt.NDArray[np.int64]) -> Batch:
        places, size = np.arange(len(rows)), len(rows)
        if self.config.recurrent:
            # Sequences end within their episode; a shorter episode's first tick is repeated.
            ticks = np.arange(self.config.sequence)
            first = np.minimum(rows, self._stops[rows] - len(ticks))
            rows = np.maximum(first[:, None] + ticks, self._starts[rows][:, None])
            shape = (*rows.shape, len(self.config.label_shifts), *self.spec.action_shape)
            return Batch(np.asarray(self._inputs[rows]), self._labels(rows.reshape(-1)).reshape(shape), places, size)
        if not self.spec.has_screen:
            return Batch(np.asarray(self._inputs[rows]), self._labels(rows), places, size)
        ages = np.asarray(self.config.history)
        stacked = np.maximum(rows[:, None] - ages, self._starts[rows][:, None])
        return Batch(np.asarray(self._inputs[stacked]), self._labels(rows), places, size)


def own_rows(rows: npt.NDArray[np.int64], world: World) -> range:
    """The span of dataset rows in which those of `rows`, which rise, are a process's own: as many for each.

    Decision: ticks that follow each other, not whole episodes: so parts are equal even of a single game, and little is
    read twice (what is seen with the first tick of a part).
    """
    first, stop = (len(rows) * k // world.size for k in (world.rank, world.rank + 1))
    return range(int(rows[first]), int(rows[stop - 1]) + 1) if stop > first else range(0)
