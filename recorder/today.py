"""The takes of a day, as the Record page lists them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recorder.errors import SessionError
from recorder.library import Library
from recorder.session import Session

_SHARE = 0.6  # of a take: by then there is something to see


@dataclass(frozen=True)
class TakeLine:
    """One take: `clock` is the local time it began, `score` the best of its games, `picture` a screen of it.

    `discarded` ones lie in the trash. `picture` is uint8 RGB (210, 160, 3), or None where no screens are stored.
    """

    path: Path
    env_title: str
    clock: str
    games: int
    score: float
    seconds: float
    labels: tuple[str, ...] = ()
    picture: npt.NDArray[np.uint8] | None = None
    discarded: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """What tells whether the line looks otherwise than before."""
        return (self.path, self.games, self.score, self.seconds, self.labels, self.discarded)

    def as_discarded(self, discarded: bool) -> TakeLine:
        """The same take, in the trash or back from it."""
        return replace(self, discarded=discarded)


def take_line(path: Path) -> TakeLine:
    """The line of one session. Raises SessionError for one that cannot be read."""
    session = Session.open(path)
    scores = session.games
    shown = session.frames[int(_SHARE * (len(session) - 1))] if session.spec.has_screen and len(session) else None
    return TakeLine(
        path,
        session.spec.title,
        _local(session.created).strftime("%H:%M"),
        len(scores),
        max(scores, default=0.0),
        session.duration_s,
        tuple(sorted({episode.label for episode in session.episodes if episode.label})),
        shown,
    )


def takes_of(library: Path, day: date) -> list[TakeLine]:
    """What was recorded on a day, by local time, the newest first; what cannot be read is left to the Library page.

    Raises LibraryError when the folder cannot be read.
    """
    lines = []
    for summary in Library(library).sessions():
        try:
            if summary.state in ("complete", "interrupted") and _local(summary.created).date() == day:
                lines.append(take_line(summary.path))
        except (SessionError, ValueError):
            continue
    return lines


def _local(created: str) -> datetime:
    return datetime.fromisoformat(created).astimezone()


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def take_summary(path: Path | None) -> str:
    """What there is to say of a finished take; None is one in which nothing was played. Raises SessionError."""
    if path is None:
        return "Nothing was played, so nothing was kept."
    session = Session.open(path)
    scores = session.games
    games = "1 game" if len(scores) == 1 else f"{len(scores)} games"
    best = "score" if len(scores) == 1 else "best score"
    minutes, seconds = divmod(round(session.duration_s), 60)
    clock = f"\n{session.timing}" if session.timing is not None else ""
    return f"{games}, {minutes}:{seconds:02d} of play, {best} {max(scores):,.0f}, {_size(session.size_bytes)}{clock}"
