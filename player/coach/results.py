"""The scores of rounds of correction, kept in a file so that what is known is not played again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec

from recorder.errors import UsageError
from recorder.system.records import RecordError, plain, read
from trainer.runs.run_files import update_json

RESULTS = "results.json"


class RoundScore(msgspec.Struct, frozen=True):
    """How a player plays after some rounds: the mean over `games` games, with a 95 % interval.

    `minutes` are those of the rounds so far, in `corrected_s` seconds of which the supervisor was in control, which it
    took over `takeovers` times.
    """

    who: str
    round: int
    mean: float
    low: float
    high: float
    games: int
    minutes: float = 0.0
    corrected_s: float = 0.0
    takeovers: int = 0
    policy: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        values: dict[str, Any] = plain(self)
        return values


class _Stored(msgspec.Struct, frozen=True):
    """The file: what is coached and how, and the scores so far."""

    policy_sha256: str = ""
    minutes: float = 0.0
    seed: int = 0
    rows: tuple[RoundScore, ...] = ()


class Results:
    """The results in a folder, of rounds that begin with `policy`.

    Raises UsageError for results of other rounds, and for a damaged file.
    """

    def __init__(self, folder: Path, policy: Path, minutes: float, seed: int) -> None:
        self._file = folder / RESULTS
        self._stored = _Stored(hashlib.sha256(policy.read_bytes()).hexdigest(), minutes, seed)
        if self._file.is_file():
            try:
                there = read(_Stored, json.loads(self._file.read_text(encoding="utf-8")))
            except (ValueError, RecordError) as error:
                raise UsageError(f"{self._file} is damaged ({error}); delete it, or give another folder") from None
            asked = self._stored
            if (there.policy_sha256, there.minutes, there.seed) != (asked.policy_sha256, minutes, seed):
                raise UsageError(f"{folder} has the rounds of another policy, seed or length; give another folder")
            self._stored = there

    def find(self, who: str, number: int, games: int) -> RoundScore | None:
        """The score of a player after a round, over so many games, if it is known."""
        asked = (who, number, games)
        return next((row for row in self._stored.rows if (row.who, row.round, row.games) == asked), None)

    def keep(self, score: RoundScore) -> None:
        """Add a score, in the place of an earlier one of the same player and round. Raises OSError."""
        others = tuple(row for row in self._stored.rows if (row.who, row.round) != (score.who, score.round))
        self._stored = msgspec.structs.replace(self._stored, rows=(*others, score))
        update_json(self._file, plain(self._stored))
