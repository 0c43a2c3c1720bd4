"""The table of episodes of a session being read: its rows, the games they make, and what led to a segment of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recorder.errors import SessionError
from recorder.store.head import Head
from recorder.store.places import Place
from recorder.store.schema import EPISODE_COLUMNS, LABELS, OUTCOMES, Episode
from recorder.store.session_group import SessionGroup
from recorder.store.zarr_store import Array


def read_columns(group: SessionGroup, head: Head) -> dict[str, Array]:
    """The columns of the table by name, with a row for every episode that was begun. Raises SessionError.

    The recorder replaces the columns one by one. If that was interrupted, those of the last game may not belong
    together; until the session is complete, the attribute `last_game` has them.
    """
    columns = {c.name: group.read(f"episodes/{c.name}", (), c.dtype, head.episodes) for c in EPISODE_COLUMNS}
    last = group.attributes.get("last_game")
    if head.complete or last is None:
        return columns
    try:
        rows = range(head.episodes)[last["first"] :]
        for column in EPISODE_COLUMNS:
            columns[column.name][rows.start :] = np.array(last[column.name], column.dtype).reshape(len(rows))
    except (KeyError, TypeError, ValueError, OverflowError, IndexError) as error:
        raise SessionError(f"{group.place}: its last game has no valid rows; the session is damaged") from error
    return columns


def read_episodes(group: SessionGroup, head: Head, rewards: Callable[[], npt.NDArray[np.float64]]) -> list[Episode]:
    """The episodes in order; an unfinished last one ends at the last tick with outcome "interrupted".

    `rewards` returns the rewards of all ticks, (T,); only an unfinished episode needs them. Raises SessionError for a
    damaged table.
    """
    columns = read_columns(group, head)
    episodes = []
    for index, row in enumerate(zip(*(columns[c.name].tolist() for c in EPISODE_COLUMNS), strict=True)):
        start, stop, seed, total_reward, outcome, parent, parent_tick, excluded, mark = row
        label = LABELS[mark] if mark < len(LABELS) else ""
        name = OUTCOMES[outcome] if outcome < len(OUTCOMES) else "unknown"
        if start >= head.ticks:
            continue  # begun, but none of its ticks was committed
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


@dataclass(frozen=True)
class RecordedGame:
    """A game as its player counts it: from its start to its end, through all rewinds. `number` counts from 1.

    `line` are the episodes that lead from its start to its end, at least one; `undone` are those that a rewind took
    back.
    """

    number: int
    line: tuple[Episode, ...]
    undone: tuple[Episode, ...] = ()

    @property
    def segments(self) -> tuple[Episode, ...]:
        """All its episodes, in the order of the table."""
        return tuple(sorted((*self.line, *self.undone), key=lambda episode: episode.index))

    @property
    def start(self) -> int:
        """The tick of the session at which it starts."""
        return self.line[0].start

    @property
    def stop(self) -> int:
        """The tick of the session after its last one."""
        return self.line[-1].stop

    @property
    def ticks(self) -> int:
        """How long it is, without what was undone."""
        return sum(map(len, self.line))

    @property
    def line_ticks(self) -> npt.NDArray[np.int64]:
        """The ticks of the session that lead from its start to its end, in order, int64 (ticks,)."""
        return np.concatenate([np.arange(episode.start, episode.stop) for episode in self.line])

    @property
    def score(self) -> float:
        """What was earned in it, without what was undone, or earned by another before a fork."""
        return sum(episode.total_reward for episode in self.line if not episode.leads_in)

    @property
    def forked(self) -> bool:
        """Whether it plays on from a moment of an earlier game, with which it begins."""
        return self.line[0].leads_in

    @property
    def outcome(self) -> str:
        """How it ended."""
        return self.line[-1].outcome

    @property
    def label(self) -> str:
        """What its player thought of it: "success", "failure" or nothing."""
        return self.line[-1].label

    @property
    def excluded(self) -> bool:
        """Whether training is to use nothing of it."""
        return all(episode.excluded for episode in self.line)

    def __contains__(self, tick: object) -> bool:
        return any(tick in range(episode.start, episode.stop) for episode in (*self.line, *self.undone))


def recorded_games(table: Sequence[Episode]) -> list[RecordedGame]:
    """The games of a table of episodes, in the order in which they were played."""
    by_index = {episode.index: episode for episode in table}
    opening: dict[int, int] = {}  # of each episode: the one with which its game starts
    segments: dict[int, list[Episode]] = {}
    for episode in table:
        first = opening[episode.index] = opening.get(episode.parent, episode.index)
        segments.setdefault(first, []).append(episode)
    games: list[RecordedGame] = []
    for first, played in segments.items():
        # Without one, the recorder was killed before a tick was played after a rewind.
        last = next((each for each in reversed(played) if each.outcome != "rewound"), by_index[first])
        line = [last]
        while (parent := by_index.get(line[0].parent)) is not None and parent.index < line[0].index:
            line.insert(0, parent)
        games.append(RecordedGame(len(games) + 1, tuple(line), tuple(each for each in played if each not in line)))
    return games


def lead_in(table: Sequence[Episode], episode: Episode, place: Place) -> list[range]:
    """The ranges of ticks from the start of a game to the start of one of its segments, in order.

    Raises SessionError, naming the session's `place`, if the segments do not fit together.
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
    """The complete `truncated` (T,) bool: true at the last tick of every episode that the game itself did not end.

    Earlier versions did not store it for games that were stopped or rewound, and a killed recorder cannot store it. The
    missing values come from the table.
    """
    ends = np.array([episode.stop - 1 for episode in table], np.int64)
    supplied = np.zeros(len(truncated), np.bool_)
    supplied[ends] = truncated[ends] | ~terminated[ends]
    return supplied
