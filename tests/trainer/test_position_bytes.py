"""Which bytes of the console's memory are learned as positions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from recorder import Game, Session, record
from recorder.agents.experts import scripted
from trainer import TrainConfig
from trainer.data.playfield import framed
from trainer.hyperparameters import LEAST_POSITIONS, MOST_POSITIONS
from trainer.learn.position_bytes import moving_pixels, position_bytes
from trainer.policy.preprocess import Preprocess

PADDLE, PADDLE_COPY = 51, 60  # Pong: what is on the screen, and what is there a tick later
BREAKOUT_PADDLE, BREAKOUT_KNOB = 72, 70  # where it is, and where it goes: there two to three ticks later


CANNON = 28  # Space Invaders
INVADERS_X = 26  # the block of invaders moves in a tick of twenty
BOMBS_X = {83, 84}  # most changes of these are jumps, from one bomb to the next


def memory_of(session: Session) -> npt.NDArray[np.uint8]:
    """The memory at every tick, uint8 (n, 128)."""
    values = []
    with Game(session.spec) as game:
        for episode in session.episodes:
            game.reset(episode.seed)
            for action in session.actions[episode.start : episode.stop].tolist():
                values.append(game.memory())
                game.step(action)
    return np.stack(values)  # type: ignore[arg-type]


def screens_of(session: Session) -> npt.NDArray[np.uint8]:
    """The preprocessed screens of every tick, uint8 (n, rows, columns)."""
    config = framed(TrainConfig.for_env(session.spec.name).completed(session.spec.name), [session])
    return Preprocess.of(config).from_stored(session.screens(0, len(session)), session.palette)


def only(*bytes_: int) -> npt.NDArray[np.bool_]:
    controlled = np.zeros(128, bool)
    controlled[list(bytes_)] = True
    return controlled


def test_of_two_copies_the_one_on_the_screen_is_taken(tmp_path: Path) -> None:
    session = record("pong", scripted("pong"), library=tmp_path, seconds=40, seed=2)
    screens, memory, controlled = screens_of(session), memory_of(session), only(PADDLE, PADDLE_COPY)
    found = position_bytes([memory], [screens], controlled)
    assert PADDLE in found
    assert PADDLE_COPY not in found
    late = [np.roll(screens, 1, axis=0)]  # on screens that are a tick late, the other one is there
    assert PADDLE not in position_bytes([memory], late, controlled)
    where = moving_pixels(memory[:, [PADDLE]].astype(np.float32), screens, [len(screens)])
    columns = np.flatnonzero(where.any(axis=0))
    assert set(columns.tolist()) <= set(range(69, 73))  # of 80: where the player's paddle is, 140 to 143 of 160
    assert where[:, columns].any(axis=1).sum() > 40  # and it was nearly everywhere there


def test_what_a_position_follows_is_another_one(tmp_path: Path) -> None:
    session = record("breakout", scripted("breakout", style="person"), library=tmp_path, seconds=100, seed=2)
    values = memory_of(session)
    together = np.corrcoef(values[:, BREAKOUT_PADDLE], values[:, BREAKOUT_KNOB])[0, 1]
    assert -0.99 < together < -0.98
    nothing = np.zeros((len(values), 8, 8), np.uint8)
    found = position_bytes([values], [nothing], only(BREAKOUT_PADDLE, BREAKOUT_KNOB))
    assert {BREAKOUT_PADDLE, BREAKOUT_KNOB} <= set(found)


def test_of_many_those_are_taken_that_are_seen_to_move(tmp_path: Path) -> None:
    session = record("space_invaders", scripted("space_invaders"), library=tmp_path, seconds=40, seed=2)
    found = position_bytes([memory_of(session)], [screens_of(session)], only(CANNON))
    assert LEAST_POSITIONS < len(found) <= MOST_POSITIONS
    assert {CANNON, INVADERS_X, *BOMBS_X} < set(found)
