"""Which rows of the screen a network is shown, found in the recordings of a game whose description does not say.

    screens in pairs of neighbours ──▶ rows that change ──▶ without a frame that never does, and without a score

What moves is shown, and what lies above and below it up to the next row of one colour, since it may come to move; after
ten minutes of play that counts which did. What changes only where a reward is earned is no movement, but a score: it
tells how far the game has come, and so which game it is, but not what to do (de Haan et al. 2019, "Causal confusion in
imitation learning").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from recorder.envs.registry import get_spec
from recorder.store.session import Session
from trainer.config import TrainConfig

_STRETCH = 90  # neighbouring ticks that are read together
_STRETCHES = 24  # over all sessions
_DRAWN_LATER = 6  # ticks until a score shows a reward
_BY_REWARD = 0.9  # of a row's changes come with a reward: it shows a score
_RARE = 0.5  # rewards in more than this share of the ticks tell nothing of a row
_WHOLE = 0.9  # of the rows change at once: another picture, a flash
_SURE_TICKS = 36_000
_LEAST_ROWS = 80
_Rows = npt.NDArray[np.bool_]


def framed(config: TrainConfig, sessions: Sequence[Session]) -> TrainConfig:
    """`config` with the rows that are shown, where neither it nor the description of the game says which."""
    spec = get_spec(sessions[0].spec.name)
    known = not spec.sees_screen or bool(spec.playfield) or config.crop != TrainConfig().crop
    if known or spec.colours == "rgb":  # a camera that moves: every row changes, and none is a frame
        return config
    return config.with_changes(crop=playfield(sessions) or config.crop)


def playfield(sessions: Sequence[Session]) -> tuple[int, int] | None:
    """The first row and the row after the last; None where nothing is to be left out, or too little would stay.

    Reads about 2,000 screens, as many where rewards are earned as elsewhere.
    """
    height = sessions[0].spec.frame_shape[0]
    changes, by_reward, pairs, rewards = np.zeros(height), np.zeros(height), 0, 0
    plain = np.ones(height, np.bool_)
    for session, start, screens in stretches(sessions):
        plain &= (screens[0] == screens[0, :, :1]).all(axis=1)
        changed = (screens[1:] != screens[:-1]).any(axis=2)
        usual = changed.mean(axis=1) < _WHOLE
        rewarded = _rewarded(session, start, len(screens))[1:]
        changes += changed[usual].sum(axis=0)
        by_reward += changed[usual & rewarded].sum(axis=0)
        pairs, rewards = pairs + len(changed), rewards + int(rewarded.sum())
    score = (changes > 0) & (by_reward >= _BY_REWARD * changes) & (rewards < _RARE * pairs)
    moving = np.flatnonzero((changes > 0) & ~score)
    if not len(moving):
        return None
    edge = plain | ((changes == 0) & (sum(map(len, sessions)) >= _SURE_TICKS))
    top, bottom = int(moving[0]), int(moving[-1]) + 1
    while top > 0 and not edge[top - 1]:
        top -= 1
    while bottom < height and not edge[bottom]:
        bottom += 1
    return (top, bottom) if _LEAST_ROWS <= bottom - top < height else None


def stretches(sessions: Sequence[Session]) -> Iterator[tuple[Session, int, npt.NDArray[np.uint8]]]:
    """About 2,000 screens, as they are stored, with their session and first tick: evenly over the play, and as many
    around rewards. Sessions of another environment than the first one's, which training refuses, are left out.
    """
    sessions = [session for session in sessions if session.spec.name == sessions[0].spec.name]
    some = np.unique(np.linspace(0, len(sessions) - 1, min(len(sessions), _STRETCHES // 2)).round().astype(int))
    sessions = [sessions[index] for index in some]
    for session in sessions:
        share = max(1, round(_STRETCHES * len(session) / sum(map(len, sessions)) / 2))
        last = max(0, len(session) - _STRETCH)
        places = np.linspace(0, last, share).round().astype(int)
        earned = np.flatnonzero(session.rewards)
        if len(earned):
            places = np.r_[places, earned[np.linspace(0, len(earned) - 1, share).round().astype(int)] - _STRETCH // 2]
        for place in np.unique(places.clip(0, last)).tolist():
            yield session, place, session.screens(place, min(place + _STRETCH, len(session)))


def _rewarded(session: Session, start: int, ticks: int) -> _Rows:
    """Whether a reward was earned shortly before each of these ticks."""
    earned = np.flatnonzero(np.asarray(session.rewards[max(0, start - _DRAWN_LATER) : start + ticks]))
    when = earned + max(0, start - _DRAWN_LATER) - start
    shown = np.zeros(ticks, np.bool_)
    for tick in when.tolist():
        shown[max(0, tick) : max(0, tick + _DRAWN_LATER + 1)] = True
    return shown
