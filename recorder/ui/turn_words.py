"""Where a twin plays along: who plays at the moment and what the person can do, and both sides of a race."""

from __future__ import annotations

from dataclasses import dataclass

from recorder.recording.companions import CorrectionStatus
from recorder.recording.partner import Company
from recorder.recording.presenter import RecordPresenter
from recorder.recording.race import RaceStatus
from recorder.recording.recordings import Picture


@dataclass(frozen=True)
class Turn:
    """`tone` is that of look.tone in which it is written, and in which the game is framed."""

    title: str
    hint: str
    tone: str


@dataclass(frozen=True, eq=False)
class Rival:
    """A race: the twin's picture, uint8 RGB, and what stands over each side."""

    picture: Picture | None
    own: str
    other: str


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


def rival_of(presenter: RecordPresenter) -> Rival | None:
    """Both sides of a race, also before it begins; None if there is none."""
    companion = None if presenter.status is None else presenter.status.companion
    if isinstance(companion, RaceStatus):
        own = 0.0 if presenter.status is None else presenter.status.score
        you, other = (f" · {won} won" if companion.standing and won else "" for won in companion.won)
        twin = f"Your twin {companion.score:,.0f}{' · over' if companion.over else ''}{other}"
        twin = "Your twin stopped; you play on" if companion.lost else twin
        return Rival(companion.picture, f"You {own:,.0f}{you}", twin)
    if presenter.partner.company is Company.RACE:
        return Rival(None if presenter.status is None else presenter.status.picture, "You", "Your twin")
    return None


def _corrected(status: CorrectionStatus, hand_back_s: float) -> Turn:
    if status.lost:
        return Turn("You play on", "Your twin has stopped; the take is kept.", "warning")
    if status.correcting:
        return Turn("You play", f"Let go for {hand_back_s:g} s, and your twin goes on.", "person")
    return _TWIN_PLAYS
