"""Requests for previews to the process of recorder.library.preview.

Only one request is open at a time, and the latest one is sent next, so dragging a slider waits for one picture only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

from recorder.library.findings import Finding, still_used
from recorder.library.preview import Details, Moment, Picture, Review, Thumbnail
from recorder.library.session_summary import SessionSummary
from recorder.system.jobs import ServiceLike

_MOST_THUMBNAILS = 60  # more than a screen of rows is out of sight


class PreviewRequests:
    """Shows the session at `path`: its `details`, the `moment` at a `tick`, and `findings` that are still used in
    training. Also has thumbnails of any session.

    The process is started with the first request.
    """

    def __init__(self, start_service: Callable[[], ServiceLike]) -> None:
        self.details: Details | None = None
        self.moment: Moment | None = None
        self.tick = 0
        self.findings: tuple[Finding, ...] = ()
        self._start_service = start_service
        self._service: ServiceLike | None = None
        self.path: Path | None = None
        self._asked: tuple[str, ...] = ()
        self._wanted_details = False
        self._wanted_tick: int | None = None
        self._wanted_review = False
        self._reviews: dict[tuple[Path, str], tuple[Finding, ...]] = {}  # by path and digest
        self._wanted_thumbs: deque[tuple[Path, str]] = deque(maxlen=_MOST_THUMBNAILS)
        self._thumbs: dict[tuple[Path, str], Picture | None] = {}

    @property
    def busy(self) -> bool:
        """Whether a request is open or waiting."""
        return bool(self._asked) or self._wanted

    def show(self, path: Path | None) -> None:
        """Show another session from its first tick; None shows none."""
        self.details, self.moment, self.tick, self.findings = None, None, 0, ()
        self._wanted_review = False
        self.path, self._wanted_details = path, path is not None
        self._wanted_tick = None if path is None else 0

    def look_again(self) -> None:
        """The session that is shown may have changed."""
        self._wanted_details = self.path is not None

    def review_again(self) -> None:
        """Other sessions came or went, with which the one that is shown was compared."""
        self._reviews.clear()
        self._wanted_review = self.details is not None

    def seek(self, tick: int) -> None:
        """Show a tick; of several calls in a row only the last one counts."""
        if self.details is not None and self.details.ticks:
            self.tick = min(max(tick, 0), self.details.ticks - 1)
            self._wanted_tick = self.tick

    def span_at(self, tick: int) -> range | None:
        """The excluded span that contains this tick."""
        return next((span for span in self.details.spans if tick in span), None) if self.details is not None else None

    def thumbnail(self, row: SessionSummary) -> Picture | None:
        """The thumbnail of a session if it is known; otherwise it is requested."""
        key = (row.path, row.digest)
        if key not in self._thumbs and row.ticks and row.state != "unreadable" and key not in self._wanted_thumbs:
            self._wanted_thumbs.append(key)
        return self._thumbs.get(key)

    def try_thumbnails_again(self) -> None:
        """Those that could not be made may be possible by now."""
        self._thumbs = {key: picture for key, picture in self._thumbs.items() if picture is not None}

    def poll(self) -> bool:
        """Read answers and send the next request; returns whether anything changed.

        Raises TwinplayError if the process failed; after `close` a new one is started.
        """
        changed = False
        if self._service is not None:
            for _, answer in self._service.poll():
                self._asked = ()
                changed |= self._take(answer)
        if not self._asked and self._wanted:
            if self._service is None:
                self._service = self._start_service()
            self._asked = self._next_request()
            if self._asked:
                method, path, *rest = self._asked
                self._service.request(method, path, *(int(number) for number in rest))
        return changed

    def close(self) -> None:
        """End the process and drop all requests."""
        if self._service is not None:
            self._service.close()
        self._service, self._asked = None, ()
        self._wanted_details, self._wanted_tick, self._wanted_review = False, None, False
        self._wanted_thumbs.clear()

    @property
    def _wanted(self) -> bool:
        shown = self._wanted_details or self._wanted_tick is not None or self._wanted_review
        return shown or bool(self._wanted_thumbs)

    def _next_request(self) -> tuple[str, ...]:
        """Details first, then the requested moment, the review, and the thumbnail requested last."""
        if self._wanted_details:
            self._wanted_details = False
            return "details", str(self.path)
        tick, self._wanted_tick = self._wanted_tick, None
        if tick is not None and self.path is not None:
            return "moment", str(self.path), str(tick)
        reviewed, self._wanted_review = self._wanted_review, False
        if reviewed and self.path is not None:
            return "review", str(self.path)
        while self._wanted_thumbs:
            path, digest = self._wanted_thumbs.pop()
            if (path, digest) not in self._thumbs:
                self._thumbs[path, digest] = None
                return "thumbnail", str(path)
        return ()

    def _take(self, answer: Details | Moment | Review | Thumbnail) -> bool:
        if isinstance(answer, Thumbnail):
            for key in self._thumbs:
                if key[0] == answer.path:
                    self._thumbs[key] = answer.picture
            return True
        if answer.path != self.path:
            return False
        if isinstance(answer, Details):
            self.details = answer
            self._wanted_review |= not answer.problem and (answer.path, answer.digest) not in self._reviews
            if answer.problem:
                self._wanted_tick, self._wanted_review = None, False
            self._find()
        elif isinstance(answer, Review):
            if self.details is not None:
                self._reviews[answer.path, self.details.digest] = answer.findings
            self._find()
        else:
            self.moment = answer
        return True

    def _find(self) -> None:
        """Keep of the findings those that are not left out of training by now."""
        details = self.details
        if details is not None:
            found = self._reviews.get((details.path, details.digest), ())
            self.findings = still_used(found, details.games, details.spans)
