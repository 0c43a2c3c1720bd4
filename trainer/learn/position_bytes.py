"""Which bytes of the console's memory are positions of things on the screen.

A byte is taken as a position if it takes many values and mostly changes in small steps. Games keep copies of positions:
the last one, or the one that is drawn next. Of bytes that are nearly the same, the one is taken whose changes come
together with changes on the screen. In Pong, the other copy of the paddle's position is off by a tick: a network that
was to learn it was wrong by 2.4 pixels in the median, and its clone missed the ball.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trainer.policy.keypoints import POSITIONS

_LEAST_VALUES, _LEAST_CHANGES, _SMALL_STEP, _SMALL_SHARE = 16, 0.02, 8, 0.5
_SAME = 0.98  # correlation above which two bytes count as the same position
_CLEARLY = 1.1  # so many times as visible is another byte that takes the place of one that changes more often
_COMPARED = 24_000  # screens, of which the changes are compared with those of bytes
_COARSER = 2  # every so-many-th row and column of them

Values = npt.NDArray[np.uint8]


def position_bytes(
    values: Sequence[Values], screens: Sequence[npt.NDArray[np.uint8]], controlled: npt.NDArray[np.bool_]
) -> list[int]:
    """The bytes taken as positions, at most POSITIONS, most often changing first; one of several that are the same.

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
    return [_most_visible(group, values, screens) for group in groups[:POSITIONS]]


def _most_visible(group: Sequence[int], values: Sequence[Values], screens: Sequence[npt.NDArray[np.uint8]]) -> int:
    """The byte of a group whose changes are best seen: the first one, unless another one's clearly are."""
    if len(group) == 1:
        return group[0]
    compared, moved, changed = 0, [], []
    for held, shown in zip(values, screens, strict=True):
        if compared >= _COMPARED:
            break
        compared += len(held)
        coarse = shown[:, ::_COARSER, ::_COARSER].reshape(len(shown), -1)
        changed.append(coarse[1:] != coarse[:-1])
        moved.append(held[1:, group] != held[:-1, group])
    together = _correlations(np.concatenate(moved), np.concatenate(changed))
    seen = np.square(together).sum(axis=1)
    best = int(seen.argmax())
    return group[best] if seen[best] > _CLEARLY * seen[0] else group[0]


def _correlations(moved: npt.NDArray[np.bool_], changed: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The correlation of each column of bool (n, bytes) with each of bool (n, pixels), float64 (bytes, pixels)."""
    share, often = moved.mean(axis=0), changed.mean(axis=0)
    both = (moved.astype(np.float32).T @ changed.astype(np.float32)) / len(moved)
    spread = np.sqrt(np.outer(share * (1 - share), often * (1 - often)))
    return np.asarray(np.divide(both - np.outer(share, often), spread, out=np.zeros_like(spread), where=spread > 0))
