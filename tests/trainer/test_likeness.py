"""Whether two players play alike."""

from __future__ import annotations

import numpy as np
import pytest

from recorder.envs.registry import get_spec
from trainer.evaluation.likeness import Likeness, told_apart

BREAKOUT, HOPPER = get_spec("breakout"), get_spec("hopper")


def games(seed: int, hold: float, actions: tuple[int, ...] = (0, 2, 3), count: int = 12) -> list[np.ndarray]:
    """Keys held for about so many ticks, by chance."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        taken = rng.choice(actions, 800)
        found.append(np.repeat(taken, 1 + rng.geometric(1 / hold, len(taken)))[:2_400].astype(np.uint8))
    return found


def likeness(clone: list[np.ndarray], demonstrator: list[np.ndarray]) -> Likeness:
    found = Likeness.of(clone, demonstrator, BREAKOUT)
    assert found is not None
    return found


def test_one_and_the_same_player_cannot_be_told_apart_and_two_others_can() -> None:
    same = likeness(games(1, 6.0), games(2, 6.0))
    assert 0.4 < same.classifier < 0.6
    assert 0.4 < same.itself < 0.6
    assert likeness(games(1, 2.0), games(2, 6.0)).classifier > 0.95
    slightly = likeness(games(1, 5.0), games(2, 6.0)).classifier
    assert 0.55 < slightly < 0.95


def test_habits_are_those_of_the_hands() -> None:
    steady = [np.tile(np.repeat(np.array([0, 2, 0, 3], np.uint8), [60, 6, 6, 12]), 20)] * 4
    found = {habit.name: habit for habit in likeness(steady, steady).habits}
    assert found["presses per second"].clone == pytest.approx(2 * 60 / 84)
    assert found["press duration, median (ms)"].clone == pytest.approx(150.0)
    assert found["idle for half a second or longer (% of the time)"].clone == pytest.approx(100 * 60 / 84)
    assert found["directly from one key to another (% of changes)"].clone == 0.0
    assert found["LEFT (% of the time)"].demonstrator == pytest.approx(100 * 12 / 84)
    assert all(habit.spread == 0.0 for habit in found.values())


def test_continuous_actions_are_compared_as_well() -> None:
    rng = np.random.default_rng(0)
    calm, wild = ([rng.normal(0, scale, (1_000, 3)).astype(np.float32) for _ in range(10)] for scale in (0.2, 0.4))
    found = Likeness.of(wild, calm, HOPPER)
    assert found is not None
    assert found.classifier > 0.95
    assert {habit.name for habit in found.habits} >= {"thigh, mean", "foot, change per tick"}


def test_too_little_play_tells_nothing() -> None:
    assert Likeness.of([np.zeros(100, np.uint8)], games(1, 4.0), BREAKOUT) is None
    assert Likeness.of([], games(1, 4.0), BREAKOUT) is None


def test_what_never_varies_tells_nobody_apart() -> None:
    assert told_apart([np.ones((8, 3))] * 6, [np.ones((8, 3))] * 6) == pytest.approx(0.5)
