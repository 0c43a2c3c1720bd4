"""What the Library page does to whole sessions, so that it can be undone: delete, restore, merge, split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recorder.library.library import Library
from recorder.library.preview import prune_thumbnails
from recorder.library.undo import UndoStack
from recorder.system.texts import count


@dataclass(frozen=True)
class TakenBack:
    """What was undone, as a sentence, and the sessions that are to be selected for it, if any."""

    told: str
    sessions: tuple[Path, ...] = ()


class UndoableChanges:
    """Changes `library`; how to take that back is kept in `undone`. Called in the thread that makes changes.

    The methods raise SessionError or LibraryError.
    """

    def __init__(self, library: Library, undone: UndoStack) -> None:
        self._library, self._undone = library, undone

    def delete(self, paths: Sequence[Path]) -> None:
        """Move sessions to the trash."""
        thrown: list[Path] = []
        try:
            for path in paths:
                thrown.append(self._library.trash(path.name))
        finally:
            if thrown:
                self._undone.add(f"deleted {count(len(thrown), 'session')}", partial(self._bring_back, thrown), thrown)

    def restore(self, trashed: Path) -> list[Path]:
        """Restore one session from the trash; returns its path."""
        restored = self._library.restore(trashed)
        self._undone.forget([trashed])
        self._undone.add("restored 1 session", partial(self._throw, [restored]))
        return [restored]

    def empty_trash(self) -> None:
        """Permanently delete what is in the trash."""
        self._undone.forget([trashed.path for trashed in self._library.trashed()])
        self._library.empty_trash()
        prune_thumbnails(self._library.path)

    def note_made(self, made: Sequence[Path], parts: Sequence[Path]) -> None:
        """Sessions were made of others: two or more were merged, or one was split."""
        what = f"merged {count(len(parts), 'session')}" if len(parts) > 1 else "split a session"
        self._undone.add(what, partial(self._unmake, tuple(made), tuple(parts)))

    def take_back(self) -> TakenBack | None:
        """Undo what was done last; None where nothing was."""
        done = self._undone.pop()
        if done is None:
            return None
        sessions = done.take_back()
        return TakenBack(done.told, tuple(sessions) if isinstance(sessions, list) else ())

    def _bring_back(self, trashed: Sequence[Path]) -> list[Path]:
        """Restore what of this is still in the trash."""
        return [self._library.restore(path) for path in trashed if path.exists() or path.is_symlink()]

    def _unmake(self, made: Sequence[Path], parts: Sequence[Path]) -> list[Path]:
        self._throw(made)
        return list(parts)

    def _throw(self, paths: Sequence[Path]) -> None:
        """Move what of this is still there to the trash; nothing needs to be undone of what was deleted since."""
        for path in paths:
            if path.exists():
                self._library.trash(path.name)
