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
_ENDLESS_S = 20.0  # a clone that scores nothing for so long plays the same loop for ever, and will not lose a life


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
        self._lives = self._most_lives = self.rollout.lives
        self._lost = self._scored = 0
        self._trace = hashlib.sha256(np.ascontiguousarray(self.rollout.observation).tobytes())

    def tick(self) -> None:
        step = self.rollout.tick()
        self._trace.update(np.asarray(step.action).tobytes())
        self._actions.append(step.action)
        lives = step.lives
        self._scored = self.rollout.ticks if step.reward else self._scored
        self._lost += max(0, self._lives - lives)
        self._most_lives = max(self._most_lives, lives)
        self._lives = lives

    @property
    def playing(self) -> bool:
        return self.rollout.phase is Phase.PLAYING

    def result(self) -> GameResult:
        rollout = self.rollout
        spec = self.game.spec
        actions = np.asarray(self._actions, spec.action_dtype).reshape(-1, *spec.action_shape)
        trace = self._trace.hexdigest()
        return GameResult(rollout.score, rollout.ticks, rollout.outcome, trace, actions, self._played_out())

    def _played_out(self) -> float:
        rollout = self.rollout
        endless = rollout.ticks - self._scored >= _ENDLESS_S * self.game.spec.rate_hz
        if rollout.outcome != "time limit" or endless or not self._most_lives:
            return 1.0
        return min(1.0, self._lost / self._most_lives)
