"""The states that the Train page shows for a run.

                                      ┌── pause() ──▶ PAUSING ──▶ PAUSED ──┐
CHOOSING ── start() ──▶ WAITING ──▶ TRAINING ── stop() ──▶ STOPPING ──▶ DONE │
    ▲                     ▲           ├── its last record ──────────────▶ DONE │
    │                     │           └── an error ──▶ FAILED              │ │
    └── again()           └── resume() ◀── FAILED, INTERRUPTED, PAUSED ◀─────┘
"""

from __future__ import annotations

from enum import Enum

from trainer.runs.runs import Run, RunState


class TrainState(Enum):
    """Drawn in the module's docstring."""

    CHOOSING = "choosing"
    WAITING = "waiting"
    TRAINING = "training"
    PAUSING = "pausing"
    STOPPING = "stopping"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    DONE = "done"
    FAILED = "failed"


_STATES = {
    RunState.QUEUED: TrainState.WAITING,
    RunState.RUNNING: TrainState.TRAINING,
    RunState.PAUSED: TrainState.PAUSED,
    RunState.INTERRUPTED: TrainState.INTERRUPTED,
    RunState.DONE: TrainState.DONE,
    RunState.FAILED: TrainState.FAILED,
}


def state_of(run: Run | None, asked: str = "") -> TrainState:
    """The state of a run that was `asked` to "pause" or to "stop"; CHOOSING for no run."""
    if run is None:
        return TrainState.CHOOSING
    if run.status.state is RunState.RUNNING and asked:
        return TrainState.PAUSING if asked == "pause" else TrainState.STOPPING
    return _STATES[run.status.state]
