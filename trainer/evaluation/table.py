"""One game of an evaluation, tick by tick. Importing this module does not import torch."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from msgspec.structs import replace

from recorder.agents.agent import Agent
from recorder.envs.game import Game
from recorder.envs.registry import installed_spec
from recorder.play.rollout import Phase, Rollout
from trainer.evaluation.scores import GameResult

_EVALUATION = 0x0E7A1  # keeps evaluation seeds different from recording seeds


def evaluation_seed(seed: int, game: int) -> int:
    """The seed of game `game` of an evaluation."""
    return int(np.random.SeedSequence([seed, game, _EVALUATION]).generate_state(1)[0]) & 0x7FFFFFFF


class QueuedAgent:
    """An agent that takes the action it was given."""

    def __init__(self) -> None:
        self.action: Any = 0

    def reset(self, env: Any = None) -> None: ...

    def act(self, observation: Any) -> Any:
        return self.action


class Table:
    """One game: a rollout, and the trace that identifies it."""

    def __init__(self, game: Game, agent: Agent, seed: int, max_ticks: int | None) -> None:
        self.game = game
        whole = installed_spec(game.spec).episode_ticks
        game.spec = replace(game.spec, episode_ticks=whole if max_ticks is None else min(max_ticks, whole))
        self.rollout = Rollout(self.game, agent, varied=True)
        self.rollout.begin(seed)
        self._actions: list[Any] = []
        self._trace = hashlib.sha256(np.ascontiguousarray(self.rollout.observation).tobytes())

    def tick(self) -> None:
        step = self.rollout.tick()
        self._trace.update(np.asarray(step.action).tobytes())
        self._actions.append(step.action)

    @property
    def playing(self) -> bool:
        return self.rollout.phase is Phase.PLAYING

    def result(self) -> GameResult:
        rollout = self.rollout
        spec = self.game.spec
        actions = np.asarray(self._actions, spec.action_dtype).reshape(-1, *spec.action_shape)
        return GameResult(rollout.score, rollout.ticks, rollout.outcome, self._trace.hexdigest(), actions)
