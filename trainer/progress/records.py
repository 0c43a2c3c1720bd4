"""Records of a training's progress, which the window, the command line and the tests all consume."""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

STAGES = ("load", "look", "train", "play", "done")
_MOST_ACTIONS = 64
_READ_BYTES = 96 << 10  # at a time from a file of records: a few milliseconds of parsing


@dataclass(frozen=True)
class Progress:
    """One moment of a training run.

    `stage` is "load" (reading sessions), "look" (learning to see where things are), "train", "play" (test games that
    choose how to play) or "done". `batch` counts up to `batches`, which is None if the budget is a time; `fraction` of
    the stage is always known. `loss` and `accuracy` (share of ticks with the demonstrator's action; None for continuous
    actions) are running means over training batches; the `val_` ones are from the latest validation. `score` is the
    mean return of test games that have just been played, otherwise None: short games during training, longer ones at
    its end. `confusion`, in the record of a validation, counts the ticks at which the demonstrator took action k and
    the clone's most likely action is j (see trainer.learn.learner.ValidationMetrics).

    Raises ValueError for an unknown stage.
    """

    stage: str
    fraction: float = 0.0
    batch: int = 0
    batches: int | None = None
    epoch: float = 0.0
    seconds: float = 0.0
    eta_s: float | None = None
    loss: float | None = None
    accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    score: float | None = None
    confusion: tuple[tuple[int, ...], ...] | None = None
    message: str = ""

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ValueError(f"a training has no stage {self.stage!r}")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    def to_line(self) -> str:
        """The known values as a line of JSON, for a file that a Follower reads."""
        known = {name: value for name, value in asdict(self).items() if value is not None and value != ""}
        return f"{json.dumps(known)}\n"

    @classmethod
    def from_json(cls, values: Any) -> Progress:
        """The inverse of `to_json`, from a file that may be damaged. Raises ValueError for anything else."""
        if not isinstance(values, dict) or not set(values) <= {each.name for each in fields(cls)}:
            raise ValueError("this is not a progress record")
        for name, value in values.items():
            if name in ("stage", "message"):
                fits = isinstance(value, str)
            elif name == "confusion":
                fits = value is None or _is_table(value)
            else:
                fits = value is None or (_is_number(value) and math.isfinite(value))
            if not fits or (value is None and name in ("fraction", "batch", "epoch", "seconds")):
                raise ValueError(f"{name} of a progress record is {str(value)[:40]}")
        if not isinstance(values.get("stage"), str):
            raise ValueError("a progress record has no stage")
        table = values.get("confusion")
        return cls(**{**values, "confusion": None if table is None else tuple(tuple(row) for row in table)})


@dataclass
class Follower:
    """Reads a file of progress records, one a line, while it grows; each `read` returns a bounded number of them."""

    path: Path
    _offset: int = 0
    _rest: bytes = field(default=b"", repr=False)

    def read(self) -> list[Progress]:
        """The next records; damaged lines are skipped."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(_READ_BYTES)
        except OSError:
            return []
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _READ_BYTES:
            self._rest = b""  # no record is that long
        records = []
        for line in lines:
            with contextlib.suppress(ValueError, RecursionError, TypeError):
                records.append(Progress.from_json(json.loads(line)))
        return records


def training_note(progress: Progress) -> str:
    """The main figures of a Progress, for the user."""
    parts = [f"batch {progress.batch:,}"] if progress.batch else []
    for label, value in (("loss", progress.loss), ("validation", progress.val_loss)):
        parts += [f"{label} {value:.4f}"] if value is not None else []
    for label, value in (("accuracy", progress.accuracy), ("validation", progress.val_accuracy)):
        parts += [f"{label} {100 * value:.1f} %"] if value is not None else []
    parts += [f"score {progress.score:,.1f}"] if progress.score is not None else []
    return ", ".join(parts)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _is_table(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= _MOST_ACTIONS
        and all(isinstance(row, list) and len(row) == len(value) for row in value)
        and all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for row in value for count in row)
    )
