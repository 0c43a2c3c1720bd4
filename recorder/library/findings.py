"""What a review finds in a session, and leaving it out of training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from recorder.library.edits import edit, of_games
from recorder.store.annotations import cut_out
from recorder.store.episode_table import RecordedGame
from recorder.store.session import Session
from recorder.system.texts import duration_text

_T = TypeVar("_T")


@dataclass(frozen=True)
class Finding:
    """Ticks [start, stop) of a session that are worth a look, in or from game `game` on.

    `kind` is idle, stuck key, no play, near-duplicate, copy, length, score, cut short, late ticks or disagreement.
    `text` is one sentence. A `grave` one would spoil a training; whether the others do is for the user to say.
    """

    kind: str
    game: int
    start: int
    stop: int
    text: str
    grave: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return dict(vars(self))


def still_used(
    findings: Iterable[Finding], games: Sequence[RecordedGame], spans: Sequence[range]
) -> tuple[Finding, ...]:
    """Those findings of which training uses at least a tick; `spans` are the excluded ones, in order."""
    used = [range(each.start, each.stop) for game in games for each in game.segments if not each.excluded]

    def is_used(finding: Finding) -> bool:
        parts = (range(max(each.start, finding.start), min(each.stop, finding.stop)) for each in used)
        return any(cut_out(part, spans) for part in parts if len(part))

    return tuple(finding for finding in findings if is_used(finding))


def whole_game(finding: Finding, games: Sequence[RecordedGame]) -> int | None:
    """The number of the game that a finding is about as a whole; None for a part of one, or for several."""
    whole = {(game.start, game.stop): game.number for game in games}
    return whole.get((finding.start, finding.stop))


def leave_out(path: Path, findings: Sequence[Finding]) -> Session:
    """Exclude the ticks of the findings from training, and return the changed session; see `edit` for errors.

    What was excluded before stays so; `twinplay edit SESSION --include` takes it back.
    """
    session = Session.open(path)
    games = session.recorded_games
    numbers = [number for finding in findings if (number := whole_game(finding, games)) is not None]
    parts = [range(each.start, each.stop) for each in findings if whole_game(each, games) is None]
    return edit(
        path,
        excluded=of_games(session, dict.fromkeys(numbers, True)),
        spans=[*session.excluded_spans, *parts] if parts else None,
    )


def game_at(games: Iterable[RecordedGame], tick: int) -> int:
    """The number of the game with this tick; 0 where there is none."""
    return next((game.number for game in games if tick in game), 0)


def seconds_text(seconds: float) -> str:
    """A time, like "42 s" or "1:05 min"."""
    whole = round(seconds)
    return f"{seconds:.1f} s" if seconds < 2 else f"{whole} s" if whole < 60 else f"{duration_text(whole)} min"


def largest(found: Iterable[_T], size: Callable[[_T], float], most: int) -> list[_T]:
    """The `most` largest of these."""
    return sorted(found, key=size, reverse=True)[:most]
