"""Forks of recorded games: any tick of a recording, made ready to be played on from (see recorder.play.fork)."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from recorder.envs.backend import Array
from recorder.envs.registry import installed_spec
from recorder.errors import SessionError, UsageError
from recorder.play.fork import Fork
from recorder.store.episode_table import RecordedGame
from recorder.store.session import Session


def fork_of(session: Session, game: RecordedGame, tick: int) -> Fork:
    """The fork after the first `tick` actions of a recorded game, without those that a rewind took back.

    Raises UsageError for a tick that it does not have, or at which it is over, SessionError if it was recorded with
    another environment.
    """
    over = game.ticks + (game.outcome != "game over")
    if not 1 <= tick < over:
        seconds = (over - 1) / session.spec.rate_hz
        raise UsageError(
            f"{session.place}: game {game.number} cannot be played on from tick {tick}; "
            f"choose from 1 to {over - 1:,} (second {seconds:.2f})"
        )
    installed = installed_spec(session.spec)
    if changes := session.spec.differences(installed):
        raise SessionError(f"{session.place} was recorded with another environment ({'; '.join(changes)})")
    origin = {"session": session.name, "digest": str(session.attributes.get("digest") or ""), "game": game.number}
    return Fork(
        replace(session.spec, same_memory=installed.same_memory),
        game.line[0].seed,
        session.actions[game.line_ticks[:tick]],
        origin | {"tick": tick},
        _moment(session, game, tick),
    )


def fork_at(session: Session, tick: int) -> Fork:
    """The fork at a tick of the session, in the game of that tick. Raises UsageError or SessionError."""
    for game in session.recorded_games:
        found = np.flatnonzero(game.line_ticks == tick)
        if len(found):
            return fork_of(session, game, max(1, int(found[0])))
    raise UsageError(f"{session.place} has no tick {tick} in a game, or a rewind took it back; choose another one")


def _moment(session: Session, game: RecordedGame, tick: int) -> dict[str, Array]:
    """What is stored of the moment; at the end of a game, its closing moment, unless the game was interrupted."""
    if tick < game.ticks:
        at = int(game.line_ticks[tick])
        return {name: rows[0] for name, rows in session.moments(at, at + 1).items()}
    last = game.line[-1].index
    return {name: rows[last] for name, rows in session.finals().items() if last < len(rows)}
