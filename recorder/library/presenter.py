"""What the Library page knows and does, without Qt.

              refresh()                list received
    any state ─────────▶ LOADING ─────────────────────────▶ LISTED
                            └── the folder cannot be read ──▶ FAILED

The list is read in a thread. `poll()` collects it, and the results of:

    preview    details, pictures and thumbnails, from a process
    edits      titles, notes, tags and exclusions of the session shown, written by a thread, in order
    work       verifying, merging, splitting and writing tables, in a process each, one at a time
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from recorder.errors import LibraryError, TwinplayError
from recorder.library.change_queue import ChangeQueue
from recorder.library.copies import without_copies
from recorder.library.library import Library
from recorder.library.long_work import LongWork, Work
from recorder.library.names import session_name
from recorder.library.preview_requests import PreviewRequests
from recorder.library.session_edits import SessionEdits
from recorder.library.session_summary import SessionSummary
from recorder.library.trash import Trashed
from recorder.library.undo import UndoStack
from recorder.library.undoable import TakenBack, UndoableChanges
from recorder.system.jobs import Job, JobLike, JobState, Service, ServiceLike, Task
from recorder.system.texts import count

_PATIENCE_S = 10.0


class LibraryState(Enum):
    """Drawn in the module's docstring."""

    LOADING = "loading"
    LISTED = "listed"
    FAILED = "failed"


@dataclass(frozen=True)
class History:
    """Scores of games in the order they were played, and the mean of each with those just before it."""

    scores: tuple[float, ...]
    means: tuple[float, ...]
    minutes: float


