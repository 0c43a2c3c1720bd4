"""Who plays at the moment where a twin plays along, and what the person can do: a line below the game."""

from __future__ import annotations

from dataclasses import dataclass

from recorder.recording.companions import CorrectionStatus
from recorder.recording.partner import Company
from recorder.recording.presenter import RecordPresenter


@dataclass(frozen=True)
class Turn:
    """`tone` is that of look.tone in which it is written, and in which the game is framed."""

    title: str
    hint: str
    tone: str


_TWIN_BEGINS = Turn("Your twin begins", "Any game key takes over.", "clone")
_TWIN_PLAYS = Turn("Your twin plays", "Any game key takes over.", "clone")


def turn_of(presenter: RecordPresenter) -> Turn | None:
    """Who plays now or in the next take; None where the person plays alone."""
    companion = None if presenter.status is None else presenter.status.companion
    if isinstance(companion, CorrectionStatus):
        return _corrected(companion, presenter.partner.hand_back_s)
    if presenter.partner.company is Company.CORRECT:
        return _TWIN_BEGINS
    return None


def _corrected(status: CorrectionStatus, hand_back_s: float) -> Turn:
    if status.lost:
        return Turn("You play on", "Your twin has stopped; the take is kept.", "warning")
    if status.correcting:
        return Turn("You play", f"Let go for {hand_back_s:g} s, and your twin goes on.", "person")
    return _TWIN_PLAYS
