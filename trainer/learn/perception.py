"""Learning to see: trains a Locator on a recording's screens, with targets from the emulator's memory.

    recording ─▶ random stretches ─▶ screens, memory ─▶ bytes that are positions ─▶ regression ─▶ those that can be seen
                 detours, games of a scout ─▶ ┘

This module knows no particular game. Some bytes that change like positions (trainer.learn.position_bytes) cannot be
seen on the screen (a frame counter, for example): bytes that the regression cannot predict on held-out screens are
dropped. Trying out actions shows which bytes the player controls.

A player who keeps the paddle under the ball shows no screen with the paddle elsewhere; from such screens alone a
network would learn to find the paddle by the ball. So a part of the sample are detours: two seconds of random actions
from some moment of the recording. Another part is from games of a scout (trainer.learn.scout), which get further than
the recording.
"""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from recorder.errors import TwinplayError
from recorder.library.replayed_memory import Clip, Memory, replaying_memory
from trainer.config import TrainConfig
from trainer.data.tick_table import TickTable
from trainer.learn.optimizer import AdamW
from trainer.learn.position_bytes import own_pixels, position_bytes
from trainer.learn.scout import Places, scouting
from trainer.policy.keypoints import LAG, POSITIONS, KeypointNet

_STRETCH_TICKS, _STRETCHES, _DETOURS = 120, 200, 80
_MOST_PLAYED = 60_000  # ticks to draw stretches from: simulating them takes about ten seconds
_TRIALS = 40  # moments at which every action is tried
_OWN_SHARE = 0.5  # of the trials: bytes that differ in so many are the player's own
HOPEFUL_SHARE, _SEEN_SHARE = 0.2, 0.6  # of a byte's variance that must be explained, for the first clone and at the end
_BATCH, _RATE, _DECAY, _BETA = 64, 3e-3, 1e-3, 0.1
_AT_ONCE = 256
_READ, _REPLAYED = 0.2, 0.5  # approximate progress of sampling once screens are read, and once they are simulated
_TRIMMED = 0.25  # of the squared errors, the largest ones, which do not count
_LEAST_SPREAD = 0.05  # of the variance: if less is left without them, they do count
_ELSEWHERE_SHARE = 0.5  # of the samples: shown in front of another stretch's background
_HELD_OUT, _JUDGED = 10, 1_024  # one in so many stretches is held out; about so many of their screens validate


@dataclass(frozen=True)
class Sample:
    """`stretches` are runs of rows of a TickTable. The sample has n ticks: those of the stretches, of detours, and of a
    scout's games; `lengths` are the lengths of these runs. `screens` are uint8 (n, rows, columns). `targets`, float32
    (n, POSITIONS), are the bytes taken as positions, in standard deviations from their mean. `used` and `own`, bool
    (POSITIONS,): which columns exist, and which of them the player controls.
    """

    stretches: list[range]
    lengths: list[int]
    screens: npt.NDArray[np.uint8]
    targets: npt.NDArray[np.float32]
    used: npt.NDArray[np.bool_]
    own: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class NoSample:
    """Why there is no sample, as a text that follows "since"."""

    reason: str


def sampling(tick_table: TickTable, config: TrainConfig) -> Iterator[float | str | Sample | NoSample]:
    """Yields the share that is done, what it is doing, and finally the sample, or why there is none."""
    yield "playing the recording again"
    rng = np.random.default_rng([config.seed, 0x5EE])
    parts = _parts_to_play(tick_table, rng)
    stretches = _stretches(parts, rng)
    screens: list[npt.NDArray[np.uint8]] = []
    for number, rows in enumerate(stretches):
        screens.append(np.concatenate(list(tick_table.screens(rows))))
        yield _READ * number / len(stretches)
    memories: list[Memory] = []
    aside: list[npt.NDArray[np.uint8]] = []  # the memory in clips that are not from the recording
    try:
        for step in _playing_again(tick_table, parts, stretches, rng, config.seed):
            if isinstance(step, Memory):
                memories.append(step)
            elif isinstance(step, Clip):
                screens.append(step.screens)
                aside.append(step.values)
            else:
                yield _READ + (_REPLAYED - _READ) * step
    except TwinplayError as error:
        yield NoSample(str(error))
        return
    held = np.concatenate([memory.values for memory in memories])
    offsets = np.cumsum([0, *map(len, parts)])
    own_parts = [held[first:stop] for first, stop in pairwise(offsets.tolist())]
    values = [*_of_stretches(stretches, parts, own_parts), *aside]
    moved = np.sum([memory.moved for memory in memories], axis=0)
    controlled = np.asarray(moved >= _OWN_SHARE * sum(memory.trials for memory in memories), bool)
    bytes_ = position_bytes(values, screens, controlled)
    if not bytes_:
        yield NoSample("no part of the emulator's memory follows objects on the screen")
        return
    places = Places.of(np.concatenate(values), bytes_, controlled)
    if config.scout:
        yield "a helper policy plays on from the recorded games, to see more"
        known = [
            (places.positions(each), np.asarray(session.actions[ticks.start : ticks.stop], np.int64))
            for each, (session, ticks) in zip(own_parts, map(tick_table.at, parts), strict=True)
        ]
        session = tick_table.at(parts[0])[0]
        for found in scouting(known, places, session.spec, config, _STRETCH_TICKS):
            if isinstance(found, Clip):
                screens.append(tick_table.preprocessed(session, found.screens))
                values.append(found.values)
            else:
                yield _REPLAYED + (1 - _REPLAYED) * found
    targets = places.positions(np.concatenate(values))
    used = np.arange(POSITIONS) < len(bytes_)
    yield Sample(stretches, [*map(len, screens)], np.concatenate(screens), targets, used, places.own)


