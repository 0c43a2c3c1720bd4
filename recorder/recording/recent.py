"""The takes of a day, as the Record page lists them, and all races of a library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.errors import SessionError, TwinplayError
from recorder.library.edits import edit
from recorder.library.library import Library
from recorder.library.players import player_label
from recorder.library.session_summary import SessionSummary
from recorder.library.together import together_text
from recorder.store.races import RaceRecord, read_race
from recorder.store.session import Session
from recorder.system.jobs import Task
from recorder.system.texts import count, duration_text

_SHARE = 0.6  # of a take: by then there is something to see


@dataclass(frozen=True)
class RecentRecording:
    """One take: `clock` is the local time it began, `score` the best of its games, `picture` a screen of it, `player`
    a person's name, or what else played; empty for a person without a name. `together` says what two players did, and
    `race` how a race went.

    `discarded` ones are in the trash. `picture` is uint8 RGB (height, width, 3), or None where no screens are
    stored and none has been drawn.
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
    player: str = ""
    together: str = ""
    race: RaceRecord | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Changes whenever the list entry would look different."""
        pictured = self.picture is not None
        return (self.path, self.games, self.score, self.seconds, self.labels, self.discarded, self.player, pictured)


def recent_recording(path: Path) -> RecentRecording:
    """The list entry of one session. Raises SessionError if it cannot be read."""
    session = Session.open(path)
    scores = session.scores
    shown = session.frames[int(_SHARE * (len(session) - 1))] if session.spec.sees_screen and len(session) else None
    return RecentRecording(
        path,
        session.spec.title,
        _local(session.created).strftime("%H:%M"),
        len(scores),
        max(scores, default=0.0),
        session.duration_s,
        tuple(sorted({game.label for game in session.recorded_games if game.label})),
        shown,
        player=_who(session.player),
        together=together_text(session),
        race=read_race(session.attributes),
    )


def takes_of(summaries: Iterable[SessionSummary], day: date) -> list[RecentRecording]:
    """The takes of a day, by local time, in their order; unreadable ones are shown only on the Library page."""
    lines = []
    for summary in summaries:
        try:
            if summary.state in ("complete", "interrupted") and _local(summary.created).date() == day:
                lines.append(recent_recording(summary.path))
        except (SessionError, ValueError):
            continue
    return lines


class RecentRecordings:
    """Today's takes in a library, the newest first; they can be deleted, restored and labelled."""

    def __init__(self, library: Path) -> None:
        self.takes: list[RecentRecording] = []
        self._library = library
        self._raced: dict[Path, tuple[str, RaceRecord]] = {}  # earlier: who raced, and how that went
        self._trashed: dict[Path, Path] = {}  # discarded takes -> where they lie
        self._looking: Task | None = None
        self._found = False  # what was looked for has been taken in

    def look(self) -> None:
        """Read the list from the library, once, in a thread; `poll` collects it."""
        if self._looking is None:
            self._looking = Task(self._takes, "takes-of-today")

    def look_again(self) -> None:
        """Read the list anew: the folder was not there before."""
        self.join()
        self._looking, self._found = None, False
        self.look()

    @property
    def deleted(self) -> frozenset[Path]:
        """The takes of the list that were deleted here and can be restored."""
        return frozenset(self._trashed)

    @property
    def races(self) -> list[tuple[str, RaceRecord]]:
        """All races of the library, each with the player's name."""
        today = [(take.player, take.race) for take in self.takes if take.race is not None and not take.discarded]
        known = {take.path for take in self.takes}
        return today + [race for path, race in self._raced.items() if path not in known]

    def check(self) -> None:
        """Leave out takes that were deleted elsewhere; those that were restored elsewhere are there again."""
        self._trashed = {take: lies for take, lies in self._trashed.items() if lies.exists() and not take.exists()}
        known = ((take, take.path in self._trashed) for take in self.takes)
        self.takes = [replace(take, discarded=gone) for take, gone in known if gone or take.path.exists()]
        self._raced = {path: race for path, race in self._raced.items() if path.exists()}

    def poll(self) -> bool:
        """Collect the list; returns whether it arrived."""
        if self._looking is None or self._found or not self._looking.poll():
            return False
        self._found = True
        found: list[RecentRecording] = []
        found, self._raced = self._looking.result or (found, {})
        known = {take.path for take in self.takes}
        self.takes += [take for take in found if take.path not in known]
        return bool(found or self._raced)

    def join(self) -> None:
        """Wait until the list is read."""
        if self._looking is not None:
            self._looking.join()

    def add(self, line: RecentRecording) -> None:
        """Add a take that was just finished."""
        self.takes.insert(0, line)

    def discard(self, path: Path) -> None:
        """Move a take to the library's trash. Raises LibraryError."""
        self._trashed[path] = Library(self._library).trash(path.name)
        self._replace(path, lambda take: replace(take, discarded=True))

    def restore(self, path: Path) -> Path | None:
        """Restore a take that was deleted; returns its path, None if it was not. Raises LibraryError."""
        if path not in self._trashed:
            return None
        restored = Library(self._library).restore(self._trashed.pop(path))
        self._replace(path, lambda take: replace(take, discarded=False))
        return restored

    def label(self, path: Path, label: str) -> tuple[dict[int, str], str]:
        """Label all games of a take "success" or "failure"; the same label again takes it off.

        Returns the labels of its episodes as they were, by index, and what they are now. Raises TwinplayError.
        """
        session = Session.open(path)
        label = "" if all(game.label == label for game in session.recorded_games) else label
        self.label_episodes(path, {episode.index: label for episode in session.episodes})
        return {episode.index: episode.label for episode in session.episodes}, label

    def label_episodes(self, path: Path, labels: dict[int, str]) -> None:
        """Give the episodes of a take labels, by index. Raises TwinplayError."""
        edit(path, labels=labels)
        line = recent_recording(path)
        self._replace(path, lambda old: replace(line, picture=old.picture))

    def show_pictures(self, pictures: Mapping[Path, npt.NDArray[np.uint8] | None]) -> None:
        """Add pictures to the takes that have none."""
        self.takes = [
            take if take.picture is not None else replace(take, picture=pictures.get(take.path)) for take in self.takes
        ]

    def _takes(self) -> tuple[list[RecentRecording], dict[Path, tuple[str, RaceRecord]]]:
        try:
            summaries = Library(self._library).sessions()
        except TwinplayError:
            return [], {}  # the page says so as soon as one wants to record
        raced = {each.path: (_who(each.player), each.race) for each in summaries if each.race is not None}
        return takes_of(summaries, datetime.now().astimezone().date()), raced

    def _replace(self, path: Path, by: Callable[[RecentRecording], RecentRecording]) -> None:
        self.takes = [by(take) if take.path == path else take for take in self.takes]


def _who(player: Mapping[str, Any]) -> str:
    return str(player.get("name", "")) if player.get("kind") == "person" else player_label(player)


def _local(created: str) -> datetime:
    return datetime.fromisoformat(created).astimezone()


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def take_summary(path: Path | None) -> str:
    """A summary of a finished take; None stands for a take in which nothing was played. Raises SessionError."""
    if path is None:
        return "Nothing was played, so nothing was saved."
    session = Session.open(path)
    scores = session.scores
    games = count(len(scores), "game")
    best = "score" if len(scores) == 1 else "best score"
    timing, latency = session.timing, session.latency
    clock = "" if timing is None else f"\n{timing}"
    if timing is not None and latency is not None:  # which tells a player more than the longest interval does
        clock = f"\n{timing.pace}, key to picture {latency.picture_p50_ms:.1f} ms"
    played = duration_text(session.duration_s)
    together = together_text(session)
    told = f"\n{together}." if together else ""
    return f"{games}, {played} of play, {best} {max(scores):,.0f}, {_size(session.size_bytes)}{told}{clock}"
