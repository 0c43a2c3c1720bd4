"""A tour of the Watch page in three hints, one after another.

      offer(), and a twin beside a recording         next()
HIDDEN ────────────────────────────────────▶ hint 1 ───────▶ hint 2 ───────▶ hint 3 ──┐
  ▲                                             ▲ begin()      close(), or next() ────┤
  └───────────────────────────────────────────────────────────────────────────────────┘
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from player.watch.frames import DuelFrame


class Subject(Enum):
    """What a hint speaks of."""

    SIDES = "the two sides, and the strip below them"
    KEYS = "the row of buttons below"
    SCORES = "the button that plays many games"


@dataclass(frozen=True)
class Hint:
    """One hint; `last` if no other follows."""

    subject: Subject
    text: str
    last: bool = False


_KEYS = "Space: play and pause. Arrows: one frame back or on. + and −: speed."
_SCORES = "One game tells little. Scores… plays many: the twin, its player and a random player."


class Tour:
    """See the module's docstring."""

    def __init__(self) -> None:
        self._offered = False
        self._step: int | None = None

    def offer(self) -> None:
        """Begin once there is a twin to see beside a recording."""
        self._offered = True

    def begin(self) -> None:
        """Begin with the first hint, once there is anything to see."""
        self._step = 0

    def next(self) -> bool:
        """Go on to the next hint; returns whether that was the last one, which closes the tour."""
        if self._step is not None:
            self._step += 1
        if self._step == len(Subject):
            self.close()
        return self._step is None

    def close(self) -> None:
        """Show no more hints."""
        self._offered, self._step = False, None

    def hint(self, frame: DuelFrame | None) -> Hint | None:
        """The hint to show beside this moment; None if there is none."""
        if self._offered and frame is not None and None not in (frame.left, frame.right):
            self._offered, self._step = False, 0
        if self._step is None or frame is None:
            return None
        subject = list(Subject)[self._step]
        texts = {Subject.SIDES: _sides(frame), Subject.KEYS: _KEYS, Subject.SCORES: _SCORES}
        return Hint(subject, texts[subject], self._step == len(Subject) - 1)


def _sides(frame: DuelFrame) -> str:
    left = "the recorded player" if frame.left is None else frame.left.name
    right = "the twin" if frame.right is None else frame.title_of(frame.right)
    right = {"Twin": "the twin", "Your twin": "your twin"}.get(right, right)
    return f"Left: {left}. Right: {right}, in the same game. The strip below shows where they differ."
