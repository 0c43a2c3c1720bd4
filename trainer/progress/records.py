"""Records of a training's progress, which the window, the command line and the tests all consume."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta
from msgspec.structs import asdict

from recorder.system.records import RecordError, decode, read, said

Stage = Literal["load", "look", "train", "play", "done"]
_MOST_ACTIONS = 64
_Number = Annotated[float, Meta(ge=-1e300, le=1e300)]
_Table = Annotated[
    tuple[Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(max_length=_MOST_ACTIONS)], ...],
    Meta(min_length=1, max_length=_MOST_ACTIONS),
]
_READ_BYTES = 96 << 10  # of a file of records in one go: some milliseconds of parsing


class Progress(msgspec.Struct, frozen=True):
    """One moment of a training run.

    `batches` is None where time is the budget; `fraction` of the stage is always known. `loss` and `accuracy` are
    running means over training batches, the `val_` ones are of the latest validation. `score` is None in between games
    that judge: short ones while it trains, longer ones at its end. For `confusion`, in the record of a validation, see
    trainer.learn.learner.ValidationMetrics.

    Raises ValueError for an unknown stage.
    """

    stage: Annotated[
        Stage,
        said(
            "reading sessions, learning to see where things are, training, choosing how to play by playing, or the end"
        ),
    ]
    fraction: Annotated[_Number, said("of the stage, from 0 to 1")] = 0.0
    batch: Annotated[int, said("batches until now")] = 0
    batches: Annotated[int | None, said("batches at most; null where time is the budget")] = None
    epoch: Annotated[_Number, said("passes over the play until now")] = 0.0
    seconds: Annotated[_Number, said("of all sittings until now")] = 0.0
    eta_s: Annotated[_Number | None, said("seconds that are left, about")] = None
    loss: Annotated[_Number | None, said("mean over the latest batches")] = None
    accuracy: Annotated[
        _Number | None, said("share of ticks with the demonstrator's action; null for continuous actions")
    ] = None
    val_loss: Annotated[_Number | None, said("loss on the play that is held out")] = None
    val_accuracy: Annotated[_Number | None, said("accuracy on the play that is held out")] = None
    score: Annotated[_Number | None, said("mean return of games that have just been played")] = None
    confusion: Annotated[
        _Table | None,
        said("row k, column j: ticks at which the demonstrator took action k and the clone finds j likeliest"),
    ] = None
    message: Annotated[str, said("a sentence for the reader, now and then")] = ""

    def __post_init__(self) -> None:
        if self.stage not in get_args(Stage):
            raise ValueError(f"a training has no stage {self.stage!r}")
        if self.confusion is not None and any(len(row) != len(self.confusion) for row in self.confusion):
            raise ValueError("confusion is no square table")

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
        return read(cls, values)


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
            with contextlib.suppress(RecordError):
                records.append(decode(Progress, line))
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
