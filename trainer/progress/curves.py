"""The curves of a run, made from its progress records."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from trainer.progress.records import Follower, Progress

_TRACES = (("batch", "loss", "accuracy"), ("val_batch", "val_loss", "val_accuracy"), ("play_batch", "play_score"))


@dataclass
class Curves:
    """The points of the curves: x is the batch. Validation has fewer points than training.

    A run that was killed resumes from its checkpoint; the points after that are then recorded again and replaced.
    """

    batch: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    val_batch: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    play_batch: list[float] = field(default_factory=list)
    play_score: list[float] = field(default_factory=list)
    latest: Progress | None = None
    score: float | None = None
    confusion: tuple[tuple[int, ...], ...] | None = None
    messages: list[str] = field(default_factory=list)

    @property
    def accuracy_known(self) -> bool:
        """False once training runs on continuous actions, which have no accuracy."""
        return not self.batch or any(map(math.isfinite, self.accuracy))

    def take(self, record: Progress) -> None:
        """Add a record's figures."""
        if record.stage not in ("load", "look"):  # a resumed run does not know its batch while it loads
            self._forget_after(record.batch)
        self.latest, batch = record, float(record.batch)
        if _known(record.loss) and (not self.batch or batch > self.batch[-1]):
            self.batch.append(batch)
            self.loss.append(float(record.loss))
            self.accuracy.append(float(record.accuracy) if _known(record.accuracy) else math.nan)
        news = not self.val_loss or record.confusion is not None or record.val_loss != self.val_loss[-1]
        if _known(record.val_loss) and news and (not self.val_batch or batch > self.val_batch[-1]):
            self.val_batch.append(batch)
            self.val_loss.append(float(record.val_loss))
            self.val_accuracy.append(float(record.val_accuracy) if _known(record.val_accuracy) else math.nan)
        if _known(record.score):
            self.score = float(record.score)
            # The test games at the end are longer, so their scores belong to another curve.
            if record.stage == "train":
                self.play_batch.append(batch)
                self.play_score.append(self.score)
        if record.confusion is not None:
            self.confusion = record.confusion
        if record.message and (not self.messages or self.messages[-1] != record.message):
            self.messages.append(record.message)

    def _forget_after(self, batch: int) -> None:
        for x, *others in _TRACES:
            xs: list[float] = getattr(self, x)
            if not xs or xs[-1] <= batch:
                continue
            kept = sum(each <= batch for each in xs)
            for name in (x, *others):
                del getattr(self, name)[kept:]


class FollowedCurves:
    """The curves of a file of progress records, as far as it has been read."""

    def __init__(self, path: Path) -> None:
        self.curves = Curves()
        self._follower = Follower(path)

    def read(self) -> bool:
        """Read some of the new records; returns whether there were any."""
        records = self._follower.read()
        for record in records:
            self.curves.take(record)
        return bool(records)


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def time_left(seconds: float) -> str:
    """Like "1 min 20 s"."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if seconds >= 3_600:
        return f"{int(seconds // 3_600)} h {int(seconds % 3_600) // 60:02d} min"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
