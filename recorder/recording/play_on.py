"""The moments of earlier games that the Record page plays on from, one take for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recorder.errors import UsageError
from recorder.play.fork import Fork
from recorder.recording.partner import Company
from recorder.recording.remote_twin import Twin
from recorder.recording.take_limit import NO_LIMIT, TakeLimit

if TYPE_CHECKING:
    from recorder.recording.presenter import RecordPresenter


class PlayOn:
    """What the current take, or the last one, plays on from: `fork` is None if it started a game of its own.

    `limit` is when that take ends; `practising` says whether it is one of several moments.
    """

    def __init__(self) -> None:
        self.fork: Fork | None = None
        self.limit = NO_LIMIT
        self._prepared: Fork | None = None
        self._left: list[Fork] = []
        self._of_each = NO_LIMIT

    @property
    def practising(self) -> bool:
        """Whether each moment is played for a while."""
        return self.fork is not None and self._of_each is not NO_LIMIT

    def prepare(self, forks: Sequence[Fork], limit: TakeLimit) -> None:
        """The next take plays on from the first of these moments, those after it from the others."""
        self._left, self._of_each = list(forks), limit
        self.turn()

    def turn(self) -> bool:
        """The next take plays on from the next moment; returns whether there is one."""
        self._prepared = self._left.pop(0) if self._left else None
        return self._prepared is not None

    def again(self) -> None:
        """The next take plays on from the same moment."""
        self._prepared = self.fork

    def forget(self) -> None:
        """The next take plays on from nothing."""
        self._prepared, self._left = None, []

    def take(self, usual: TakeLimit, env: str) -> tuple[Fork | None, TakeLimit]:
        """A take of `env` begins: what it plays on from, and its limit, the `usual` one for a game of its own."""
        self.fork, self._prepared = self._prepared, None
        if self.fork is not None and self.fork.spec.name != env:
            self.fork = None
        if self.fork is None:
            self._left, self._of_each = [], NO_LIMIT
        self.limit = self._of_each if self.practising else usual
        return self.fork, self.limit


def play_on_from(
    presenter: RecordPresenter, forks: Sequence[Fork], seconds: float = 0.0, policy: Path | None = None
) -> None:
    """Start a take that plays on from a moment; of several, one take after another, each of so many seconds.

    With a `policy`, its twin plays and is corrected, once it is ready. Raises UsageError if it cannot.
    """
    if not presenter.busy and not presenter.refusal and forks:
        presenter.choose(forks[0].spec.name)
        presenter.partner.look(presenter.spec)
        presenter.partner.choose(*_company(presenter, policy))
        presenter.play_on.prepare(forks, TakeLimit(minutes=seconds / 60) if seconds else NO_LIMIT)
        presenter.start(wait=False)


def _company(presenter: RecordPresenter, policy: Path | None) -> tuple[Company, Twin | None]:
    if policy is None:
        return Company.ALONE, None
    for twin in presenter.partner.twins:
        if twin.path.resolve() == policy.resolve():
            return Company.CORRECT, twin
    raise UsageError(
        f"{policy.stem} cannot be corrected here: it is not in this library, or learned with another frame skip than "
        "the one that is chosen on the Record page"
    )


def cancel_start(presenter: RecordPresenter) -> None:
    """Start nothing more, if a take waits for the twin to be ready."""
    if presenter.partner.awaited:
        presenter.partner.awaited = False
        presenter.play_on.forget()


def practise_next(presenter: RecordPresenter) -> None:
    """After a take from a moment: start the one from the next, if there is one."""
    if presenter.play_on.turn():
        presenter.start(wait=False)
