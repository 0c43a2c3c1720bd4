"""What a session of a clone and its supervisor stores besides other sessions (recorder.agents.shared_control).

    correcting     (T,) bool    the supervisor was in control; otherwise the clone was
    proposal       like action  what the clone would have done; its action wherever it was in control
    proposal_age   (T,) uint8   how many ticks old the moment is that the proposal is from; 255: it proposed nothing yet
    handover       (T,) uint8   why control changed at this tick; 0 where it did not

Neither of the two decided the ticks of a lead-in (see recorder.store.schema): there `proposal` is the action, and
`proposal_age` 255.

The attribute `shared_control` of such a session has the names of the handovers, and the ticks without a key after which
a person handed back (`hand_back_ticks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.agents.shared_control import HANDOVERS, Decision, Handover
from recorder.envs.spec import EnvSpec
from recorder.store.session_group import SessionGroup

ATTRIBUTE = "shared_control"
_MOST_TICKS = 10_000
Array = npt.NDArray[Any]


def shared_columns(spec: EnvSpec) -> dict[str, tuple[tuple[int, ...], str]]:
    """Name -> (shape, dtype) of the arrays described above."""
    flags: dict[str, tuple[tuple[int, ...], str]] = {"correcting": ((), "bool")}
    flags["proposal"] = (spec.action_shape, spec.action_dtype)
    return flags | {"proposal_age": ((), "uint8"), "handover": ((), "uint8")}


def shared_attribute(hand_back_ticks: int = 0) -> dict[str, Any]:
    """The attribute of a session of shared control; with 0, control was not handed back after a number of ticks."""
    return {ATTRIBUTE: {"hand_back_ticks": hand_back_ticks, "handovers": list(HANDOVERS)}}


def put(decision: Decision, rows: Mapping[str, Array], index: int) -> None:
    """Copy a decision into row `index` of the arrays."""
    rows["correcting"][index] = decision.correcting
    rows["proposal"][index] = decision.proposal
    rows["proposal_age"][index] = decision.age
    rows["handover"][index] = decision.handover


@dataclass(frozen=True)
class Corrections:
    """The arrays described in the module's docstring, with a row for each tick of the session."""

    correcting: npt.NDArray[np.bool_]
    proposals: Array
    ages: npt.NDArray[np.uint8]
    handovers: npt.NDArray[np.uint8]
    hand_back_ticks: int = 0

    @classmethod
    def read(cls, group: SessionGroup, spec: EnvSpec, ticks: int) -> Corrections | None:
        """Those of a session; None for one without a clone and its supervisor. Raises SessionError."""
        told = group.attributes.get(ATTRIBUTE)
        if not isinstance(told, dict):
            return None
        columns = shared_columns(spec)
        found = {name: group.read(name, shape, dtype, ticks) for name, (shape, dtype) in columns.items()}
        given = told.get("hand_back_ticks")
        usable = isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= _MOST_TICKS
        return cls(
            found["correcting"],
            found["proposal"],
            found["proposal_age"],
            found["handover"],
            given if usable and given else 0,
        )

    @property
    def columns(self) -> dict[str, Array]:
        """The arrays by their stored names."""
        flags = {"correcting": self.correcting, "handover": self.handovers}
        return flags | {"proposal": self.proposals, "proposal_age": self.ages}

    @property
    def takeovers(self) -> int:
        """How often the supervisor took over."""
        return int((np.diff(self.correcting.astype(np.int8), prepend=0) == 1).sum())

    def to_imitate(self) -> npt.NDArray[np.bool_]:
        """The ticks that show what the supervisor would do, bool (T,).

        These are the corrections, without the ticks in which a person only waited for the clone to play again.
        """
        wanted = self.correcting.copy()
        if self.hand_back_ticks:
            for tick in np.flatnonzero(self.handovers == Handover.LET_GO).tolist():
                wanted[max(0, tick - self.hand_back_ticks + 1) : tick] = False
        return wanted
