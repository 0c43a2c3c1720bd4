"""A sample of screens, with the positions of what is on them, for learning to see (trainer.learn.perception).

    recording ─▶ random stretches ─▶ screens, memory ─▶ bytes that are positions ─▶ targets
                 detours, games of a scout ─▶ ┘

This module knows no particular game. Trying out actions shows which bytes the player controls.

A player who keeps the paddle under the ball shows no screen with the paddle elsewhere; from such screens alone a
network would learn to find the paddle by the ball. So a part of the sample are detours: two seconds of random actions
from some moment of the recording. Another part is from games of a scout (trainer.learn.scout), which get further than
the recording. Once there is a first clone, its games are added, too: they lead where the clone sees badly.

A training that goes on from a policy knows the positions. In the place of a scout the policy itself plays, and half of
the stretches are from sessions that it has not learned from, if there are any: what it saw wrong while it was corrected
is there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise

import numpy as np
import numpy.typing as npt

from recorder.errors import TwinplayError
from recorder.library.replayed_memory import Clip, Memory, replaying_memory
from trainer.config import TrainConfig
from trainer.data.tick_table import TickTable
from trainer.learn.clips import playing
from trainer.learn.places import Places
from trainer.learn.position_bytes import position_bytes
from trainer.learn.scout import scouting, ticks_to_play
from trainer.policy.keypoints import POSITIONS
from trainer.policy.policy import Policy

_STRETCH_TICKS, _STRETCHES, _DETOURS = 120, 200, 80
_MOST_PLAYED = 60_000  # ticks to draw stretches from: simulating them takes about ten seconds
_TRIALS = 40  # moments at which every action is tried
_OWN_SHARE = 0.5  # of the trials: bytes that differ in so many are the player's own
_READ, _REPLAYED = 0.2, 0.5  # approximate progress of sampling once screens are read, and once they are simulated


@dataclass(frozen=True)
class Sample:
    """`stretches` are runs of rows of a TickTable. The sample has n ticks: those of the stretches, of detours, and of a
    scout's games; `lengths` are the lengths of these runs. `screens` are uint8 (n, rows, columns). `targets`, float32
    (n, POSITIONS), are the positions in `places`. `used` and `own`, bool (POSITIONS,): which columns exist, and which
    of them the player controls.
    """

    stretches: list[range]
    lengths: list[int]
    screens: npt.NDArray[np.uint8]
    targets: npt.NDArray[np.float32]
    places: Places

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        return np.arange(POSITIONS) < len(self.places.bytes_)

    @property
    def own(self) -> npt.NDArray[np.bool_]:
        return self.places.own


@dataclass(frozen=True)
class Earlier:
    """A policy that the training goes on from, the places that it sees, and the names of sessions it learned from."""

    policy: Policy
    places: Places
    learned_from: frozenset[str]


@dataclass(frozen=True)
class NoSample:
    """Why there is no sample, as a text that follows "since"."""

    reason: str


def sampling(
    tick_table: TickTable, config: TrainConfig, earlier: Earlier | None = None
) -> Iterator[float | str | Sample | NoSample]:
    """Yields the share that is done, what it is doing, and finally the sample, or why there is none."""
    yield "playing the recording again"
    rng = np.random.default_rng([config.seed, 0x5EE])

    def new(rows: range) -> bool:
        return earlier is not None and tick_table.at(rows)[0].name not in earlier.learned_from

    parts = _parts_to_play(tick_table, rng, new)
    stretches = _stretches(parts, rng, new)
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
    places = _places(memories, values, screens) if earlier is None else earlier.places
    if not places.bytes_:
        yield NoSample("no part of the emulator's memory follows objects on the screen")
        return
    targets = places.positions(np.concatenate(values))
    sample = Sample(stretches, [*map(len, screens)], np.concatenate(screens), targets, places)
    if not config.scout:
        yield sample
        return
    if earlier is not None:
        yield "the policy plays, to see better where its own play leads"
        larger = adding_play(sample, earlier.policy, config, tick_table)
    else:
        yield "a helper policy plays on from the recorded games, to see more"
        session = tick_table.at(parts[0])[0]
        known = [
            (places.positions(each), np.asarray(session.actions[ticks.start : ticks.stop], np.int64))
            for each, (session, ticks) in zip(own_parts, map(tick_table.at, parts), strict=True)
        ]
        larger = _adding(sample, scouting(known, places, session.spec, config, _STRETCH_TICKS), tick_table)
    del screens, sample
    for added in larger:
        yield added if isinstance(added, Sample) else _REPLAYED + (1 - _REPLAYED) * added


def adding_play(sample: Sample, policy: Policy, config: TrainConfig, tick_table: TickTable) -> Iterator[float | Sample]:
    """Let a policy play; yields the share that is done, and finally the sample with clips of its games added."""
    return _adding(sample, playing(policy, ticks_to_play(config), _STRETCH_TICKS), tick_table)


def _adding(sample: Sample, games: Iterator[float | Clip], tick_table: TickTable) -> Iterator[float | Sample]:
    session, _ = tick_table.at(sample.stretches[0])
    screens, values = [sample.screens], []
    for found in games:
        if isinstance(found, Clip):
            screens.append(tick_table.preprocessed(session, found.screens))
            values.append(found.values)
        else:
            yield found
    targets = [sample.targets, *map(sample.places.positions, values)]
    lengths = [*sample.lengths, *map(len, values)]
    yield replace(sample, lengths=lengths, screens=np.concatenate(screens), targets=np.concatenate(targets))


def _places(
    memories: Sequence[Memory], values: Sequence[npt.NDArray[np.uint8]], screens: Sequence[npt.NDArray[np.uint8]]
) -> Places:
    """Those that the memory of the recording holds; none if nothing in it follows what is seen on the screens."""
    moved = np.sum([memory.moved for memory in memories], axis=0)
    controlled = np.asarray(moved >= _OWN_SHARE * sum(memory.trials for memory in memories), bool)
    return Places.of(np.concatenate(values), position_bytes(values, screens, controlled), controlled)


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


def _parts_to_play(tick_table: TickTable, rng: np.random.Generator, new: Callable[[range], bool]) -> list[range]:
    """Random parts, in rising order, that together do not take too long to simulate; those that are new first."""
    parts = tick_table.parts
    played, chosen = 0, []
    for index in sorted(rng.permutation(len(parts)).tolist(), key=lambda index: not new(parts[index])):
        if not played or played + len(parts[index]) <= _MOST_PLAYED:
            played += len(parts[index])
            chosen.append(parts[index])
    return sorted(chosen, key=lambda rows: rows.start)


def _stretches(parts: Sequence[range], rng: np.random.Generator, new: Callable[[range], bool]) -> list[range]:
    """Random runs of rows in these parts, in rising order; half of them from new ones, if there are any."""
    found = [
        range(first, min(first + _STRETCH_TICKS, part.stop))
        for part in parts
        for first in range(part.start, part.stop, _STRETCH_TICKS)
    ]
    picks = rng.permutation(len(found)).tolist()
    first = [pick for pick in picks if new(found[pick])][: _STRETCHES // 2]
    rest = [pick for pick in picks if pick not in first]
    return [found[pick] for pick in sorted([*first, *rest][:_STRETCHES])]
