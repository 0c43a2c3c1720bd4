"""The sentences in which the Train page tells how a run goes."""

from __future__ import annotations

from trainer.progress.curves import Curves, time_left
from trainer.runs import outcome
from trainer.runs.policy_library import PolicySummary
from trainer.runs.runs import CHECKPOINT, Run
from trainer.runs.train_state import TrainState

_GONE = "Training is over, but its twin is not in the library any more."
_STOPPED = "Stopped before there was a first version to watch"
_AFTER_QUICK = "Quick gives a first impression. More play to learn from, or the preset Standard, makes a better twin."
_STAGES = {"load": "Reading the sessions", "look": "Learning to see", "play": "Test games"}


def headline(run: Run, state: TrainState, curves: Curves, twin: PolicySummary | None, *, behind: bool, you: str) -> str:
    """What is going on with a run, in one line; `behind` says that another run comes before it.

    `twin` is what came of it, if there is anything; `you` is the name of whoever reads this.
    """
    latest = curves.latest
    texts = {
        TrainState.STOPPING: "Stopping; the best version so far is kept…",
        TrainState.PAUSING: "Pausing…",
        TrainState.PAUSED: f"Paused after {run.status.batches:,} batches. Resume at any time."
        if run.status.batches
        else "Paused before it started. Resume at any time.",
        TrainState.INTERRUPTED: f"Interrupted after {run.status.batches:,} batches. Resume at any time.",
        TrainState.FAILED: _STOPPED if run.status.stopped_early else "Training failed",
        TrainState.DONE: _GONE if twin is None else outcome.headline(twin, you, tested=not run.status.stopped_early),
        TrainState.WAITING: "Queued" if behind else "Starting the training process…",
    }
    if state in texts:
        return texts[state]
    if latest is None:
        return "Starting…"
    stage = _STAGES.get(latest.stage, "Training")
    if latest.eta_s is None or latest.stage == "play":
        return f"{stage}…"
    return f"{stage} · {time_left(latest.eta_s)} left"


def explanation(run: Run, state: TrainState, curves: Curves, *, has_clone: bool) -> str:
    """Why a run stands where it does, what is kept of it, and what to do.

    While it learns to see: how long all will take here, and whether there is a first clone to watch.
    """
    if state is TrainState.TRAINING:
        looking = curves.latest is not None and curves.latest.stage == "look"
        return f"{_upper_first(curves.messages[-1])}." if looking and curves.messages else ""
    if state is TrainState.DONE:
        return _AFTER_QUICK if run.setup is not None and run.setup.preset == "quick" else ""
    if state not in (TrainState.FAILED, TrainState.INTERRUPTED):
        return ""
    if run.status.stopped_early:
        return "Resume starts it again."
    reason = run.problem or run.status.reason
    kept = []
    if has_clone:
        kept.append("The best version so far was kept.")
    if (run.folder / CHECKPOINT).exists():
        kept.append("Resume continues from the last checkpoint.")
    return " ".join([f"{_upper_first(reason).rstrip('.')}.", *kept])


def _upper_first(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}"
