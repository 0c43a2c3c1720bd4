"""Which bytes of the console's memory are positions of things on the screen, and where these things move.

A byte is taken as a position if it takes many values and often changes in small steps: the place of a bomb also jumps,
from one bomb to the next. Games keep copies of positions: the last one, or the one that is drawn next. Of several
copies, the byte is taken that changes together with the screen. In Pong, the other copy of the paddle's position is off
by a tick: a network that was trained on it erred by 2.4 pixels (median), and its clone missed the ball. A byte that
leads by more than that is no copy: in Breakout, the paddle follows one that says where it is to go (correlation 0.975
to 0.983), and a network that also learns this one sees better.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from trainer.hyperparameters import MOST_POSITIONS

_LEAST_VALUES, _LEAST_CHANGES, _SMALL_STEP, _SMALL_SHARE = 16, 0.02, 8, 0.2
_SAME = 0.99  # correlation above which two bytes count as the same position
_CLEARLY = 1.1  # so many times as visible must a byte be to replace one that changes more often
_COMPARED = 24_000  # screens, of which the changes are compared with those of bytes
_COARSER = 2  # every so-many-th row and column of them
_MOVING = 0.1  # correlation of a pixel's changes with those of a position, above which a figure moves there

Values = npt.NDArray[np.uint8]


def position_bytes(
    values: Sequence[Values], screens: Sequence[npt.NDArray[np.uint8]], controlled: npt.NDArray[np.bool_]
) -> list[int]:
    """The bytes taken as positions, most often changing first; one of several that are the same.

    If there are more than MOST_POSITIONS, those are taken whose changes are best seen on the screen, and the player's
    own. Those that change most often may be counters, and what moves in steps, like the invaders, changes seldom.

    `values` are the memory of stretches of play, uint8 (n, bytes), and `screens` those of the same ticks, uint8 (n,
    rows, columns). `controlled`, bool (bytes,): which of the bytes the player controls. A controlled byte and another
    one are never the same: a player may keep the paddle so close to the ball that the two are correlated.
    """
    whole = np.concatenate(values)
    inside = np.ones(len(whole) - 1, bool)
    inside[np.cumsum([*map(len, values)])[:-1] - 1] = False
    steps = np.abs(np.diff(whole.astype(np.int16), axis=0))[inside]
    changes = (steps > 0).sum(axis=0)
    small = ((steps > 0) & (steps <= _SMALL_STEP)).sum(axis=0)
    many = np.array([len(np.unique(whole[:, byte])) for byte in range(whole.shape[1])]) >= _LEAST_VALUES
    moving = (changes >= _LEAST_CHANGES * len(steps)) & (small >= _SMALL_SHARE * changes) & many
    groups: list[list[int]] = []
    for byte in sorted(np.flatnonzero(moving).tolist(), key=lambda byte: -int(changes[byte])):
        same = [
            group
            for group in groups
            if controlled[group[0]] == controlled[byte]
            and abs(float(np.corrcoef(whole[:, byte], whole[:, group[0]])[0, 1])) >= _SAME
        ]
        if same:
            same[0].append(byte)
        else:
            groups.append([byte])
    if len(groups) > MOST_POSITIONS:
        seen = _seen([group[0] for group in groups], values, screens)
        seen[[bool(controlled[group[0]]) for group in groups]] = np.inf
        groups = [groups[kept] for kept in sorted(np.argsort(-seen, stable=True)[:MOST_POSITIONS].tolist())]
    return [_most_visible(group, values, screens) for group in groups]


def moving_pixels(
    positions: npt.NDArray[np.float32], screens: npt.NDArray[np.uint8], lengths: Sequence[int]
) -> npt.NDArray[np.bool_]:
    """Where something moves, bool (rows, columns): pixels that change when one of its positions does.

    `positions`, float32 (n, m), are its own on screens uint8 (n, rows, columns), in stretches of `lengths`.
    """
    shape = screens.shape[1:]
    if not positions.shape[1]:
        return np.zeros(shape, bool)
    edges = np.cumsum([0, *lengths]).tolist()
    stretches = [slice(first, stop) for first, stop in pairwise(edges)]
    found = _correlations(
        ((np.diff(positions[each], axis=0) != 0).any(axis=1, keepdims=True), _changes(screens[each]))
        for each in stretches[:: max(1, edges[-1] // _COMPARED)]
    )
    return np.asarray(found[0].reshape(shape) > _MOVING)


def _most_visible(group: Sequence[int], values: Sequence[Values], screens: Sequence[npt.NDArray[np.uint8]]) -> int:
    """The byte of a group whose changes are best seen: the first one, unless another one's clearly are."""
    if len(group) == 1:
        return group[0]
    seen = _seen(group, values, screens)
    best = int(seen.argmax())
    return group[best] if seen[best] > _CLEARLY * seen[0] else group[0]


def _seen(
    bytes_: Sequence[int], values: Sequence[Values], screens: Sequence[npt.NDArray[np.uint8]]
) -> npt.NDArray[np.float64]:
    """How well the changes of bytes are seen on the screens, float64 (bytes,): 0 for one that changes every tick."""
    every = max(1, sum(map(len, values)) // _COMPARED)
    together = _correlations(
        (np.diff(held[:, bytes_], axis=0) != 0, _changes(shown[:, ::_COARSER, ::_COARSER]))
        for held, shown in zip(values[::every], screens[::every], strict=True)
    )
    return np.asarray(np.square(together).sum(axis=1))


def _changes(screens: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which pixels change from each screen (n, rows, columns) to the next, bool (n - 1, pixels)."""
    changed = screens[1:] != screens[:-1]
    return np.asarray(changed.reshape(len(changed), math.prod(screens.shape[1:])), bool)


def _correlations(
    stretches: Iterable[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]],
) -> npt.NDArray[np.float64]:
    """The correlation of each column of bool (n, m) with each of bool (n, pixels), over all stretches: (m, pixels)."""
    count, moves, changes, both = 0, np.zeros(1), np.zeros(1), np.zeros(1)
    for moved, changed in stretches:
        count += len(moved)
        moves = moves + moved.sum(axis=0)
        changes = changes + changed.sum(axis=0)
        both = both + moved.astype(np.float32).T @ changed.astype(np.float32)
    share, often = moves / max(1, count), changes / max(1, count)
    spread = np.sqrt(np.outer(share * (1 - share), often * (1 - often)))
    apart = both / max(1, count) - np.outer(share, often)
    return np.asarray(np.divide(apart, spread, out=np.zeros_like(spread), where=spread > 0))
