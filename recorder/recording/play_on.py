"""The moments of earlier games that the Record page plays on from, one take for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recorder.play.fork import Fork
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

    def take(self, usual: TakeLimit) -> tuple[Fork | None, TakeLimit]:
        """A take begins: what it plays on from, and its limit, which for a game of its own is the `usual` one."""
        self.fork, self._prepared = self._prepared, None
        if self.fork is None:
            self._left, self._of_each = [], NO_LIMIT
        self.limit = self._of_each if self.practising else usual
        return self.fork, self.limit


def play_on_from(presenter: RecordPresenter, forks: Sequence[Fork], seconds: float = 0.0) -> None:
    """Start a take that plays on from a moment; of several, one take after another, each of so many seconds."""
    if not presenter.busy and not presenter.refusal and forks:
        presenter.choose(forks[0].spec.name)
        presenter.play_on.prepare(forks, TakeLimit(minutes=seconds / 60) if seconds else NO_LIMIT)
        presenter.start(wait=False)


def practise_next(presenter: RecordPresenter) -> None:
    """After a take from a moment: start the one from the next, if there is one."""
    if presenter.play_on.turn():
        presenter.start(wait=False)
