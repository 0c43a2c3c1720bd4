"""Who plays: the name that a person's takes are recorded under. It is asked for once, before the first take.

FIRST ──▶ NONE ── change() ──────▶ CHANGE ──┐
           ▲ ── ask_next() ──▶ NEXT ────────┤
           └── save(), cancel(), or a take starts: that saves what was typed
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum

from recorder.agents.agent import KeyAgent
from recorder.recording.settings import RecordSettings
from recorder.system.profile import clean_name

_NUMBERED = re.compile(r"(.*?)(\d+)")


class NameQuestion(Enum):
    """The question that is open: the first one, for another name, or for the next participant's."""

    NONE = "none"
    FIRST = "first"
    CHANGE = "change"
    NEXT = "next"


class PlayerName:
    """The name of `keys`, which `settings` keep. `draft` is the answer as it is typed; an empty one is no name."""

    def __init__(self, keys: KeyAgent, settings: RecordSettings) -> None:
        self._keys, self._settings = keys, settings
        self._keys.name = settings.player_name
        self.question = NameQuestion.NONE if settings.name_asked else NameQuestion.FIRST
        self.draft = ""

    @property
    def name(self) -> str:
        """The name that the next take is recorded under; empty for none."""
        return self._keys.name

    def use(self, name: str) -> None:
        """Use a name from the next take on; no question is open any more."""
        self._keys.name = self._settings.player_name = clean_name(name)
        self._settings.name_asked = True
        self.question, self.draft = NameQuestion.NONE, ""

    def change(self) -> None:
        """Ask for another name."""
        self.question, self.draft = NameQuestion.CHANGE, self.name

    def ask_next(self, known: Collection[str]) -> None:
        """Ask for the name of the next participant; suggest one that is not among the `known` ones."""
        self.question, self.draft = NameQuestion.NEXT, next_name(self.name, known)

    def save(self) -> None:
        """Take what was typed."""
        if self.question is not NameQuestion.NONE:
            self.use(self.draft)

    def cancel(self) -> None:
        """Leave the name as it is; whoever gives none the first time is not asked again."""
        self.use(self.name)


def next_name(name: str, known: Collection[str]) -> str:
    """The name to suggest after this one: "Participant 2" after "Participant 1", "P08" after "P07"."""
    found = _NUMBERED.fullmatch(name)
    stem, digits = (found[1], found[2]) if found else ("Participant ", str(max(1, len({name, *known} - {""}))))
    number = int(digits) + 1
    while (wanted := f"{stem}{number:0{len(digits)}d}") in known:
        number += 1
    return wanted
