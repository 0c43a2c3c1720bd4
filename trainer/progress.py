"""How far a training or an evaluation is: the records that window, command line and tests all consume."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """One moment of a training run.

    `stage` is "load" (reading sessions), "train", "play" (choosing how to play, by playing) or "done". `batch` of at
    most `batches` is None where time is the budget; `fraction` of the stage is always known. `loss` and `accuracy`
    (share of ticks with the demonstrator's action; None for continuous actions) are running means over training
    batches, the `val_` ones are of the latest validation. `score` is the mean return of trial games
    that have just been played, None in between: short games while it trains, longer ones at its end.
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
    message: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)
