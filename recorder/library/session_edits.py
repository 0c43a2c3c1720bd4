"""Edits of the session shown: its texts, labels, and which of its games and ticks training uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from recorder.library.edits import edit, of_games, without
from recorder.library.preview import Details
from recorder.library.preview_requests import PreviewRequests
from recorder.store.schema import LABELS
from recorder.store.session import Session


class SessionEdits:
    """Edits the session that `preview` shows. `change` queues a change, with a message for its end."""

    def __init__(self, preview: PreviewRequests, change: Callable[[str, Callable[[], Any]], None]) -> None:
        self._preview, self._change = preview, change

    def set_words(
        self, path: Path, *, title: str | None = None, notes: str | None = None, tags: str | None = None
    ) -> None:
        """Change title, notes or tags (separated by commas) of any session."""
        words = None if tags is None else [tag for tag in tags.split(",") if tag.strip()]
        self._change("", partial(edit, path, title=title, notes=notes, tags=words))

    def use_game(self, number: int, use: bool) -> None:
        """Let training use a game, or leave it out."""
        if self._preview.path is not None:
            self._change("", partial(_use, self._preview.path, number, use))

    def label_game(self, number: int, label: str) -> None:
        """Give a game one of LABELS; the one it has already takes it off."""
        details = self._preview.details
        if details is None or label not in LABELS:
            return
        has = next((game.label for game in details.games if game.number == number), "")
        self._change("", partial(_label, details.path, number, "" if has == label else label))

    def exclude(self, span: range) -> None:
        """Exclude these ticks from training."""
        details = self._preview.details
        if details is not None and len(span):
            self._change("", partial(_respan, details, lambda spans: [*spans, span]))

    def include(self, tick: int) -> None:
        """Include the excluded span around this tick in training again."""
        details = self._preview.details
        span = self._preview.span_at(tick)
        if details is not None and span is not None:
            self._change("", partial(_respan, details, lambda spans: without(spans, span)))


def _use(path: Path, number: int, use: bool) -> None:
    edit(path, excluded=of_games(Session.open(path), {number: not use}))


def _label(path: Path, number: int, label: str) -> None:
    edit(path, labels=of_games(Session.open(path), {number: label}, undone=True))


def _respan(details: Details, change: Callable[[Sequence[range]], Sequence[range]]) -> None:
    """Change the current spans; unreadable ones are replaced."""
    spans = () if details.warning else Session.open(details.path).excluded_spans
    edit(details.path, spans=change(spans))
