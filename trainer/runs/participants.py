"""One twin for each participant: the chosen sessions, by the person who played them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.runs.selection import Row


@dataclass(frozen=True)
class Participants:
    """The sessions of each person who has a name, in the order in which they played first.

    `others` is the number of chosen sessions of nobody in particular, which no twin would learn from.
    """

    sessions: dict[str, tuple[Path, ...]]
    others: int

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Participants:
        """Those of the sessions that are chosen. Play that is excluded from training makes no participant."""
        found: dict[str, list[Path]] = {}
        for row in sorted(rows, key=lambda row: (row.summary.created, row.summary.name)):
            name = str(row.summary.player.get("name", "")).strip()
            if row.is_person and name and row.summary.learn_ticks:
                found.setdefault(name, []).append(row.path)
        named = sum(map(len, found.values()))
        return cls({name: tuple(paths) for name, paths in found.items()}, len(rows) - named)

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return len(self.sessions) > 1

    @property
    def why_not(self) -> str:
        """Why there cannot be a twin for each of them, as a sentence; empty if there can."""
        if self.several:
            return ""
        return "Select sessions of two or more people who gave their names"

    @property
    def names(self) -> str:
        """The names, in words; of many only the first."""
        names = list(self.sessions)
        if len(names) > 4:
            return f"{', '.join(names[:3])} and {len(names) - 3} more"
        return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
