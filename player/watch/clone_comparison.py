"""How often the clone would have acted as recorded in the session beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from player.watch.background import BackgroundJob, BackgroundJobState
from player.watch.pairing import Pairing
from trainer.evaluation.agreement import Agreement, Disagreement


class CloneComparison:
    """Compares a clone with a recording in `job`; `agreement` is set once it is done, and is remembered."""

    def __init__(self, start_background: Callable[..., BackgroundJob]) -> None:
        self.job = start_background("trainer.evaluation.agreement:comparing")
        self.agreement: Agreement | None = None
        self._known: dict[tuple[Any, ...], Agreement] = {}

    @property
    def share(self) -> float | None:
        """The share compared so far, 0 to 1; None if nothing is being compared."""
        if not self.job.running:
            return None
        record = self.job.record
        return record.done / max(1, record.total) if record else 0.0

    def begin(self, pair: Pairing) -> None:
        """Compare the chosen pair, unless the result is known or one is missing."""
        if pair.session is None or pair.policy is None:
            return
        self.agreement = self._known.get(_key(pair))
        if self.agreement is None:
            self.job.start(session=str(pair.session), policy=str(pair.policy), game=pair.game)

    def poll(self, pair: Pairing) -> bool:
        """Read the progress; returns whether there is anything new."""
        if not self.job.poll():
            return False
        record = self.job.record
        if self.job.state is BackgroundJobState.DONE and record is not None:
            self.agreement = record.agreement
            if self.agreement is not None:
                self._known[_key(pair)] = self.agreement
        return True

    def reset(self) -> None:
        """Another pair is shown: forget the comparison."""
        self.agreement = None
        self.job.cancel()

    def close(self) -> None:
        """Cancel the job, and wait for its end."""
        self.job.close()
        self.agreement = None

    def neighbour(self, tick: int, steps: int) -> Disagreement | None:
        """The next disagreement after a tick, or for negative `steps` the previous one."""
        if self.agreement is None:
            return None
        found = self.agreement.disagreements
        if steps > 0:
            return next((each for each in found if moment_of(each) > tick), None)
        return next((each for each in reversed(found) if moment_of(each) < tick), None)


def moment_of(disagreement: Disagreement) -> int:
    """The tick at which a duel shows the recorded player's action of a disagreement."""
    return disagreement.tick + 1


def _key(pair: Pairing) -> tuple[Any, ...]:
    """What identifies an agreement; a policy file may be replaced by another training."""
    trained = pair.policy.stat().st_mtime_ns if pair.policy is not None and pair.policy.exists() else 0
    return (pair.session, pair.game, pair.policy, trained)
