"""How often the clone on show would have done the same as the recording beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from player.watch.background import BackgroundJob, BackgroundJobState
from player.watch.pairing import Pairing
from trainer.evaluation.agreement import Agreement, Disagreement


class CloneComparison:
    """Compares a clone with a recording in `chore`; `agreement` is there once it is done, and is kept for next time."""

    def __init__(self, start_chore: Callable[..., BackgroundJob]) -> None:
        self.chore = start_chore("trainer.evaluation.agreement:comparing")
        self.agreement: Agreement | None = None
        self._known: dict[tuple[Any, ...], Agreement] = {}

    @property
    def share(self) -> float | None:
        """How much has been compared, 0 to 1; None while nothing is."""
        if not self.chore.running:
            return None
        record = self.chore.record
        return record.done / max(1, record.total) if record else 0.0

    def begin(self, pair: Pairing) -> None:
        """Compare the two that are chosen, unless that is known, or one is missing."""
        if pair.session is None or pair.policy is None:
            return
        self.agreement = self._known.get(_key(pair))
        if self.agreement is None:
            self.chore.start(session=str(pair.session), policy=str(pair.policy), game=pair.game)

    def poll(self, pair: Pairing) -> bool:
        """Take in how far the comparison is; returns whether there is something new."""
        if not self.chore.poll():
            return False
        record = self.chore.record
        if self.chore.state is BackgroundJobState.DONE and record is not None:
            self.agreement = record.agreement
            if self.agreement is not None:
                self._known[_key(pair)] = self.agreement
        return True

    def reset(self) -> None:
        """Another pair is shown: what was compared is over."""
        self.agreement = None
        self.chore.cancel()

    def close(self) -> None:
        """End the chore, and wait for it."""
        self.chore.close()
        self.agreement = None

    def neighbour(self, tick: int, steps: int) -> Disagreement | None:
        """The first disagreement that is shown after a tick, or for negative `steps` the last one before it."""
        if self.agreement is None:
            return None
        found = self.agreement.disagreements
        if steps > 0:
            return next((each for each in found if moment_of(each) > tick), None)
        return next((each for each in reversed(found) if moment_of(each) < tick), None)


def moment_of(disagreement: Disagreement) -> int:
    """The tick at which a duel shows what the recorded player did there."""
    return disagreement.tick + 1


def _key(pair: Pairing) -> tuple[Any, ...]:
    """What an agreement is of: the same clone may be trained anew."""
    trained = pair.policy.stat().st_mtime_ns if pair.policy is not None and pair.policy.exists() else 0
    return (pair.session, pair.game, pair.policy, trained)
