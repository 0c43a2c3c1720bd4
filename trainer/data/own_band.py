"""Where the player's own figure is on the screen, found by trying in a game whose description does not say.

    moments of a recording, simulated again ──▶ every action, held for a moment ──▶ pixels that then differ
                                                    ──▶ the rows, or the columns, in which nearly all of them lie

What differs was moved by the player. The paddle of Breakout stays in a few rows, that of Pong in a few columns. A
figure that goes everywhere is in no such band.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.envs.backend import BACKENDS, Array
from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.errors import TwinplayError
from recorder.library.replay import replay_to
from recorder.store.schema import Episode
from recorder.store.session import Session
from trainer.config import TrainConfig

_MOMENTS, _LEAST_MOMENTS = 16, 8
_FIRST_TICK, _LAST_TICK = 120, 1_200  # of a game, which is played again up to a moment
_HELD_TICKS = 8
_OFTEN = 0.25  # of the moments: a row or column that differs in so many is in the band
_INSIDE = 0.9  # of the pixels that differ
_NARROW = 0.15  # of the screen
_GOLDEN = 0.618034  # its multiples, without the whole parts, lie evenly in whatever number
_Pixels = npt.NDArray[np.bool_]
_Band = tuple[int, int]


def hiding_own(config: TrainConfig, sessions: Sequence[Session]) -> TrainConfig:
    """`config` with the rows or columns of the own figure, where neither it nor the description of the game says which.

    Only for a network that learns from pixels, in a game whose simulator goes back at once.
    """
    spec = get_spec(sessions[0].spec.name)
    said = spec.own_rows or config.hidden_rows or config.hidden_columns or not config.hidden_share
    if said or config.perceives or not spec.sees_screen or not spec.discrete or not BACKENDS[spec.backend].goes_back:
        return config
    try:
        rows, columns = own_band(sessions)
    except TwinplayError:  # a recording that cannot be simulated here: nothing is known of it
        return config
    return config.with_changes(hidden_rows=rows or (), hidden_columns=columns or ())


def own_band(sessions: Sequence[Session]) -> tuple[_Band | None, _Band | None]:
    """The rows, or else the columns, in which the player's own figure moves: first, last + 1.

    Raises TwinplayError for a recording that cannot be simulated.
    """
    found = [differing for differing in _trials(sessions) if differing.any()]
    if len(found) < _LEAST_MOMENTS:
        return None, None
    rows, columns = (_band(np.stack([each.any(axis=axis) for each in found])) for axis in (1, 0))
    whole = sum(int(each.sum()) for each in found)
    if rows and sum(int(each[slice(*rows)].sum()) for each in found) >= _INSIDE * whole:
        return rows, None
    if columns and sum(int(each[:, slice(*columns)].sum()) for each in found) >= _INSIDE * whole:
        return None, columns
    return None, None


def _band(differing: _Pixels) -> _Band | None:
    """From the first to the last place that often differs, of (moments, places); None if that is not narrow."""
    often = np.flatnonzero(differing.mean(axis=0) >= _OFTEN)
    if not len(often) or often[-1] + 1 - often[0] > _NARROW * differing.shape[1]:
        return None
    return int(often[0]), int(often[-1]) + 1


def _trials(sessions: Sequence[Session]) -> Iterator[_Pixels]:
    """For some moments, the pixels in which the screens after different actions differ."""
    games = [
        (session, episode)
        for session in sessions
        for episode in session.episodes
        if episode.parent < 0 and len(episode) > _FIRST_TICK
    ]
    some = np.unique(np.linspace(0, len(games) - 1, min(len(games), _MOMENTS)).round().astype(int)).tolist()
    moments: dict[int, list[int]] = {place: [] for place in some}
    reach = {place: min(len(games[place][1]), _LAST_TICK) - _FIRST_TICK for place in some}
    count = min(_MOMENTS, sum(reach.values()) // _HELD_TICKS)  # closer ones would show the same again
    for number in range(count if count >= _LEAST_MOMENTS else 0):
        place = some[number % len(some)]
        moments[place].append(games[place][1].start + _FIRST_TICK + int(reach[place] * (_GOLDEN * number % 1)))
    for place, ticks in moments.items():
        if ticks:
            yield from _tried(*games[place], sorted(ticks))


def _tried(session: Session, episode: Episode, ticks: Sequence[int]) -> Iterator[_Pixels]:
    """At each of these ticks, of one game, which is played again once."""
    with Game(session.spec) as game:
        here = ticks[0]
        replay_to(game, session, episode, here)
        for tick in ticks:
            for action in session.actions[here:tick]:
                game.play(game.check_action(action))
            here, moment = tick, game.snapshot()
            screens = [_held(game, moment, action) for action in range(len(session.spec.action_names))]
            game.go_back(moment)
            yield np.asarray((np.stack(screens[1:]) != screens[0]).any(axis=0).any(axis=-1))


def _held(game: Game, moment: Any, action: int) -> Array:
    """The screen after an action was held for a while from this moment on."""
    game.go_back(moment)
    for _ in range(_HELD_TICKS - 1):
        game.play(action)
    screen, *_ = game.step(action)
    return screen
