"""What the Library page knows and does, without Qt.

              refresh()                the list is there
    any state ─────────▶ LOADING ─────────────────────────▶ LISTED
                            └── the folder cannot be read ──▶ FAILED

The list comes from a thread; details, pictures and thumbnails from a process (recorder.library.preview), of which one
answer is awaited at a time and the latest wish is asked next; verifying, merging and splitting run in a process each,
one at a time. What is thought of a session is written by a thread, in the order in which it was said. `poll()` collects
it all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from recorder.errors import LibraryError, TwinplayError
from recorder.library.edits import edit, without
from recorder.library.library import Library, SessionSummary
from recorder.library.merging import ReshapeProgress
from recorder.library.preview import Details, Moment, Picture, Thumbnail, prune_thumbnails
from recorder.library.trash import Trashed
from recorder.library.verify import VerifyProgress
from recorder.store.schema import LABELS
from recorder.store.session import Session
from recorder.system.jobs import Job, JobLike, JobState, Service, ServiceLike, Task

_PATIENCE_S = 10.0


class LibraryState(Enum):
    """Drawn in the module's docstring."""

    LOADING = "loading"
    LISTED = "listed"
    FAILED = "failed"


@dataclass(frozen=True)
class Work:
    """Long work under way: what it is, and the fraction done."""

    title: str
    fraction: float


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
        self.details: Details | None = None
        self.moment: Moment | None = None
        self.tick = 0
        self.error = ""
        self.message = ""
        self.trashed: list[Trashed] | None = None  # what `list_trash` found; None until then
        self.listed = 0  # how many times the list was read: a view fills itself anew when this changes
        self._start_service = start_service
        self._start_job = start_job
        self._listing: Task | None = None
        self._trash_listing: Task | None = None
        self._stale = False
        self._service: ServiceLike | None = None
        self._asked: tuple[str, ...] = ()
        self._wanted_details: Path | None = None
        self._wanted_tick: int | None = None
        self._wanted_thumbs: deque[tuple[Path, str]] = deque(maxlen=60)  # more than a screen of rows is out of sight
        self._thumbs: dict[tuple[Path, str], Picture | None] = {}
        self._deeds: deque[tuple[str, Callable[[], Any]]] = deque()
        self._deed: tuple[str, Task] | None = None
        self._undo: list[list[Path]] = []
        self._job: JobLike | None = None
        self._work: Work | None = None
        self._result = ""

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
        """Verifying, merging or splitting, while it is under way."""
        return self._work

    @property
    def busy(self) -> bool:
        """Whether anything is under way that a poll will bring the end of."""
        return bool(
            self._listing
            or self._trash_listing
            or self._deed
            or self._deeds
            or self._job
            or self._asked
            or self._wishes
        )

    @property
    def can_undo(self) -> bool:
        """Whether something was moved to the trash that can be brought back."""
        return bool(self._undo)

    def refresh(self) -> None:
        """Read the library again; what is selected stays so where it still exists."""
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
        if self.selected[:1] == before:
            return
        self.details, self.moment, self.tick = None, None, 0
        self._wanted_details, self._wanted_tick = (self.selected[0], 0) if self.selected else (None, None)

    def seek(self, tick: int) -> None:
        """Show a tick; of many wishes in a row only the last one counts."""
        if self.details is not None and self.details.ticks:
            self.tick = min(max(tick, 0), self.details.ticks - 1)
            self._wanted_tick = self.tick

    def thumbnail(self, row: SessionSummary) -> Picture | None:
        """The small picture of a session if it is there already; else it is asked for."""
        key = (row.path, row.digest)
        if key not in self._thumbs and row.ticks and row.state != "unreadable" and key not in self._wanted_thumbs:
            self._wanted_thumbs.append(key)
        return self._thumbs.get(key)

    def set_words(
        self, path: Path, *, title: str | None = None, notes: str | None = None, tags: str | None = None
    ) -> None:
        """Change title, notes or tags (with commas between) of a session."""
        words = None if tags is None else [tag for tag in tags.split(",") if tag.strip()]
        self._do("", partial(edit, path, title=title, notes=notes, tags=words))

    def use_episode(self, index: int, use: bool) -> None:
        """Let training use an episode of the session that is shown, or leave it out."""
        if self.selected:
            self._do("", partial(edit, self.selected[0], excluded={index: not use}))

    def label_episode(self, index: int, label: str) -> None:
        """Give an episode of the session that is shown one of LABELS; the one it has already takes it off."""
        if self.details is None or label not in LABELS:
            return
        has = next((episode.label for episode in self.details.episodes if episode.index == index), "")
        self._do("", partial(edit, self.details.path, labels={index: "" if has == label else label}))

    def exclude(self, span: range) -> None:
        """Leave these ticks of the session that is shown out of training."""
        if self.details is not None and len(span):
            self._do("", partial(_respan, self.details, lambda spans: [*spans, span]))

    def include(self, tick: int) -> None:
        """Use the span around this tick in training again."""
        span = self.span_at(tick)
        if self.details is not None and span is not None:
            self._do("", partial(_respan, self.details, lambda spans: without(spans, span)))

    def span_at(self, tick: int) -> range | None:
        """The span that is left out and holds this tick."""
        return next((span for span in self.details.spans if tick in span), None) if self.details is not None else None

    def trash(self) -> None:
        """Move what is selected to the trash; `undo` brings it back."""
        paths = [row.path for row in self.chosen if row.state != "recording"]
        if not paths:
            return
        number = _count(len(paths), "session")
        where = "the trash" if not any(path.is_symlink() for path in paths) else "the trash of their own library"
        self._do(f"Moved {number} to {where}. Ctrl+Z brings {_them(paths)} back.", partial(self._throw, paths))

    def undo(self) -> None:
        """Bring back what was moved to the trash last."""
        if self._undo:
            trashed = self._undo.pop()
            number = _count(len(trashed), "session")
            self._do(f"Brought {number} back.", lambda: [self.library.restore(path) for path in trashed])

    def list_trash(self) -> None:
        """Look at what lies in the trash; `trashed` has it after a poll."""
        if self._trash_listing is None:
            self.trashed, self._trash_listing = None, Task(self.library.trashed, "list-trash")

    def restore(self, trashed: Path) -> None:
        """Bring one session back from the trash."""
        self._undo = [kept for kept in ([p for p in each if p != trashed] for each in self._undo) if kept]
        self._do("Brought 1 session back.", lambda: [self.library.restore(trashed)])

    def empty_trash(self) -> None:
        """Delete for good what lies in the trash; whoever asks for it was asked first."""
        self._undo.clear()
        self._do("The trash is empty.", self._empty)

    def verify(self) -> None:
        """Simulate the selected sessions again and compare every tick."""
        paths = [str(row.path) for row in self.chosen if row.state in ("complete", "interrupted")]
        if paths:
            self._run("Verifying", "recorder.library.verify:verifying_each", {"paths": paths})

    def merge(self) -> None:
        """Join the selected sessions into a new one."""
        paths = [row.path for row in self.chosen]
        self._run("Merging", "recorder.library.merging:merging", {"paths": paths, "library": self.library.path})

    def split(self, index: int) -> None:
        """Part the session that is shown in two, before one of its episodes."""
        if self.selected:
            arguments = {"path": self.selected[0], "episode": index, "library": self.library.path}
            self._run("Splitting", "recorder.library.merging:splitting", arguments)

    def dismiss(self) -> None:
        """Forget the last message and the last error."""
        self.message = self.error = ""

    def poll(self) -> bool:
        """Collect what arrived and ask for what is wanted next; returns whether anything changed."""
        changed = self._poll_listing()
        changed |= self._poll_deeds()
        changed |= self._poll_job()
        try:
            changed |= self._poll_service()
        except TwinplayError as error:
            self.error = f"The preview failed: {error}"
            self._drop_service()
            changed = True
        return changed

    def close(self) -> None:
        """Finish what was said of sessions, give up the rest, and leave no thread or process behind."""
        while self._deed is not None:
            self._deed[1].join(_PATIENCE_S)
            self._poll_deeds()
        if self._job is not None:
            self._job.stop()
            self._job.poll()
            if not self._job.join(_PATIENCE_S):
                self._job.kill()
            self._job, self._work = None, None
        for task in (self._listing, self._trash_listing):
            if task is not None:
                task.join(_PATIENCE_S)
        self._listing = self._trash_listing = None
        self._drop_service()

    @property
    def _wishes(self) -> bool:
        return self._wanted_details is not None or self._wanted_tick is not None or bool(self._wanted_thumbs)

    def _list(self) -> list[SessionSummary]:
        if not self.library.path.exists():
            raise LibraryError(f"{self.library.path} is not there; bring the folder back, or choose another library")
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
        else:
            self.state, self.rows = LibraryState.LISTED, listing.result
        self.listed += 1
        there = {row.path for row in self.rows}
        if not there.issuperset(self.selected):
            self.select([path for path in self.selected if path in there])
        return True

    def _poll_deeds(self) -> bool:
        changed = False
        if self._deed is not None and self._deed[1].poll():
            message, task = self._deed
            self._deed, changed = None, True
            self.error = task.error
            if not task.error:
                self.message = message
                if isinstance(task.result, list):  # sessions that came back
                    self.select(task.result)
            if self.selected:
                self._wanted_details = self.selected[0]
            if self.trashed is not None:
                self.list_trash()
            self.refresh()
        if self._deed is None and self._deeds:
            message, deed = self._deeds.popleft()
            self._deed = (message, Task(deed, "change-library"))
        return changed

    def _poll_job(self) -> bool:
        job = self._job
        if job is None or self._work is None:
            return False
        records = job.poll()
        for record in records:
            self._note(record)
        if job.state is JobState.RUNNING:
            return bool(records)
        self._job, self._work = None, None
        if job.state is JobState.FAILED:
            self.error = str(job.error)
        elif job.state is JobState.DONE:
            self.message = self._result
        if self.selected:
            self._wanted_details = self.selected[0]
        self.refresh()
        return True

    def _note(self, record: Any) -> None:
        assert self._work is not None
        match record:
            case ReshapeProgress():
                fraction = record.ticks / max(1, record.total)
                if record.made:
                    made = "one new session" if len(record.made) == 1 else "two new sessions"
                    note = f" Note: {record.note}." if record.note else ""
                    self._result = f"Made {made}. What they were made of is untouched.{note}"
            case (str(path), VerifyProgress() as progress):
                fraction = progress.ticks / max(1, progress.total)
                certificate = progress.certificate
                if certificate is not None:
                    name = next((row.title or row.name for row in self.rows if str(row.path) == path), path)
                    seconds = f"{certificate.ticks:,} ticks bit for bit in {certificate.seconds:.1f} s"
                    verdict = f"verified, {seconds}." if certificate.ok else f"not verified: {certificate.difference}."
                    self._result = f"{self._result} {name}: {verdict}".strip()
            case _:
                return
        self._work = Work(self._work.title, fraction)

    def _poll_service(self) -> bool:
        changed = False
        if self._service is not None:
            for _, answer in self._service.poll():
                self._asked = ()
                changed |= self._take(answer)
        if not self._asked and self._wishes:
            if self._service is None:
                self._service = self._start_service()
            self._asked = self._next_wish()
            if self._asked:
                method, path, *rest = self._asked
                self._service.request(method, path, *(int(number) for number in rest))
        return changed

    def _next_wish(self) -> tuple[str, ...]:
        """Details first, then the moment that is looked for, then the thumbnail asked for last."""
        if self._wanted_details is not None:
            path, self._wanted_details = self._wanted_details, None
            return "details", str(path)
        if self._wanted_tick is not None and self.selected:
            tick, self._wanted_tick = self._wanted_tick, None
            return "moment", str(self.selected[0]), str(tick)
        self._wanted_tick = None
        while self._wanted_thumbs:
            path, digest = self._wanted_thumbs.pop()
            if (path, digest) not in self._thumbs:
                self._thumbs[path, digest] = None
                return "thumbnail", str(path)
        return ()

    def _take(self, answer: Details | Moment | Thumbnail) -> bool:
        if isinstance(answer, Thumbnail):
            for key in self._thumbs:
                if key[0] == answer.path:
                    self._thumbs[key] = answer.picture
            return True
        if answer.path not in self.selected[:1]:
            return False
        if isinstance(answer, Details):
            self.details = answer
            if answer.problem:
                self._wanted_tick = None
        else:
            self.moment = answer
        return True

    def _do(self, message: str, deed: Callable[[], Any]) -> None:
        self.dismiss()
        self._deeds.append((message, deed))
        self._poll_deeds()

    def _throw(self, paths: Sequence[Path]) -> None:
        thrown: list[Path] = []
        try:
            for path in paths:
                thrown.append(self.library.trash(path.name))
        finally:
            if thrown:
                self._undo.append(thrown)

    def _empty(self) -> None:
        self.library.empty_trash()
        prune_thumbnails(self.library.path)

    def _run(self, title: str, target: str, arguments: dict[str, Any]) -> None:
        if self._job is not None:
            self.message = (
                f"{title} has to wait: {self._work.title.lower() if self._work else 'something'} is under way."
            )
            return
        self.dismiss()
        self._result = ""
        self._job, self._work = self._start_job(target, arguments), Work(title, 0.0)

    def _drop_service(self) -> None:
        if self._service is not None:
            self._service.close()
        self._service, self._asked = None, ()
        self._wanted_details, self._wanted_tick = None, None
        self._wanted_thumbs.clear()


def _respan(details: Details, change: Callable[[Sequence[range]], Sequence[range]]) -> None:
    """Change the spans as they are by now; ones that cannot be read are replaced."""
    spans = () if details.warning else Session.open(details.path).excluded_spans
    edit(details.path, spans=change(spans))


def history(rows: Sequence[SessionSummary], window: int = 10) -> History:
    """The scores of the sessions' games in the order they were played; each mean is over up to `window` games."""
    ordered = sorted(rows, key=lambda row: (row.created, row.name))
    scores = [score for row in ordered for score in row.total_rewards]
    means = [sum(scores[max(0, i + 1 - window) : i + 1]) / min(i + 1, window) for i in range(len(scores))]
    return History(tuple(scores), tuple(means), sum(row.seconds for row in rows) / 60)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _them(paths: Sequence[Path]) -> str:
    return "it" if len(paths) == 1 else "them"
