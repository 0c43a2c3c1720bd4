"""The table of episodes of a session that is being written; `recorder.store.schema` describes rewinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recorder.store.schema import LABELS, OUTCOMES


@dataclass(frozen=True)
class Rewound:
    """The changes by a rewind: `added` rows, and ticks that are now, or are no longer, the last of an episode."""

    added: int
    ends: tuple[int, ...]
    no_ends: tuple[int, ...]


class EpisodeRows:
    """A row for every episode that was begun; the last one is in progress, or ended most recently.

    Ticks count from the start of the session, except those that are called the game's.
    """

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._bases: list[tuple[int, float]] = []  # the game's tick and score at the start of each segment

    def __len__(self) -> int:
        return len(self._rows)

    def begin(self, tick: int, seed: int) -> None:
        """An episode begins at `tick`, with a new game of `seed`."""
        self._rows.append(
            {
                "start": tick,
                "stop": 0,
                "seed": seed,
                "total_reward": 0.0,
                "outcome": 0,
                "parent": -1,
                "parent_tick": -1,
                "excluded": False,
                "label": 0,
            }
        )
        self._bases.append((0, 0.0))

    def earn(self, reward: float) -> None:
        """Add a tick's `reward` to the current episode."""
        self._rows[-1]["total_reward"] += reward

    def mark(self, label: str) -> None:
        """Give the current episode, or the last one, a label of LABELS."""
        self._rows[-1]["label"] = LABELS.index(label)

    def end(self, tick: int, outcome: str) -> bool:
        """The current episode ends before `tick`; returns whether it has any ticks."""
        row = self._rows[-1]
        row["stop"], row["outcome"] = tick, OUTCOMES.index(outcome)
        played = bool(row["start"] < tick)
        if row["parent"] >= 0 and not played:  # rewound and not continued: the game ended there
            self._rows[row["parent"]]["outcome"] = row["outcome"]
        return played

    def rewind(self, tick: int, game_tick: int, score: float, keep: bool) -> Rewound:
        """At `tick`, the game goes back to its own tick `game_tick`, where it had `score`.

        Unless `keep`, the undone ticks are excluded from training.
        """
        rows, added = self._rows, 0
        no_ends: tuple[int, ...] = ()
        if rows[-1]["start"] == tick and rows[-1]["parent"] >= 0:  # nothing was played since the last rewind
            cut, undone, fresh = rows[-3:]
            no_ends = (cut["stop"] - 1,)  # it now ends earlier
        else:
            cut, index = rows[-1], len(rows) - 1
            undone = {**cut, "parent": index, "stop": tick, "outcome": OUTCOMES.index("rewound")}
            undone["total_reward"] = 0.0
            fresh = {**cut, "parent": index, "start": tick, "total_reward": 0.0}
            rows += [undone, fresh]
            added = 2
            self._bases += [self._bases[-1]] * 2
        base_tick, base_score = self._bases[-3]
        self._bases[-2] = self._bases[-1] = (game_tick, score)
        earned = cut["total_reward"] + undone["total_reward"]
        cut |= {"stop": cut["start"] + game_tick - base_tick, "total_reward": score - base_score}
        cut["outcome"] = OUTCOMES.index("rewound")
        undone |= {"start": cut["stop"], "total_reward": earned - cut["total_reward"], "excluded": not keep}
        undone["parent_tick"] = fresh["parent_tick"] = cut["stop"]
        return Rewound(added, (cut["stop"] - 1, undone["stop"] - 1), no_ends)

    @property
    def label(self) -> str:
        """The label of the current or last episode, one of LABELS; empty if there is no episode."""
        return LABELS[self._rows[-1]["label"]] if self._rows else ""

    def copy(self) -> list[dict[str, Any]]:
        """The current rows, by the names of EPISODE_COLUMNS."""
        return [dict(row) for row in self._rows]
