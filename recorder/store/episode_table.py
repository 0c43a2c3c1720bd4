"""The table of episodes of a session being read: its rows, the scores of games, and what led to a segment of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from recorder.errors import SessionError
from recorder.store.head import Head
from recorder.store.places import Place
from recorder.store.schema import EPISODE_COLUMNS, LABELS, OUTCOMES, Episode
from recorder.store.session_group import SessionGroup


def read_episodes(group: SessionGroup, head: Head, rewards: Callable[[], npt.NDArray[np.float64]]) -> list[Episode]:
    """The episodes in order; an unfinished last one ends at the last tick with outcome "interrupted".

    `rewards` gives those of all ticks, (T,); only an unfinished episode needs them. Raises SessionError for a damaged
    table.
    """
    columns = [group.read(f"episodes/{c.name}", (), c.dtype, head.episodes) for c in EPISODE_COLUMNS]
    episodes = []
    for index, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        start, stop, seed, total_reward, outcome, parent, parent_tick, excluded, mark = row
        label = LABELS[mark] if mark < len(LABELS) else ""
        name = OUTCOMES[outcome] if outcome < len(OUTCOMES) else "unknown"
        if start >= head.ticks:
            continue  # announced, but none of its ticks was committed
        if outcome == 0 or (stop > head.ticks and not head.complete):
            stop, name = head.ticks, "interrupted"
            total_reward = float(rewards()[start:stop].sum())
        if not 0 <= start <= stop <= head.ticks:
            raise SessionError(
                f"{group.place}: episode {index} has ticks {start} to {stop}, but the session only "
                f"{head.ticks}; the session is damaged"
            )
        if stop > start:
            episodes.append(
                Episode(index, start, stop, seed, total_reward, name, bool(excluded), parent, parent_tick, label)
            )
    return episodes


def scores(table: Sequence[Episode], episodes: Iterable[Episode]) -> list[float]:
    """The score of each game of `table` whose last segment is among `episodes`, over all its segments.

    What was undone by a rewind counts for nothing.
    """
    by_index = {episode.index: episode for episode in table}
    found = []
    for episode in episodes:
        if episode.outcome == "rewound":
            continue
        score, parent = episode.total_reward, by_index.get(episode.parent)
        while parent is not None:
            score, parent = score + parent.total_reward, by_index.get(parent.parent)
        found.append(score)
    return found


def lead_in(table: Sequence[Episode], episode: Episode, place: Place) -> list[range]:
    """The ticks that lead from the start of a game to the start of a segment of it, in order.

    Raises SessionError, naming the session's `place`, when the segments do not fit together.
    """
    by_index = {each.index: each for each in table}
    ranges: list[range] = []
    while episode.parent >= 0:
        parent = by_index.get(episode.parent)
        if parent is None or parent.index >= episode.index or not parent.start <= episode.parent_tick <= parent.stop:
            raise SessionError(
                f"{place}: episode {episode.index} continues from tick {episode.parent_tick} of episode "
                f"{episode.parent}, which does not hold it; the session is damaged"
            )
        ranges.insert(0, range(parent.start, episode.parent_tick))
        episode = parent
    return ranges


def with_ends(
    truncated: npt.NDArray[np.bool_], terminated: npt.NDArray[np.bool_], table: Sequence[Episode]
) -> npt.NDArray[np.bool_]:
    """`truncated` (T,) bool as it should be: at the last tick of every episode that the game itself did not end.

    Earlier versions did not store it of games that were stopped or rewound, and nobody stores it of one whose recorder
    was killed; it comes from the table then.
    """
    ends = np.array([episode.stop - 1 for episode in table], np.int64)
    supplied = np.zeros(len(truncated), np.bool_)
    supplied[ends] = truncated[ends] | ~terminated[ends]
    return supplied
