"""A training that goes on from a twin, instead of beginning anew: which twin, by which settings, and on what.

The twin that it goes on from stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recorder.library.players import players_of
from recorder.system.texts import count
from trainer.config import TrainConfig
from trainer.runs.policy_library import PolicySummary
from trainer.runs.selection import Choice, Row
from trainer.settings import further_config


class Further:
    """Chooses among the `twins`; its sessions are ticked in `choice`, together with those that are already."""

    def __init__(self, twins: Callable[[], Sequence[PolicySummary]], choice: Choice) -> None:
        self._twins, self._choice = twins, choice
        self._path: Path | None = None

    def twins(self, env: str) -> list[PolicySummary]:
        """The twins that a training of an environment can go on from, the newest first."""
        return [twin for twin in self._twins() if twin.env == env and not twin.problem]

    def twin(self, env: str) -> PolicySummary | None:
        """The one that is chosen, unless another environment is chosen by now; None: it begins anew."""
        return next((twin for twin in self.twins(env) if twin.path == self._path), None)

    def choose(self, path: Path | None) -> None:
        """Go on from this twin, and tick what it learned from and what was played with it; None: begin anew."""
        self._path = path
        twin = next((each for each in self._twins() if each.path == path), None)
        if twin is None:
            return
        for row in self._choice.rows:
            if row.env == twin.env and (row.summary.name in twin.learned_from or _with(row, twin)):
                self._choice.choose(row.path)

    def suggest(self, sessions: Sequence[Path]) -> None:
        """Go on from the twin that was corrected in what was just chosen, if it is still there, or else begin anew."""
        rows = [row for row in self._choice.rows if row.path in sessions]
        corrected = [twin for twin in self._twins() for row in rows if row.env == twin.env and _with(row, twin)]
        self.choose(corrected[0].path if len(rows) == 1 and corrected and not corrected[0].problem else None)

    def config(self, twin: PolicySummary, overrides: Mapping[str, Any]) -> TrainConfig:
        """The settings: shorter than the twin's own training. Raises PolicyError or UsageError."""
        return further_config(twin.path, overrides)

    def sentence(self, twin: PolicySummary) -> str:
        """What will be done, and what of the twin's own sessions is missing."""
        there = {row.summary.name for row in self._choice.rows}
        lost = sum(name not in there for name in twin.learned_from)
        missing = f" Not here any more: {count(lost, 'session')} that it learned from." if lost else ""
        return f"{twin.title} is kept as it is; a new twin goes on from it, for a quarter of the time.{missing}"


def _with(row: Row, twin: PolicySummary) -> bool:
    """Whether a person corrected this twin in the session."""
    players = players_of(row.summary.player)
    return any((each.get("kind"), each.get("name")) == ("policy", twin.path.stem) for each in players)
