"""Playing a recording again: a game is led to any tick of it, from the start of the game that the tick is in."""

from __future__ import annotations

from recorder.envs.backend import Array
from recorder.envs.game import Game
from recorder.store.schema import Episode
from recorder.store.session import Session


def replay_to(game: Game, session: Session, episode: Episode, tick: int) -> Array:
    """Play `episode` again, with what led to it, up to before `tick` of the session; returns what is observed there.

    Raises SessionError where the segments of the game do not fit together, AgentError for what is not an action.
    """
    observation = game.reset(episode.seed)
    for ticks in (*session.lead_in(episode), range(episode.start, tick)):
        for action in session.actions[ticks.start : ticks.stop]:
            observation, *_ = game.step(game.check_action(action))
    return observation


def show_tick(game: Game, session: Session, tick: int) -> None:
    """Put a game that draws at a tick of a session: into the state stored there, or by playing up to it."""
    if session.spec.stores_state:
        game.restore(session.states[tick])
    else:
        episode = next(each for each in session.episodes if each.start <= tick < each.stop)
        replay_to(game, session, episode, tick)
