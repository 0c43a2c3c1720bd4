"""Replays a recording: brings a game to any tick, from the start of the game with that tick."""

from __future__ import annotations

import hashlib

from recorder.envs.backend import Array
from recorder.envs.game import Game
from recorder.store.schema import Episode
from recorder.store.session import Session


def replay_to(game: Game, session: Session, episode: Episode, tick: int) -> Array:
    """Replay `episode`, with the segments before it, up to `tick` of the session; returns the observation there.

    Raises SessionError if the segments of the game do not fit together, AgentError for an invalid action.
    """
    observation = game.reset(episode.seed)
    parts = (*session.lead_in(episode), range(episode.start, tick))
    actions = [game.check_action(action) for part in parts for action in session.actions[part.start : part.stop]]
    for action in actions[:-1]:
        game.play(action)
    for action in actions[-1:]:
        observation, *_ = game.step(action)
    return observation


def depends_on_chance(session: Session, episode: Episode, stop: int) -> bool:
    """Whether two simulations of an episode's game up to tick `stop` differ: not all is drawn from its seed."""
    return len({_simulated(session, episode, stop) for _ in range(2)}) > 1


def _simulated(session: Session, episode: Episode, stop: int) -> str:
    """A digest of what is seen and earned, as hex."""
    digest = hashlib.sha256()
    with Game(session.spec) as game:
        digest.update(game.reset(episode.seed).tobytes())
        for ticks in (*session.lead_in(episode), range(episode.start, stop)):
            for action in session.actions[ticks.start : ticks.stop]:
                observation, *results = game.step(game.check_action(action))
                digest.update(observation.tobytes() + repr(results).encode())
    return digest.hexdigest()


def show_tick(game: Game, session: Session, tick: int) -> None:
    """Bring a game to a tick of a session: from the state stored there, or by replaying up to it."""
    if session.spec.stores_state:
        game.restore(session.states[tick])
    else:
        episode = next(each for each in session.episodes if each.start <= tick < each.stop)
        replay_to(game, session, episode, tick)
