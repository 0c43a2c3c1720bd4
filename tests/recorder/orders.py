"""What tests share whose orders of actions hypothesis makes up: how many, and the game."""

from __future__ import annotations

from functools import cache

from hypothesis import HealthCheck, settings

from recorder import get_spec
from recorder.envs.game import Game

# The same orders each time: what a test finds, it finds again. Nothing is left in the repository.
FEW = settings(
    max_examples=4,
    stateful_step_count=10,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@cache
def game() -> Game:
    """Games are slow to make, and any one of them will do."""
    return Game(get_spec("hopper"))
