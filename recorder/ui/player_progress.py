"""The scores over time of one player in one environment, with a headline."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.library.players import player_label
from recorder.library.presenter import History, history
from recorder.library.session_summary import SessionSummary
from recorder.system.texts import count
from recorder.ui.progress_plot import ProgressPlot

_FEW = 10  # games at either end that tell whether somebody got better


class PlayerProgress:
    """Draws on `plot`, anew only where it would show something else."""

    def __init__(self) -> None:
        self.plot = ProgressPlot()
        self.plot.hide()
        self._drawn: tuple[object, ...] = ()  # what the curve was drawn for

    def show_games(self, rows: Sequence[SessionSummary], shown: SessionSummary | None) -> None:
        """The games among these sessions of whoever played the one that is `shown`, or else the first."""
        example = shown or (rows[0] if rows else None)
        if self._drawn == (rows, example):
            return
        self._drawn = (rows, example)
        found = history([row for row in rows if example is not None and _plays_alike(row, example)])
        self.plot.show_history(found, _headline(found, example))


def _plays_alike(row: SessionSummary, example: SessionSummary) -> bool:
    return row.env == example.env and player_label(row.player) == player_label(example.player)


def _headline(found: History, example: SessionSummary | None) -> str:
    games = len(found.scores)
    if example is None or not games:
        return "No game has been finished yet."
    who = f"{player_label(example.player)}, {example.env_title}"
    first, last = (sum(part) / len(part) for part in (found.scores[:_FEW], found.scores[-_FEW:]))
    told = f" The first {_FEW} average {first:,.1f}, the last {_FEW} {last:,.1f}." if games >= 2 * _FEW else ""
    return f"{who}: {count(games, 'game')}, {found.minutes:,.1f} minutes in all.{told}"
