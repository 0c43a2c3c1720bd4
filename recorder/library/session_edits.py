"""Edits of the session shown: its texts, labels, and which of its games and ticks training uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from recorder.errors import SessionError
from recorder.library.edits import edit, of_games, without
from recorder.library.preview import Details
from recorder.library.preview_requests import PreviewRequests
from recorder.library.undo import UndoStack
from recorder.store.schema import LABELS
from recorder.store.session import Session

_LABELS = {"success": "good", "failure": "bad"}  # as people say them


class SessionEdits:
    """Edits the session that `preview` shows. `change` queues a change, with a message for its end; `undo` keeps how to
    take it back.
    """

    def __init__(
        self, preview: PreviewRequests, change: Callable[[str, Callable[[], Any]], None], undo: UndoStack
    ) -> None:
        self._preview, self._change, self._undo = preview, change, undo

    def set_words(
        self, path: Path, *, title: str | None = None, notes: str | None = None, tags: str | None = None
    ) -> None:
        """Change title, notes or tags (separated by commas) of any session."""
        words = None if tags is None else [tag for tag in tags.split(",") if tag.strip()]
        given = {"title": title, "notes": notes, "tags": words}
        names = " and ".join(name for name, value in given.items() if value is not None)
        self._edit(f"changed the {names}", path, lambda session: given)

    def use_game(self, number: int, use: bool) -> None:
        """Let training use a game, or leave it out."""
        if self._preview.path is not None:
            what = f"{'included' if use else 'excluded'} game {number}"
            self._edit(what, self._preview.path, lambda old: {"excluded": of_games(old, {number: not use})})

    def label_game(self, number: int, label: str) -> None:
        """Give a game one of LABELS; the one it has already takes it off."""
        details = self._preview.details
        if details is None or label not in LABELS:
            return
        has = next((game.label for game in details.games if game.number == number), "")
        new = "" if has == label else label
        what = f"labelled game {number} {_LABELS[new]}" if new else f"removed the label of game {number}"
        self._edit(what, details.path, lambda old: {"labels": of_games(old, {number: new}, undone=True)})

    def exclude(self, span: range) -> None:
        """Exclude these ticks from training."""
        details = self._preview.details
        if details is not None and len(span):
            self._respan("excluded a part", details, lambda spans: [*spans, span])

    def include(self, tick: int) -> None:
        """Include the excluded span around this tick in training again."""
        details = self._preview.details
        span = self._preview.span_at(tick)
        if details is not None and span is not None:
            self._respan("included a part again", details, lambda spans: without(spans, span))

    def _respan(self, what: str, details: Details, change: Callable[[Sequence[range]], Sequence[range]]) -> None:
        """Change the current spans; unreadable ones are replaced."""
        self._edit(what, details.path, lambda old: {"spans": change(() if details.warning else old.excluded_spans)})

    def _edit(self, what: str, path: Path, changes: Callable[[Session], dict[str, Any]]) -> None:
        self._change("", partial(edit_undoably, self._undo, what, path, changes))


def edit_undoably(undo: UndoStack, what: str, path: Path, changes: Callable[[Session], dict[str, Any]]) -> None:
    """Edit a session as `changes` tells of it as it is, and note in `undo` how to make it what it was.

    Raises what `edit` raises.
    """
    session = Session.open(path)
    new = {name: value for name, value in changes(session).items() if value is not None}
    before = {name: _before(session, name, value) for name, value in new.items()}
    edit(path, **new)
    if before != new:
        undo.add(what, partial(edit, path, **before))


def _before(session: Session, name: str, new: Any) -> Any:
    """What a session has in place of what is to be edited."""
    excluded, labels = session.episode_marks
    match name:
        case "excluded":
            return {index: bool(excluded[index]) for index in new}
        case "labels":
            return {index: LABELS[labels[index]] for index in new}
        case "spans":
            try:
                return session.excluded_spans
            except SessionError:  # unreadable ones are not worth having back
                return ()
        case "tags":
            return list(session.tags)
        case _:
            return getattr(session, name)