class LibraryPresenter:
    """See the module's docstring. `rows` are all sessions; the first of those that are `selected` is shown."""

    def __init__(
        self,
        library: Library,
        *,
        start_service: Callable[[], ServiceLike] = lambda: Service("recorder.library.preview:PreviewWorker", {}),
        start_job: Callable[[str, dict[str, Any]], JobLike] = Job,
    ) -> None:
        self.library = library
        self.state = LibraryState.LOADING
        self.rows: list[SessionSummary] = []
        self.selected: tuple[Path, ...] = ()
        self.error = ""
        self.message = ""
        self.trashed: list[Trashed] | None = None  # what `list_trash` found; None until then
        self.refusal = ""  # why no session can be changed, as a sentence: the folder is read-only
        self.listed = 0  # how many times the list was read: a view fills itself anew when this changes
        self.preview = PreviewRequests(start_service)
        self.undone = UndoStack()
        self._undoable = UndoableChanges(library, self.undone)
        self.edits = SessionEdits(self.preview, self._change, self.undone)
        self._changes = ChangeQueue(self._changed)
        self._long_work = LongWork(start_job, self._name_of, self._worked)
        self._listing: Task | None = None
        self._trash_listing: Task | None = None
        self._stale = False
        self._worked_on: Sequence[Path] = ()  # the sessions that are being merged or split

    @property
    def shown(self) -> SessionSummary | None:
        """The session whose details are shown."""
        return next((row for row in self.rows if self.selected and row.path == self.selected[0]), None)

    @property
    def chosen(self) -> list[SessionSummary]:
        """The selected sessions, in the order of the list."""
        selected = set(self.selected)
        return [row for row in self.rows if row.path in selected]

    @property
    def work(self) -> Work | None:
        """The running job: verifying, merging, splitting or writing a table."""
        return self._long_work.work

    @property
    def busy(self) -> bool:
        """Whether anything is unfinished that `poll` will complete."""
        looking = self._listing is not None or self._trash_listing is not None
        return looking or self._changes.busy or self.work is not None or self.preview.busy

    @property
    def can_undo(self) -> bool:
        """Whether something that was done can be undone."""
        return bool(self.undone)

    def refresh(self) -> None:
        """Read the library again; selected sessions stay selected if they still exist."""
        if self._listing is not None:
            self._stale = True
            return
        self._listing = Task(self._list, "list-library")
        if self.state is LibraryState.FAILED:
            self.error = ""
        if not self.rows:
            self.state = LibraryState.LOADING

    def select(self, paths: Sequence[Path]) -> None:
        """Choose sessions; the first of them is shown."""
        before, self.selected = self.selected[:1], tuple(paths)
        if self.selected[:1] != before:
            self.preview.show(self.selected[0] if self.selected else None)

    def trash(self) -> None:
        """Move the selected sessions to the trash; `undo` restores them."""
        paths = [row.path for row in self.chosen if row.state != "recording"]
        if self.refusal or not paths:
            return
        number = count(len(paths), "session")
        where = "the trash" if not any(path.is_symlink() for path in paths) else "their own library's trash"
        self._change(
            f"Moved {number} to {where}. Ctrl+Z restores {_them(paths)}.", partial(self._undoable.delete, paths)
        )

    def undo(self) -> None:
        """Take back what was done last: deleting, restoring, merging, splitting, or an edit."""
        if self.undone or self._changes.busy:
            self._change("", self._undoable.take_back)

    def list_trash(self) -> None:
        """List the trash; `trashed` has the list after a poll."""
        if self._trash_listing is None:
            self.trashed, self._trash_listing = None, Task(self.library.trashed, "list-trash")

    def restore(self, trashed: Path) -> None:
        """Restore one session from the trash."""
        self._change("Restored 1 session.", partial(self._undoable.restore, trashed))

    def empty_trash(self) -> None:
        """Permanently delete everything in the trash; the caller has asked for confirmation."""
        self._change("The trash is empty.", self._undoable.empty_trash)

    def verify(self) -> None:
        """Simulate the selected sessions again and compare every tick."""
        paths = [str(row.path) for row in self.chosen if row.state in ("complete", "interrupted")]
        if paths:
            self._run("Verifying", "recorder.library.verify:verifying_each", {"paths": paths})

    def merge(self) -> None:
        """Join the selected sessions into a new one."""
        paths = [row.path for row in self.chosen]
        self._run("Merging", "recorder.library.merging:merging", {"paths": paths, "library": self.library.path}, paths)

    def split(self, number: int) -> None:
        """Part the session that is shown in two, before one of its games."""
        if self.selected:
            arguments = {"path": self.selected[0], "number": number, "library": self.library.path}
            self._run("Splitting", "recorder.library.merging:splitting", arguments, self.selected[:1])

    def save_table(self, file: Path, rows: Sequence[SessionSummary], *, games: bool) -> None:
        """Write these sessions, or their `games`, to a CSV file; the caller has asked before one is replaced."""
        arguments = {"file": file, "sessions": tuple(rows), "games": games}
        self._run("Writing the table", "recorder.library.tables:writing_table", arguments)

    def dismiss(self) -> None:
        """Clear the last message and the last error."""
        self.message = self.error = ""

    def poll(self) -> bool:
        """Collect results and send the next requests; returns whether anything changed."""
        changed = self._poll_listing()
        changed |= self._changes.poll()
        changed |= self._long_work.poll()
        try:
            changed |= self.preview.poll()
        except TwinplayError as error:
            self.error = f"The preview failed: {error}"
            self.preview.close()
            changed = True
        return changed

    def close(self) -> None:
        """Finish pending edits, cancel everything else, and end all threads and processes."""
        self._changes.join()
        self._long_work.close()
        for task in (self._listing, self._trash_listing):
            if task is not None:
                task.join(_PATIENCE_S)
        self._listing = self._trash_listing = None
        self.preview.close()

    def _list(self) -> list[SessionSummary]:
        if not self.library.path.exists():
            raise LibraryError(
                f"the library folder {self.library.path} is missing; restore it or choose another library"
            )
        return self.library.sessions()

    def _poll_listing(self) -> bool:
        changed = False
        if self._trash_listing is not None and self._trash_listing.poll():
            self.trashed, self._trash_listing, changed = self._trash_listing.result or [], None, True
        if self._listing is None or not self._listing.poll():
            return changed
        listing, self._listing = self._listing, None
        if self._stale:  # something changed meanwhile
            self._stale = False
            self.refresh()
        if listing.error:
            self.state, self.error, self.rows = LibraryState.FAILED, listing.error, []
            self.preview.try_thumbnails_again()
        else:
            before = {(row.path, row.digest) for row in self.rows}
            self.state, self.rows = LibraryState.LISTED, listing.result
            if before != {(row.path, row.digest) for row in self.rows}:
                self.preview.review_again()
        self.listed += 1
        there = {row.path for row in self.rows}
        if not there.issuperset(self.selected):
            self.select([path for path in self.selected if path in there])
        return True

    def _change(self, message: str, change: Callable[[], Any]) -> None:
        self.dismiss()
        self._changes.add(message, change)

    def _changed(self, message: str, change: Task) -> None:
        self.error = change.error
        if not change.error:
            self.message = message
            if isinstance(change.result, TakenBack):
                self.message = change.result.told
                self.select(change.result.sessions or self.selected)
            elif isinstance(change.result, list):  # sessions that came back
                self.select(change.result)
        self.preview.look_again()
        if self.trashed is not None:
            self.list_trash()
        self.refresh()

    def _worked(self, state: JobState, words: str, made: tuple[Path, ...]) -> None:
        if state is JobState.FAILED:
            self.error = words
        elif state is JobState.DONE:
            self.message = words
            if made:
                self.select(made)
                self._undoable.note_made(made, self._worked_on)
        self.preview.look_again()
        self.refresh()

    def _name_of(self, path: str) -> str:
        return next((session_name(row) for row in self.rows if str(row.path) == path), path)

    def _run(self, title: str, target: str, arguments: dict[str, Any], paths: Sequence[Path] = ()) -> None:
        if self.work is not None:
            self.message = f"{title} cannot start yet: {self.work.title.lower()} is in progress."
            return
        self.dismiss()
        self._worked_on = paths
        self._long_work.start(title, target, arguments)


def history(rows: Sequence[SessionSummary], window: int = 10) -> History:
    """The scores of the sessions' games in the order they were played; each mean is over up to `window` games.

    Play that lies in several sessions (merged or split ones) counts once.
    """
    rows = without_copies(rows)
    ordered = sorted(rows, key=lambda row: (row.created, row.name))
    scores = [score for row in ordered for score in row.total_rewards]
    means = [sum(scores[max(0, i + 1 - window) : i + 1]) / min(i + 1, window) for i in range(len(scores))]
    return History(tuple(scores), tuple(means), sum(row.seconds for row in rows) / 60)


def _them(paths: Sequence[Path]) -> str:
    return "it" if len(paths) == 1 else "them"