def _playing_again(
    tick_table: TickTable, parts: Sequence[range], stretches: Sequence[range], rng: np.random.Generator, seed: int
) -> Iterator[float | Clip | Memory]:
    """The memory at all rows of `parts`, session by session; detours leave some stretches half-way.

    Now and then yields the share that is done, and detours with their screens preprocessed.
    """
    middles = [rows[len(rows) // 2] for rows in stretches]
    tried = {middles[k] for k in np.linspace(0, len(middles) - 1, min(_TRIALS, len(middles))).astype(int).tolist()}
    left = {middles[k] for k in rng.permutation(len(middles))[:_DETOURS].tolist()}
    played, whole = 0, sum(map(len, parts))
    for session, group in groupby(parts, lambda part: tick_table.at(part)[0]):
        together = list(group)
        ticks = list(chain.from_iterable(tick_table.at(part)[1] for part in together))
        tick_of = dict(zip(chain.from_iterable(together), ticks, strict=True))
        trials, detours = ([tick_of[row] for row in sorted(rows & tick_of.keys())] for rows in (tried, left))
        for step in replaying_memory(session, ticks, trials, detours, _STRETCH_TICKS, seed):
            if isinstance(step, int):
                yield (played + step) / whole
            elif isinstance(step, Clip):
                yield replace(step, screens=tick_table.preprocessed(session, step.screens))
            else:
                yield step
        played += len(ticks)


def _of_stretches(
    stretches: Sequence[range], parts: Sequence[range], values: Sequence[npt.NDArray[np.uint8]]
) -> list[npt.NDArray[np.uint8]]:
    """The values of each stretch, out of those of the part that contains it."""
    starts = [part.start for part in parts]
    found = []
    for rows in stretches:
        at = bisect_right(starts, rows.start) - 1
        found.append(values[at][rows.start - starts[at] : rows.stop - starts[at]])
    return found


def _parts_to_play(tick_table: TickTable, rng: np.random.Generator) -> list[range]:
    """Random parts, in rising order, that together do not take too long to simulate."""
    parts = tick_table.parts
    played, chosen = 0, []
    for index in rng.permutation(len(parts)).tolist():
        if not played or played + len(parts[index]) <= _MOST_PLAYED:
            played += len(parts[index])
            chosen.append(parts[index])
    return sorted(chosen, key=lambda rows: rows.start)


def _stretches(parts: Sequence[range], rng: np.random.Generator) -> list[range]:
    """Random runs of rows in these parts, in rising order."""
    found = [
        range(first, min(first + _STRETCH_TICKS, part.stop))
        for part in parts
        for first in range(part.start, part.stop, _STRETCH_TICKS)
    ]
    return [found[pick] for pick in sorted(rng.permutation(len(found))[:_STRETCHES].tolist())]


class Perception:
    """Trains the locator of a copy of a network on the sample; `sight` returns the result.

    `looked_at` counts the screens used for training so far.
    """

    def __init__(self, net: KeypointNet, sample: Sample, config: TrainConfig, device: torch.device) -> None:
        self._net = copy.deepcopy(net)
        self._device = device
        self.looked_at = 0
        self._rng = np.random.default_rng([config.seed, 0xE7E])
        self._screens = torch.from_numpy(sample.screens)
        lengths = np.array(sample.lengths)
        held_out = np.repeat(np.arange(len(lengths)) % _HELD_OUT == _HELD_OUT - 1, lengths)
        self._learned = torch.from_numpy(np.flatnonzero(~held_out))
        apart = np.flatnonzero(held_out if held_out.any() else ~held_out)
        self._held_out = torch.from_numpy(apart[:: max(1, len(apart) // _JUDGED)])
        firsts = np.cumsum(lengths) - lengths
        starts = np.repeat(firsts, lengths)
        self._before = torch.from_numpy(np.maximum(np.arange(len(starts)) - LAG, starts))
        self._stretch = torch.from_numpy(np.repeat(np.arange(len(lengths)), lengths))
        still = [
            np.median(sample.screens[first : first + length : max(1, length // 5)], axis=0)
            for first, length in zip(firsts, lengths, strict=True)
        ]
        self._still = torch.from_numpy(np.stack(still).astype(np.float32))  # each stretch's background
        if not config.exchange_own:
            own = own_pixels(sample.targets[:, sample.own], sample.screens, sample.lengths)
            self._still[:, torch.from_numpy(own)] = 0
        self._targets = torch.from_numpy(sample.targets)
        self._used = sample.used
        count = len(sample.screens)
        some = sample.screens[np.linspace(0, count - 1, min(count, 4_096)).astype(int)]
        locator = self._net.locator
        locator.set_statistics(torch.from_numpy(some.mean(axis=0)), torch.from_numpy(some.std(axis=0)))
        locator.used.copy_(torch.from_numpy(sample.used))
        self._net.own.copy_(torch.from_numpy(sample.own))
        self._weights = torch.from_numpy(sample.used).to(device)

    def sight(self) -> dict[str, torch.Tensor]:
        """See KeypointNet."""
        return self._net.sight()

    def learn(self, used: Callable[[int], float], rate: Callable[[float], float]) -> Iterator[float]:
        """Train until `used(batches so far)` is 1; yields this share after every batch.

        `rate` returns the learning rate's factor at that share.
        """
        locator = self._net.locator
        optimizer = AdamW(locator.parameters(), _DECAY)
        batch = 0
        while (share := used(batch)) < 1.0:
            picks = self._learned[torch.from_numpy(self._rng.integers(0, len(self._learned), _BATCH))]
            positions = self._net.locator(self._elsewhere(picks))
            targets = self._targets[picks].to(self._device)
            loss = nn.functional.smooth_l1_loss(positions[:, self._weights], targets[:, self._weights], beta=_BETA)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step(_RATE * rate(share))
            batch += 1
            self.looked_at += _BATCH
            yield share

    def validate(self) -> npt.NDArray[np.float64]:
        """The share of each column's variance that is explained on held-out screens, float64 (POSITIONS,).

        The largest quarter of the deviations and of the errors does not count: after a ball is lost, the memory still
        holds a position for it, which cannot be seen.
        """
        picks = self._held_out
        with torch.inference_mode():
            found = torch.cat([self._positions(some).cpu() for some in torch.split(picks, _AT_ONCE)]).numpy()
        targets = self._targets[picks].numpy()
        errors, deviations = np.square(found - targets), np.square(targets - np.median(targets, axis=0))
        variance = np.maximum(targets.var(axis=0), 1e-6)
        rest, whole = _trimmed_mean(errors), _trimmed_mean(deviations)
        still = whole < _LEAST_SPREAD * variance  # it hardly ever moves, so the rare movements must count
        rest, whole = np.where(still, errors.mean(axis=0), rest), np.where(still, variance, whole)
        return np.asarray(np.where(self._used, 1 - rest / whole, 0.0))

    def drop_unseen(self, least: float = _SEEN_SHARE) -> int:
        """Drop the columns of which less than this share is explained; if that would be all, keep the best.

        Dropped columns are no longer trained. Returns how many are left.
        """
        explained = self.validate()
        seen = self._used & (explained >= least)
        if not seen.any():
            seen = self._used & (explained == explained[self._used].max())
        self._used = seen
        self._weights = torch.from_numpy(seen).to(self._device)
        self._net.locator.used.copy_(self._weights)
        self._net.own.logical_and_(self._weights)
        return int(seen.sum())

    def _pairs(self, picks: torch.Tensor) -> torch.Tensor:
        return torch.stack([self._screens[picks], self._screens[self._before[picks]]], dim=1)

    def _elsewhere(self, picks: torch.Tensor) -> torch.Tensor:
        """The locator's input, with some screens shown in front of the background of another stretch.

        So a position is learned from the thing itself, not from the state of the game at that time.
        """
        pairs = self._pairs(picks)
        moved = torch.from_numpy(self._rng.random(len(picks)) < _ELSEWHERE_SHARE)
        others = picks[torch.from_numpy(self._rng.permutation(len(picks)))]
        change = self._still[self._stretch[others]] - self._still[self._stretch[picks]]
        shown = (pairs[:, 0].float() + change * moved[:, None, None]).clamp_(0, 127)
        return self._net.locator.scaled(pairs.to(self._device), shown.to(self._device))

    def _positions(self, picks: torch.Tensor) -> torch.Tensor:
        return self._net.locate(self._pairs(picks).to(self._device))


def _trimmed_mean(squares: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean of each column of (n, m), without its largest values."""
    kept = max(1, round((1 - _TRIMMED) * len(squares)))
    return np.asarray(np.sort(squares, axis=0)[:kept].mean(axis=0))
