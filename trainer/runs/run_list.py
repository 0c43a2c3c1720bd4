"""The list of runs on the Train page: the one that is shown, those compared with it, and their curves."""

from __future__ import annotations

from collections.abc import Iterator

from trainer.progress.curves import Curves, FollowedCurves
from trainer.runs.runs import PROGRESS, Run, Runs, RunState

MOST_COMPARED = 3


class RunList:
    """The `runs` of a library as they were last read, the newest first.

    `shown` is the id of the run that is shown, "" for none; `compared` are those laid over it.
    """

    def __init__(self, kept: Runs) -> None:
        self.runs: list[Run] = []
        self.shown = ""
        self.compared: list[str] = []
        self._kept = kept
        self._followed: dict[str, FollowedCurves] = {}

    @property
    def run(self) -> Run | None:
        """The run that is shown."""
        return self._find(self.shown)

    @property
    def active(self) -> list[Run]:
        """The runs that are trained, or wait for it."""
        return [run for run in self.runs if run.active]

    @property
    def offered(self) -> list[Run]:
        """Runs that wait for somebody to resume them: paused or interrupted."""
        return [run for run in self.runs if run.status.state in (RunState.PAUSED, RunState.INTERRUPTED)]

    @property
    def curves(self) -> Curves:
        """Those of the run that is shown."""
        return self.curves_of(self.shown)

    def curves_of(self, run: str) -> Curves:
        """Those of any run, as far as they are read."""
        return self._followed[run].curves if run in self._followed else Curves()

    @property
    def unread(self) -> bool:
        """Whether there are curves to show that were never read."""
        return any(run not in self._followed for run in self._drawn)

    def refresh(self) -> None:
        """Read the runs again."""
        self.runs = self._kept.all()
        if self.run is None:
            self.shown = ""

    def poll(self) -> Iterator[tuple[Run, Run]]:
        """Read again the runs that are active; yields each one that changed, as it was and as it is.

        One that has gone, deleted in another window, leaves the list; it is yielded as it was.
        """
        for run in self.active:
            fresh, index = self._kept.find(run.id), self.runs.index(run)
            if fresh is None:
                del self.runs[index]
                yield run, run
            elif fresh != run:
                self.runs[index] = fresh
                yield run, fresh

    def read_curves(self) -> bool:
        """Read what is new in the curves that are drawn; returns whether there was anything."""
        return any([self._read(run) for run in self._drawn])

    def show(self, run: str) -> None:
        """Show a run: its curves, its settings, its log."""
        self.shown = run if self._find(run) is not None else ""
        self.compared = [each for each in self.compared if self.comparable(each)]
        if self.shown:
            self._read(self.shown)

    def comparable(self, run: str) -> bool:
        """Whether a run's curves mean something beside those of the one that is shown: another one of the same game."""
        shown, other = self.run, self._find(run)
        if shown is None or other is None or other.id == shown.id or shown.setup is None or other.setup is None:
            return False
        return shown.setup.env == other.setup.env

    def compare(self, run: str, wanted: bool = True) -> None:
        """Lay a run's curves over those of the one that is shown, or take them away; the oldest of too many goes."""
        self.compared = [each for each in self.compared if each != run]
        if wanted and self.comparable(run):
            self.compared = [*self.compared, run][-MOST_COMPARED:]
            self._read(run)

    def forget(self, run: str) -> None:
        """Drop the curves of a run that is deleted."""
        self.compared = [each for each in self.compared if each != run]
        self._followed.pop(run, None)

    def is_behind(self, run: Run) -> bool:
        """Whether another run comes before one that waits."""
        others = [each for each in self.runs if each.id != run.id]
        return any(
            each.status.state is RunState.RUNNING
            or (each.status.state is RunState.QUEUED and each.status.queued_ns < run.status.queued_ns)
            for each in others
        )

    @property
    def _drawn(self) -> set[str]:
        return {self.shown, *self.compared} - {""}

    def _find(self, run: str) -> Run | None:
        return next((each for each in self.runs if each.id == run), None)

    def _read(self, run: str) -> bool:
        if run not in self._followed:
            self._followed[run] = FollowedCurves(self._kept.folder / run / PROGRESS)
        return self._followed[run].read()
