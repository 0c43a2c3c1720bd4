"""What the buttons of a game controller command, by the state of the take; all other inputs play.

             Start        a button     Back             up, down
IDLE         begin        begin                         choose the game
RECORDING    pause                     pause
PAUSED       resume                    stop and save
GAME_OVER    next game    next game    stop and save    label the game good, bad

Back only pauses a game that is in progress: it may have been touched by chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recorder.agents.gamepad import BACK, DOWN, FIRE, START, UP
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


def commands_of(state: RecordState) -> frozenset[int]:
    """The inputs that are commands in this state."""
    return _ALWAYS | _MORE.get(state, frozenset())


def obey(presenter: RecordPresenter, command: int) -> None:
    """Do what an input commands."""
    match presenter.state:
        case RecordState.IDLE if command in _STEPS:
            presenter.choose(presenter.env_choice.neighbour(presenter.env, _STEPS[command]))
        case RecordState.IDLE if command != BACK:
            presenter.start(wait=False)
        case RecordState.GAME_OVER | RecordState.PAUSED if command == BACK:
            presenter.stop(wait=False)
        case RecordState.GAME_OVER if command in _LABELS:
            presenter.take.mark(_LABELS[command])
        case RecordState.GAME_OVER:
            presenter.take.next_game()
        case RecordState.PAUSED:
            presenter.take.resume()
        case _:
            presenter.take.pause()
