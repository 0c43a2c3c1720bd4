"""What happens to takes once they are finished."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from recorder.errors import TwinplayError
from recorder.library.undo import UndoStack
from recorder.recording.recent import RecentRecording, RecentRecordings, recent_recording, take_summary
from recorder.recording.recordings import Recording
from recorder.system.jobs import Task

_LABELS = {"success": "good", "failure": "bad"}  # as people say them


class FinishedTakes:
    """The takes of `today` and the last one of them. `report` is called with errors."""

    def __init__(self, library: Path, report: Callable[[str], None]) -> None:
        self.today = RecentRecordings(library)
        self.last_take: Path | None = None
        self.last_summary = ""
        self.just_kept = False  # a take was kept, and nothing has been done since
        self.ended_by = ""  # what ended it, if not the player: "5 minutes are over"
        self.undone = UndoStack()
        self._report = report

    def begin_another(self) -> None:
        """A take starts, or somebody else sits down: the previous one is no longer the last."""
        self.last_take, self.last_summary, self.just_kept, self.ended_by = None, "", False, ""

    def check(self) -> None:
        """Forget takes that were deleted elsewhere, as on the Library page."""
        before = self.today.deleted
        self.today.check()
        self.undone.forget(("deleted", path) for path in before - self.today.deleted)
        if self.last_take is not None and not self.last_take.exists():
            self.begin_another()

    def finish(self, recording: Recording) -> Task:
        """Finish a recording in a thread; pass the finished task to `take_in`."""

        def stop() -> tuple[Path | None, str, RecentRecording | None]:
            path = recording.stop()
            return path, take_summary(path), None if path is None else recent_recording(path)

        return Task(stop, "finish-take")

    def take_in(self, finished: Task) -> None:
        """Add a finished take; one in which nothing was played is not kept."""
        if finished.error:
            self._report(finished.error)
            return
        self.last_take, self.last_summary, line = finished.result
        self.just_kept = line is not None
        if line is not None:
            self.today.add(line)

    def discard(self, path: Path | None = None) -> None:
        """Move a take, this one or the last, to the library's trash; it can be undone."""
        path = path or self.last_take
        if path is None:
            return
        try:
            self.today.discard(path)
            self.undone.add("deleted a take", partial(self._bring_back, path), [("deleted", path)])
            self.just_kept = False
            self.last_summary = "Take deleted. Ctrl+Z restores it."
            if path == self.last_take:
                self.last_take = None
        except TwinplayError as error:
            self._report(str(error))

    def restore(self, path: Path) -> None:
        """Restore a take that was deleted."""
        try:
            self._bring_back(path)
            self.undone.forget([("deleted", path)])
        except TwinplayError as error:
            self._report(str(error))

    def undo(self) -> None:
        """Take back what was done last: a take was deleted or labelled."""
        done = self.undone.pop()
        if done is not None:
            try:
                restored = done.take_back()
                self.last_summary = f"{done.told}\n{take_summary(restored)}" if restored else done.told
            except TwinplayError as error:
                self._report(str(error))

    def label(self, path: Path, label: str) -> None:
        """Label all games of a take "success" or "failure"; the same label again removes it."""
        try:
            before, new = self.today.label(path, label)
            what = f"labelled a take {_LABELS[new]}" if new else "removed the label of a take"
            self.undone.add(what, partial(self.today.label_episodes, path, before), [path])
        except TwinplayError as error:
            self._report(str(error))

    def _bring_back(self, path: Path) -> Path | None:
        restored = self.today.restore(path)
        if restored is not None:
            self.last_take, self.last_summary = restored, take_summary(restored)
        return restored
