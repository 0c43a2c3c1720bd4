"""What the buttons of a game controller command, by the state of the take; all other inputs play.

             Start        a button     Back             up, down
IDLE         begin        begin        all games        choose the game
RECORDING    pause                     pause
PAUSED       resume                    stop and save
GAME_OVER    next game    next game    stop and save    label the game good, bad

Back only pauses a game that is in progress: it may have been touched by chance. While the list of all games is open,
the four directions move in it, Start or a button chooses, and Back closes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from recorder.agents.gamepad import BACK, DOWN, FIRE, LEFT, RIGHT, START, UP
from recorder.recording.race_series import next_game
from recorder.recording.take_control import RecordState

if TYPE_CHECKING:
    from recorder.recording.presenter import RecordPresenter

_ALWAYS = frozenset({START, BACK})
_MORE = {
    RecordState.IDLE: frozenset({FIRE, UP, DOWN}),
    RecordState.GAME_OVER: frozenset({FIRE, UP, DOWN}),
}
_STEPS = {UP: -1, DOWN: 1}  # through the environments
_LABELS = {UP: "success", DOWN: "failure"}
_WAYS = {UP: (0, -1), DOWN: (0, 1), LEFT: (-1, 0), RIGHT: (1, 0)}


class GameChooser(Protocol):
    """A list of all games, while it is open."""

    def go(self, across: int, down: int) -> None:
        """Select the game so many places away."""

    def choose(self) -> None:
        """Close it and play the selected game."""

    def leave(self) -> None:
        """Close it."""


def commands_of(presenter: RecordPresenter) -> frozenset[int]:
    """The inputs that are commands at the moment."""
    if presenter.chooser is not None:
        return _ALWAYS | {FIRE} | _WAYS.keys()
    return _ALWAYS | _MORE.get(presenter.state, frozenset())


def repeated(presenter: RecordPresenter) -> frozenset[int]:
    """The commands that are given again and again while their input is held."""
    return frozenset(_WAYS) if presenter.chooser is not None else frozenset()


def obey(presenter: RecordPresenter, command: int) -> None:
    """Do what an input commands."""
    if presenter.chooser is not None:
        _choose(presenter.chooser, command)
        return
    match presenter.state:
        case RecordState.IDLE if command in _STEPS:
            presenter.choose(presenter.env_choice.neighbour(presenter.env, _STEPS[command]))
        case RecordState.IDLE if command == BACK:
            presenter.open_games()
        case RecordState.IDLE:
            presenter.start(wait=False)
        case RecordState.GAME_OVER | RecordState.PAUSED if command == BACK:
            presenter.stop(wait=False)
        case RecordState.GAME_OVER if command in _LABELS:
            presenter.take.mark(_LABELS[command])
        case RecordState.GAME_OVER:
            next_game(presenter)
        case RecordState.PAUSED:
            presenter.take.resume()
        case _:
            presenter.take.pause()


def _choose(chooser: GameChooser, command: int) -> None:
    if command in _WAYS:
        chooser.go(*_WAYS[command])
    elif command == BACK:
        chooser.leave()
    else:
        chooser.choose()
