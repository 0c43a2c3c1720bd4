"""The emulator's memory during a recording, found by replaying its actions.

A console keeps the positions of all objects in a few bytes (Anand et al. 2019, "Unsupervised state representation
learning in Atari", name them for 22 games). A session does not store them, but it can be replayed bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.envs.game import Game
from recorder.errors import SessionError
from recorder.store.session import Session

_HELD_TICKS = 6  # how long each action is held to see what it moves
_SIGN_OF_LIFE_TICKS = 2_000
_DETOUR_HOLD_TICKS = 10  # on average, of an action in a detour


@dataclass(frozen=True)
class Memory:
    """`values` uint8 (n, bytes): the memory at n ticks. `moved` int64 (bytes,): in how many of `trials` moments
    a byte changed when another action was taken.

    Such bytes are under the player's control (Bellemare, Veness and Bowling 2012, "Investigating contingency awareness
    using Atari 2600 games").
    """

    values: npt.NDArray[np.uint8]
    moved: npt.NDArray[np.int64]
    trials: int


@dataclass(frozen=True)
class Clip:
    """Consecutive ticks: `screens` uint8 (n, H, W), and `values` uint8 (n, bytes), the memory at them."""

    screens: npt.NDArray[np.uint8]
    values: npt.NDArray[np.uint8]


def replaying_memory(
    session: Session,
    ticks: Sequence[int],
    trials: Sequence[int],
    detours: Sequence[int] = (),
    detour_ticks: int = 0,
    seed: int | Sequence[int] = 0,
) -> Iterator[int | Clip | Memory]:
    """Replay `session` for the memory at `ticks`, in rising order; yields the ticks played, and at the end the memory.

    At each of `trials`, a subset of the ticks, every action is tried. From each of `detours`, another subset, random
    actions are taken for `detour_ticks` ticks, yielded as a Clip, before the recorded game continues. The screen is
    compared at trials, at detours and wherever ticks are not consecutive. Raises SessionError if the recording has no
    emulator, or does not replay as it was recorded.
    """
    tried, left_at = frozenset(trials), frozenset(detours)
    rng = np.random.default_rng(seed)
    values: list[npt.NDArray[np.uint8]] = []
    differing: list[npt.NDArray[np.bool_]] = []
    episodes = {episode.start: episode for episode in session.episodes if len(episode)}
    starts = np.array(sorted(episodes), np.int64)
    played = 0
    with Game(session.spec) as game:
        if game.memory() is None:
            raise SessionError(f"{session.place} was not recorded from an emulator")
        if session.actions[:].max() >= len(session.spec.action_names):
            raise SessionError(f"{session.place} contains actions that {session.spec.title} does not have")
        screen = np.empty(session.spec.frame_shape, np.uint8)
        for start, group in groupby(ticks, lambda tick: int(starts[np.searchsorted(starts, tick, "right") - 1])):
            episode = episodes[start]
            game.reset(episode.seed)
            for ran in session.lead_in(episode):
                for action in session.actions[ran.start : ran.stop].tolist():
                    game.play(action)
            tick = start
            for wanted in group:
                actions = session.actions[tick:wanted].tolist()
                for action in actions:
                    game.play(action)
                    played += 1
                    if played % _SIGN_OF_LIFE_TICKS == 0:
                        yield played
                if wanted in tried or wanted in left_at or wanted != tick + 1:
                    game.capture(screen, {"screen": screen[None]}, 0)
                    if not np.array_equal(screen, session.screens(wanted, wanted + 1)[0]):
                        raise SessionError(
                            f"{session.place} does not replay as it was recorded (different at tick {wanted} or before)"
                        )
                if wanted in tried:
                    differing.append(_try_out(game))
                if wanted in left_at:
                    yield _detour(game, detour_ticks, rng)
                tick = wanted
                values.append(_memory(game))
    moved = np.asarray(differing, np.int64).reshape(-1, len(values[0])).sum(axis=0)
    yield Memory(np.stack(values), moved, len(differing))


def _try_out(game: Game) -> npt.NDArray[np.bool_]:
    """Which bytes (bytes,) change with the action; the game is put back afterwards."""
    snapshot = game.snapshot()
    outcomes = []
    for action in range(len(game.spec.action_names)):
        game.go_back(snapshot)
        for _ in range(_HELD_TICKS):
            game.play(action)
        outcomes.append(_memory(game))
    game.go_back(snapshot)
    return np.asarray((np.stack(outcomes) != outcomes[0]).any(axis=0))


def _detour(game: Game, ticks: int, rng: np.random.Generator) -> Clip:
    """Some ticks of random actions; the game is put back afterwards."""
    snapshot = game.snapshot()
    shape = game.spec.frame_shape
    screens, values = np.empty((ticks, *shape), np.uint8), []
    action = 0
    for tick in range(ticks):
        if tick == 0 or rng.random() < 1 / _DETOUR_HOLD_TICKS:
            action = int(rng.integers(len(game.spec.action_names)))
        game.play(action)
        game.capture(screens[tick], {"screen": screens}, tick)
        values.append(_memory(game))
    game.go_back(snapshot)
    return Clip(screens, np.stack(values))


def _memory(game: Game) -> Any:
    memory = game.memory()
    assert memory is not None
    return memory
