"""A sample of screens, with the positions of what is on them, for learning to see (trainer.learn.perception).

    recording ─▶ random stretches, detours ─▶ screens, memory ─▶ bytes that are positions ─▶ targets

This module knows no particular game. Trying out actions shows which bytes the player controls.

A player who keeps the paddle under the ball shows no screen with the paddle elsewhere; from such screens alone a
network would learn to find the paddle by the ball. So a part of the sample are detours: two seconds of random actions
from some moment of the recording. Once there is a first clone, clips of other games are added (trainer.learn.seeing).

A training that goes on from a policy knows the positions. In the place of a scout the policy itself plays, and half of
the stretches are from sessions that it has not learned from, if there are any: what it saw wrong while it was corrected
is there.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recorder.library.replayed_memory import Clip, Memory
from recorder.system.cores import available_cores
from trainer.config import TrainConfig
from trainer.data.tick_table import TickTable
from trainer.learn.clips import playing, prepared
from trainer.learn.places import Places
from trainer.learn.position_bytes import position_bytes
from trainer.learn.replays import NoSample, Replay, Replays, replays_of
from trainer.learn.scout import ticks_to_play
from trainer.policy.policy import Policy
from trainer.policy.preprocess import Preprocess

STRETCH_TICKS, _STRETCHES, _DETOURS = 120, 200, 80
_MOST_PLAYED = 60_000  # ticks to draw stretches from: simulating them takes about ten seconds
_TRIALS = 40  # moments at which every action is tried
_OWN_SHARE = 0.5  # of the trials: bytes that differ in so many are the player's own
_REPLAYED = 0.7  # approximate progress once the recording is read and simulated, if an earlier policy then plays
_PATIENCE_S = 0.25


@dataclass(frozen=True)
class Sample:
    """`stretches` are runs of rows of a TickTable. The sample has n ticks: those of the stretches, of detours, and of
    clips of other games; `lengths` are the lengths of these runs. `screens` are uint8 (n, rows, columns). `targets`,
    float32 (n, positions), are the positions in `places`. `used` and `own`, bool (positions,): which columns exist, and
    which of them the player controls. `simulated` are the positions float32 (m, positions) and the actions int64 (m,)
    in all parts of the recording that were played again.
    """

    stretches: list[range]
    lengths: list[int]
    screens: npt.NDArray[np.uint8]
    targets: npt.NDArray[np.float32]
    places: Places
    simulated: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]]

    def with_clips(self, clips: Sequence[Clip]) -> Sample:
        """With clips of preprocessed screens added."""
        return replace(
            self,
            lengths=[*self.lengths, *(len(clip.values) for clip in clips)],
            screens=np.concatenate([self.screens, *(clip.screens for clip in clips)]),
            targets=np.concatenate([self.targets, *(self.places.positions(clip.values) for clip in clips)]),
        )

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        return self.places.used

    @property
    def own(self) -> npt.NDArray[np.bool_]:
        return self.places.own


@dataclass(frozen=True)
class Earlier:
    """A policy that the training goes on from, the places that it sees, and the names of sessions it learned from."""

    policy: Policy
    places: Places
    learned_from: frozenset[str]


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
    wanted = _replays(tick_table, parts, stretches, rng)
    cores = config.threads or available_cores()
    screens: list[npt.NDArray[np.uint8]] = []
    with contextlib.closing(Replays(wanted, Preprocess.of(config), config.seed, cores)) as replays:
        to_read = deque(stretches)
        while to_read or replays.running:
            if to_read:
                screens.append(np.concatenate(list(tick_table.screens(to_read.popleft()))))
            step = replays.poll(0.0 if to_read else _PATIENCE_S)
            if isinstance(step, NoSample):
                yield step
                return
            yield (1.0 if earlier is None else _REPLAYED) * 0.5 * (len(screens) / len(stretches) + min(1.0, step))
        found = replays.found
    detours = [detour for each in found for detour in each.detours]
    held = np.concatenate([each.memory.values for each in found])
    offsets = np.cumsum([0, *map(len, parts)])
    own_parts = [held[first:stop] for first, stop in pairwise(offsets.tolist())]
    screens += [detour.screens for detour in detours]
    values = [*_of_stretches(stretches, parts, own_parts), *(detour.values for detour in detours)]
    if earlier is None:
        places = _places([each.memory for each in found], values, screens, config.positions)
    else:
        places = earlier.places
    if not places.bytes_:
        yield NoSample("no part of the emulator's memory follows objects on the screen")
        return
    simulated = [
        (places.positions(each), np.asarray(session.actions[ticks.start : ticks.stop], np.int64))
        for each, (session, ticks) in zip(own_parts, map(tick_table.at, parts), strict=True)
    ]
    targets = places.positions(np.concatenate(values))
    sample = Sample(stretches, [*map(len, screens)], np.concatenate(screens), targets, places, simulated)
    if earlier is None or not config.scout:
        yield sample
        return
    del screens
    yield "the policy plays, to see better where its own play leads"
    clips = []
    for played in playing(earlier.policy, ticks_to_play(config), STRETCH_TICKS):
        if isinstance(played, Clip):
            clips.append(prepared(played, config, tick_table.at(parts[0])[0].palette))
        else:
            yield _REPLAYED + (1 - _REPLAYED) * played
    yield sample.with_clips(clips)


def _places(
    memories: Sequence[Memory],
    values: Sequence[npt.NDArray[np.uint8]],
    screens: Sequence[npt.NDArray[np.uint8]],
    positions: int,
) -> Places:
    """Those that the memory of the recording holds, for a network with so many positions or more; none if nothing in it
    follows what is seen on the screens.
    """
    moved = np.sum([memory.moved for memory in memories], axis=0)
    controlled = np.asarray(moved >= _OWN_SHARE * sum(memory.trials for memory in memories), bool)
    return Places.of(np.concatenate(values), position_bytes(values, screens, controlled), controlled, positions)


def _replays(
    tick_table: TickTable, parts: Sequence[range], stretches: Sequence[range], rng: np.random.Generator
) -> list[Replay]:
    """The games to play again for the memory at all rows of `parts`; detours leave some stretches half-way."""
    middles = [rows[len(rows) // 2] for rows in stretches]
    tried = {middles[k] for k in np.linspace(0, len(middles) - 1, min(_TRIALS, len(middles))).astype(int).tolist()}
    left = {middles[k] for k in rng.permutation(len(middles))[:_DETOURS].tolist()}
    places = [tick_table.at(part) for part in parts]
    trials, detours = (
        [
            {row - part.start + ticks.start for row in rows if row in part}
            for part, (_, ticks) in zip(parts, places, strict=True)
        ]
        for rows in (tried, left)
    )
    return replays_of(places, trials, detours, STRETCH_TICKS)


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
        range(first, min(first + STRETCH_TICKS, part.stop))
        for part in parts
        for first in range(part.start, part.stop, STRETCH_TICKS)
    ]
    picks = rng.permutation(len(found)).tolist()
    first = [pick for pick in picks if new(found[pick])][: _STRETCHES // 2]
    rest = [pick for pick in picks if pick not in first]
    return [found[pick] for pick in sorted([*first, *rest][:_STRETCHES])]
