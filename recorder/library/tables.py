"""Sessions and games as CSV tables, for R, pandas and spreadsheets.

One header line, one line for each session or game, UTF-8 with the mark by which Excel knows it. Times are ISO 8601 in
UTC, what is true is TRUE, what is unknown is an empty cell, and units stand in the names of columns only.
"""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.errors import LibraryError, SessionError
from recorder.library.session_summary import SessionSummary
from recorder.play.clock import LATE_NS
from recorder.store.episode_table import RecordedGame
from recorder.store.places import keep_out_of_sessions, on_this_computer, place
from recorder.store.session import Session
from recorder.system.files import replacing

Cell = str | int | float | bool | None
_FORMULA = ("=", "+", "-", "@")  # a spreadsheet would compute text that begins so, whoever wrote it


@dataclass(frozen=True)
class TableProgress:
    """Sessions read so far, of `total`, and the `rows` written; `left_out` says why sessions are missing."""

    file: Path
    done: int
    total: int
    rows: int
    left_out: tuple[str, ...] = ()


def writing_table(
    file: Path, sessions: Sequence[SessionSummary], *, games: bool
) -> Generator[TableProgress, None, None]:
    """Write `sessions` to `file`, a row for each, or for each of their `games`, in the order given.

    The file is replaced at the end, or not at all. Raises LibraryError if it cannot be written.
    """
    keep_out_of_sessions(on_this_computer(place(file.parent)))
    total, rows, left_out = len(sessions), 0, []
    try:
        with replacing(file) as part, part.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(GAME_COLUMNS if games else SESSION_COLUMNS)
            for done, summary in enumerate(sessions, 1):
                try:
                    cells = _game_rows(summary) if games else [_session_row(summary)]
                except SessionError as error:
                    left_out.append(str(error))
                    continue
                writer.writerows([_written(cell) for cell in row] for row in cells)
                rows += len(cells)
                yield TableProgress(file, done, total, rows, tuple(left_out))
    except OSError as error:
        raise LibraryError(f"{file} cannot be written: {error.strerror}; choose another place for it") from error
    yield TableProgress(file, total, total, rows, tuple(left_out))


_OF_BOTH = ("session", "title", "player", "player_kind", "environment", "date")
SESSION_COLUMNS = (
    *(*_OF_BOTH, "state", "games", "mean_score", "best_score", "seconds", "ticks", "learn_ticks"),
    *("successes", "failures", "rate_hz", "late_ticks", "longest_interval_ms", "latency_p50_ms", "latency_p99_ms"),
    *("bytes", "verified", "tags", "notes"),
)
GAME_COLUMNS = (
    *(*_OF_BOTH, "game", "score", "seconds", "ticks", "outcome", "label", "excluded", "learn_ticks"),
    *("rewinds", "undone_ticks", "late_ticks"),
)


def _of_both(summary: SessionSummary) -> tuple[Cell, ...]:
    player: dict[str, Any] = summary.player
    who = (str(player.get("name", "")), str(player.get("kind", "")))
    return (summary.name, summary.title, *who, summary.env, summary.created)


def _session_row(summary: SessionSummary) -> tuple[Cell, ...]:
    if summary.state == "unreadable":
        return (*_of_both(summary), summary.state, *(None,) * (len(SESSION_COLUMNS) - len(_OF_BOTH) - 1))
    timing, latency, mean = summary.timing, summary.latency, summary.mean_score
    return (
        *_of_both(summary),
        summary.state,
        summary.episodes,
        mean,
        summary.best_score,
        summary.seconds,
        summary.ticks,
        summary.learn_ticks,
        summary.labels.get("success", 0),
        summary.labels.get("failure", 0),
        None if timing is None else timing.rate_hz,
        None if timing is None else timing.late_ticks,
        None if timing is None else timing.max_ms,
        None if latency is None else latency.picture_p50_ms,
        None if latency is None else latency.picture_p99_ms,
        summary.size_bytes,
        summary.verified,
        "; ".join(summary.tags),
        summary.notes,
    )


def _game_rows(summary: SessionSummary) -> list[tuple[Cell, ...]]:
    """Raises SessionError if the session cannot be read."""
    if summary.state == "unreadable":
        raise SessionError(summary.problem)
    session = Session.open(summary.place)
    return [(*_of_both(summary), *_game_cells(session, game)) for game in session.recorded_games]


def _game_cells(session: Session, game: RecordedGame) -> Iterator[Cell]:
    yield from (game.number, game.score, game.ticks / session.spec.rate_hz, game.ticks, game.outcome, game.label)
    yield game.excluded
    yield sum(len(part) for episode in game.segments for part in session.to_learn(episode))
    yield len(game.undone)
    yield sum(map(len, game.undone))
    late, paced = 0, False
    for episode in game.segments:
        ticks = slice(episode.start, episode.stop)
        clocked = session.speed[ticks] > 0
        late += int(((session.time_ns[ticks] - session.due_ns[ticks] > LATE_NS) & clocked).sum())
        paced = paced or bool(clocked.any())
    yield late if paced else None


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float():
            return f"{cell:.6f}".rstrip("0").rstrip(".")
        case int():
            return str(cell)
        case str():
            text = " ".join(cell.split())
            return f"'{text}" if text.startswith(_FORMULA) else text
