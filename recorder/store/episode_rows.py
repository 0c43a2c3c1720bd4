"""The table of episodes of a session that is being written; `recorder.store.schema` describes rewinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recorder.store.schema import EPISODE_COLUMNS, LABELS, LEAD_IN, OUTCOMES

_REWOUND, _LEAD_IN = OUTCOMES.index("rewound"), OUTCOMES.index(LEAD_IN)


@dataclass(frozen=True)
class Rewound:
    """What a rewind changed: the indices of the rows that it `added`, rising, without the one that play goes on in, and
    ticks that are now, or are no longer, the last of an episode.
    """

    added: tuple[int, ...]
    ends: tuple[int, ...]
    no_ends: tuple[int, ...]


def last_game(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The attribute `last_game` for these rows, by the names of EPISODE_COLUMNS; those before it never change again."""
    first = max((index for index, row in enumerate(rows) if row["parent"] < 0), default=0)
    return {"first": first} | {column.name: [row[column.name] for row in rows[first:]] for column in EPISODE_COLUMNS}


class EpisodeRows:
    """A row for every episode that was begun; the last one is in progress, or ended most recently.

    Ticks count from the start of the session, except those that are called the game's.
    """

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._bases: list[tuple[int, float]] = []  # the game's tick and score at the start of each segment

    def __len__(self) -> int:
        return len(self._rows)

    def begin(self, tick: int, seed: int, *, leading_in: bool = False) -> None:
        """An episode begins at `tick`, with a new game of `seed`, or the lead-in of a forked one."""
        self._rows.append(
            {
                "start": tick,
                "stop": 0,
                "seed": seed,
                "total_reward": 0.0,
                "outcome": 0,
                "parent": -1,
                "parent_tick": -1,
                "excluded": leading_in,
                "label": 0,
            }
        )
        self._bases.append((0, 0.0))

    def branch(self, tick: int) -> None:
        """The lead-in ends before `tick`: the forked game's own play begins."""
        rows = self._rows
        rows[-1] |= {"stop": tick, "outcome": _LEAD_IN}
        self._bases.append((tick - rows[-1]["start"], rows[-1]["total_reward"]))
        rows.append({**rows[-1], "parent": len(rows) - 1, "parent_tick": tick, "start": tick, "stop": 0})
        rows[-1] |= {"total_reward": 0.0, "outcome": 0, "excluded": False}

    def earn(self, reward: float) -> None:
        """Add a tick's `reward` to the current episode."""
        self._rows[-1]["total_reward"] += reward

    def mark(self, label: str) -> None:
        """Give the game under way, or the last one, a label of LABELS."""
        first = max(index for index, row in enumerate(self._rows) if row["parent"] < 0)
        for row in self._rows[first:]:
            row["label"] = LABELS.index(label)

    def end(self, tick: int, outcome: str) -> bool:
        """The current episode ends before `tick`; returns whether it has any ticks."""
        row = self._rows[-1]
        row["stop"], row["outcome"] = tick, OUTCOMES.index(outcome)
        played = bool(row["start"] < tick)
        before = self._rows[row["parent"]]
        if row["parent"] >= 0 and not played and before["outcome"] != _LEAD_IN:
            before["outcome"] = row["outcome"]  # rewound and not continued: the game ended there
        return played

    def rewind(self, tick: int, game_tick: int, score: float, keep: bool) -> Rewound:
        """At `tick`, the game goes back to its own tick `game_tick`, where it had `score`.

        Unless `keep`, the undone ticks are excluded from training.
        """
        rows = self._rows
        added: list[int] = []
        ends: list[int] = []
        if rows[-1]["start"] < tick or rows[-1]["parent"] < 0:
            rows[-1] |= {"stop": tick, "outcome": _REWOUND}
            added.append(len(rows) - 1)
            ends.append(tick - 1)
            rows.append({**rows[-1], "parent": len(rows) - 1, "start": tick, "stop": 0, "outcome": 0})
            rows[-1]["total_reward"] = 0.0
            self._bases.append((0, 0.0))
        fresh, cut = rows[-1], rows[-1]["parent"]
        while self._bases[cut][0] >= game_tick and rows[cut]["parent"] >= 0:  # undone from its start
            rows[cut]["excluded"] = not keep
            cut = rows[cut]["parent"]
        base_tick, base_score = self._bases[cut]
        end = rows[cut]["start"] + game_tick - base_tick
        no_ends = self._cut(cut, end, score - base_score, keep, added)
        ends.append(end - 1)
        fresh |= {"parent": cut, "parent_tick": end}
        self._bases[-1] = (game_tick, score)
        return Rewound(tuple(sorted(added)), tuple(ends), no_ends)

    def _cut(self, cut: int, end: int, earned: float, keep: bool, added: list[int]) -> tuple[int, ...]:
        """Let row `cut` end before the tick `end`, having earned so much; the rest of it is undone.

        The rest becomes a row after it, noted in `added`, or goes to the row that was undone from there on, if that was
        the last thing that happened. Returns the ticks that are no longer the last of an episode.
        """
        rows, old = self._rows, self._rows[cut]["stop"]
        rest, following, again = rows[cut]["total_reward"] - earned, rows[cut + 1], not added
        rows[cut] |= {"stop": end, "total_reward": earned}
        if end == old:
            return ()
        if again and cut == len(rows) - 3 and following["parent"] == cut:  # nothing was played since the last rewind
            following |= {"start": end, "parent_tick": end, "excluded": not keep}
            following["total_reward"] += rest
            return (old - 1,)
        undone = {**rows[cut], "parent": cut, "parent_tick": end, "start": end, "stop": old, "outcome": _REWOUND}
        for row in rows[cut + 1 :]:  # they move by one, and go on from what is undone now
            row["parent"] += 1
        rows.insert(cut + 1, undone | {"total_reward": rest, "excluded": not keep})
        self._bases.insert(cut + 1, self._bases[cut])
        added[:] = [*(index + (index > cut) for index in added), cut + 1]
        return ()

    @property
    def label(self) -> str:
        """The label of the current or last episode, one of LABELS; empty if there is no episode."""
        return LABELS[self._rows[-1]["label"]] if self._rows else ""

    def copy(self) -> list[dict[str, Any]]:
        """The current rows, by the names of EPISODE_COLUMNS."""
        return [dict(row) for row in self._rows]
