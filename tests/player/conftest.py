"""Short real sessions, and players that need no training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recorder import RandomAgent, Session, get_spec, record
from trainer import TrainConfig
from trainer.policy.action_selection import ActionSelection
from trainer.policy.networks import build
from trainer.policy.policy_file import save_policy


class Clone(RandomAgent):
    """Plays at random, but says that it is a policy: what a Duel needs to know of one."""

    kind = "policy"

    def __init__(self, env: str, seed: int = 7) -> None:
        super().__init__(get_spec(env), seed)
        self.spec = get_spec(env)

    def describe(self) -> dict[str, Any]:
        return {"kind": "policy", "name": "clone", "params": {}}


class Waiting(Clone):
    """Never does anything."""

    def act(self, observation: Any) -> Any:
        return 0 if self.spec.discrete else np.zeros(3, np.float32)


@pytest.fixture(scope="session")
def breakout(tmp_path_factory: pytest.TempPathFactory) -> Session:
    library: Path = tmp_path_factory.mktemp("breakout")
    return record("breakout", RandomAgent(get_spec("breakout"), 1), library=library, seconds=4, seed=3)


@pytest.fixture(scope="session")
def hopper(tmp_path_factory: pytest.TempPathFactory) -> Session:
    library: Path = tmp_path_factory.mktemp("hopper")
    return record("hopper", RandomAgent(get_spec("hopper"), 1), library=library, episodes=2, seed=3)


def untrained(env: str, path: Path, **settings: Any) -> Path:
    """A policy file whose network is as it was before any training; `settings` are of TrainConfig."""
    torch.manual_seed(5)
    config = TrainConfig.for_env(env, max_batches=1, **settings)
    net = build(config, get_spec(env))
    save_policy(
        path, net, {"env": get_spec(env).to_json(), "config": config.to_json(), "play": ActionSelection().to_json()}
    )
    return path
