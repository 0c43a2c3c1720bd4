"""Which bytes of the console's memory are learned as positions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recorder import Game, get_spec, record
from recorder.agents.experts import scripted
from trainer import TrainConfig
from trainer.data.playfield import framed
from trainer.learn.position_bytes import own_pixels, position_bytes
from trainer.policy.preprocess import Preprocess

PADDLE, PADDLE_COPY = 51, 60  # Pong: what is on the screen, and what is there a tick later
BREAKOUT_PADDLE, BREAKOUT_KNOB = 72, 70  # where it is, and where it goes: there two to three ticks later


def test_of_two_copies_the_one_on_the_screen_is_taken(tmp_path: Path) -> None:
    spec = get_spec("pong")
    session = record("pong", scripted("pong"), library=tmp_path, seconds=40, seed=2)
    config = framed(TrainConfig.for_env("pong").completed("pong"), [session])
    screens = Preprocess.of(config).from_stored(session.screens(0, len(session)), session.palette)
    memory = []
    with Game(spec) as game:
        game.reset(session.episodes[0].seed)
        for action in session.actions.tolist():
            memory.append(game.memory())
            game.step(action)
    controlled = np.zeros(128, bool)
    controlled[[PADDLE, PADDLE_COPY]] = True
    found = position_bytes([np.stack(memory)], [screens], controlled)  # type: ignore[arg-type]
    assert PADDLE in found
    assert PADDLE_COPY not in found
    late = [np.roll(screens, 1, axis=0)]  # on screens that are a tick late, the other one is there
    assert PADDLE not in position_bytes([np.stack(memory)], late, controlled)  # type: ignore[arg-type]
    where = own_pixels(np.stack(memory)[:, [PADDLE]].astype(np.float32), screens, [len(screens)])
    columns = np.flatnonzero(where.any(axis=0))
    assert set(columns.tolist()) <= set(range(69, 73))  # of 80: where the player's paddle is, 140 to 143 of 160
    assert where[:, columns].any(axis=1).sum() > 40  # and it was nearly everywhere there


def test_what_a_position_follows_is_another_one(tmp_path: Path) -> None:
    session = record("breakout", scripted("breakout", style="person"), library=tmp_path, seconds=100, seed=2)
    memory = []
    with Game(get_spec("breakout")) as game:
        for episode in session.episodes:
            game.reset(episode.seed)
            for action in session.actions[episode.start : episode.stop].tolist():
                memory.append(game.memory())
                game.step(action)
    values = np.stack(memory)
    together = np.corrcoef(values[:, BREAKOUT_PADDLE], values[:, BREAKOUT_KNOB])[0, 1]
    assert -0.99 < together < -0.98
    controlled = np.zeros(128, bool)
    controlled[[BREAKOUT_PADDLE, BREAKOUT_KNOB]] = True
    nothing = np.zeros((len(values), 8, 8), np.uint8)
    assert {BREAKOUT_PADDLE, BREAKOUT_KNOB} <= set(position_bytes([values], [nothing], controlled))  # type: ignore[list-item]
