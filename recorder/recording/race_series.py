"""What follows a game on the Record page, also in a series of races, and how races against a twin have ended so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recorder.recording.race import RaceStatus

if TYPE_CHECKING:
    from recorder.recording.presenter import RecordPresenter


def race_of(presenter: RecordPresenter) -> RaceStatus | None:
    """The race under way; None if there is none."""
    companion = None if presenter.status is None else presenter.status.companion
    return companion if isinstance(companion, RaceStatus) else None


def next_game(presenter: RecordPresenter) -> None:
    """After a game is over, play another: in the same take, or in a new one after the last game of a series.

    In a series, that waits until it is known who has won the game.
    """
    race = race_of(presenter)
    if race is not None and race.settled:
        presenter.restart(keep=True)
    elif race is None or not race.standing or race.result:
        presenter.take.next_game()


def so_far(presenter: RecordPresenter) -> str:
    """How many games the player has won against the chosen twin, and the twin: "You 5 : 3 Ada's twin"."""
    twin = presenter.partner.twin
    if twin is None:
        return ""
    races, me = presenter.finished.today.races, presenter.player.name
    won = [race.won for player, race in races if player == me and race.was_against(twin.path.stem, twin.created)]
    you, other = sum(mine for mine, _ in won), sum(its for _, its in won)
    return f"You {you} : {other} {twin.title}" if you or other else ""
