"""What is told of a run that has ended, whatever else the window shows by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.progress.curves import Curves
from trainer.runs import outcome, run_texts
from trainer.runs.policy_library import Policies, PolicySummary
from trainer.runs.runs import Run
from trainer.runs.train_state import TrainState, state_of

OVER = (TrainState.DONE, TrainState.FAILED, TrainState.INTERRUPTED)
YOURS = "your twin"


@dataclass(frozen=True)
class News:
    """What came of a run, as a `sentence`; its clone, if there is one, and `whose` that is, as on a button."""

    sentence: str
    policy: Path | None = None
    whose: str = YOURS


def clone_of(run: Run | None, twins: Sequence[PolicySummary]) -> Path | None:
    """The clone of a run, once there is one; it is found again among the `twins` after it was renamed."""
    if run is None or run.policy is None:
        return None
    if run.policy.exists():
        return run.policy
    return next((twin.path for twin in twins if twin.run == run.id), None)


def has_first_version(active: Sequence[Run], twins: Sequence[PolicySummary]) -> bool:
    """Whether a run that is trained has saved a clone that is not among the `twins` yet."""
    listed = {twin.path for twin in twins}
    return any(run.policy not in listed and run.policy.exists() for run in active if run.policy is not None)


def news_of(run: Run, policies: Policies, twins: Sequence[PolicySummary], you: str) -> News:
    """What is to be told of a run that is over; `you` is the name of whoever reads it."""
    path, state = clone_of(run, twins), state_of(run)
    twin = None if path is None else policies.summary(path)
    sentence = run_texts.headline(run, state, Curves(), twin, behind=False, you=you)
    if twin is not None:
        return News(sentence, path, outcome.whose(twin, you))
    reason = run_texts.explanation(run, state, Curves(), has_clone=False)
    return News(" ".join(filter(None, (f"{sentence.rstrip('.')}.", reason))))
