"""What can be undone, the last thing first: one stack for each page's presenter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

_MOST = 100  # older ones are forgotten


@dataclass(frozen=True)
class Done:
    """Something that was done: `what` in the past tense, like "deleted 2 sessions", and how to take it back.

    `needs` are what that takes, such as sessions in the trash; none where nothing can get in its way.
    """

    what: str
    take_back: Callable[[], Any]
    needs: frozenset[Any] = frozenset()

    @property
    def told(self) -> str:
        """The sentence for when it has been taken back."""
        return f"Undid: {self.what}."


class UndoStack:
    """Keeps what was done; whoever pops something takes it back."""

    def __init__(self) -> None:
        self._done: list[Done] = []

    def __bool__(self) -> bool:
        return bool(self._done)

    @property
    def next(self) -> str:
        """What would be taken back, like "deleted 2 sessions"; empty if nothing can be."""
        return self._done[-1].what if self._done else ""

    def add(self, what: str, take_back: Callable[[], Any], needs: Iterable[Any] = ()) -> None:
        """Something was done."""
        self._done = [*self._done, Done(what, take_back, frozenset(needs))][-_MOST:]

    def pop(self) -> Done | None:
        """What was done last."""
        return self._done.pop() if self._done else None

    def put_back(self, done: Done) -> None:
        """What was popped could not be taken back yet."""
        self._done.append(done)

    def forget(self, gone: Iterable[Any]) -> None:
        """Forget what cannot be taken back any more, because all that it needs has gone."""
        gone = frozenset(gone)
        left = [replace(done, needs=done.needs - gone) for done in self._done]
        self._done = [new for old, new in zip(self._done, left, strict=True) if new.needs or not old.needs]
