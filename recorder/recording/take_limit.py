"""When a take ends by itself: after so many minutes of play, or after so many games; or never.

Minutes count ticks of play: neither pauses nor what a rewind took back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from recorder.recording.settings import RecordSettings

MOST_MINUTES, MOST_GAMES = 600, 1_000
_WRITTEN = re.compile(r"(\d{1,3}(?:\.\d{1,3})?) minutes|(\d{1,4}) games")


class LimitKind(Enum):
    """What is counted."""

    NONE = ""
    MINUTES = "minutes"
    GAMES = "games"


@dataclass(frozen=True)
class TakeLimit:
    """Without minutes (up to MOST_MINUTES) and games (up to MOST_GAMES), a take goes on until it is stopped."""

    minutes: float = 0.0
    games: int = 0

    @classmethod
    def read(cls, text: str) -> TakeLimit:
        """The inverse of `str`; no limit for any other text."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            return cls()
        minutes, games = float(found[1] or 0), int(found[2] or 0)
        return cls(minutes, games) if minutes <= MOST_MINUTES and games <= MOST_GAMES else cls()

    def __str__(self) -> str:
        return f"{self.minutes:g} minutes" if self.minutes else f"{self.games} games" if self.games else ""

    @property
    def kind(self) -> LimitKind:
        """What is counted."""
        return LimitKind.MINUTES if self.minutes else LimitKind.GAMES if self.games else LimitKind.NONE

    def reached(self, ticks: int, games: int, rate_hz: float) -> bool:
        """Whether a take of so many ticks of play and whole games is over."""
        if self.minutes:
            return ticks >= max(1, round(60 * self.minutes * rate_hz))
        return bool(self.games) and games >= self.games

    @property
    def over(self) -> str:
        """What is told once it is reached; empty without a limit."""
        number = self.minutes or self.games
        if not number:
            return ""
        if 0 < self.minutes < 1:
            return f"{60 * self.minutes:g} seconds are over"
        what = self.kind.value if number != 1 else self.kind.value.removesuffix("s")
        return f"{number:g} {what} {'is' if number == 1 else 'are'} over"


NO_LIMIT = TakeLimit()


class LimitChoice:
    """The limit of the takes to come, which `settings` keep; the numbers that were chosen last stay at hand."""

    def __init__(self, settings: RecordSettings) -> None:
        self._settings = settings
        self.limit = TakeLimit.read(settings.take_limit)
        self.minutes, self.games = self.limit.minutes or 5.0, self.limit.games or 3

    def count(self, kind: LimitKind) -> None:
        """Count minutes, games or nothing from the next take on."""
        match kind:
            case LimitKind.MINUTES:
                self._set(TakeLimit(minutes=self.minutes))
            case LimitKind.GAMES:
                self._set(TakeLimit(games=self.games))
            case LimitKind.NONE:
                self._set(TakeLimit())

    def set_number(self, text: str) -> None:
        """Choose how many minutes or games; what is no such number changes nothing."""
        wanted = TakeLimit.read(f"{text.strip().replace(',', '.')} {self.limit.kind.value}")
        if wanted.kind is LimitKind.NONE:
            return
        self.minutes, self.games = wanted.minutes or self.minutes, wanted.games or self.games
        self._set(wanted)

    def _set(self, limit: TakeLimit) -> None:
        self.limit = limit
        self._settings.take_limit = str(limit)
