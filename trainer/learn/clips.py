"""Clips of games that a policy plays from varied starts: screens, and the emulator's memory at each of them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from recorder.envs.game import Game
from recorder.library.replayed_memory import Clip
from trainer.config import TrainConfig
from trainer.learn.places import Places
from trainer.policy.policy import Policy, act_on_positions, act_together
from trainer.policy.preprocess import Preprocess

_MOST_AT_ONCE = 4  # games; together they take half the time
_LEAST_EACH = 2_000  # ticks of each of them, or there are fewer
_PLAY = 0x5C1  # separates its random generator from others
_SIGN_OF_LIFE_TICKS = 500


def playing(policy: Policy, ticks: int, length: int, told: Places | None = None) -> Iterator[float | Clip]:
    """Let a policy play at most so many ticks; yields the share that is done, and every other clip of `length` ticks.

    It sees for itself, or is `told` the positions. Then its label windows play in turn.
    """
    spec, windows = policy.spec, len(policy.config.label_windows)
    rng = np.random.default_rng([policy.config.seed, _PLAY])
    at_once = min(_MOST_AT_ONCE, max(1, ticks // _LEAST_EACH))
    begun, steps = 0, ticks // at_once
    with contextlib.ExitStack() as stack:
        games = [_LiveGame(stack.enter_context(Game(spec)), length) for _ in range(at_once)]
        for step in range(steps):
            for game in games:
                if game.over:
                    seed, selection = int(rng.integers(2**31)), policy.selection
                    if told is not None:
                        selection = replace(selection, output=begun % windows)
                    game.begin(policy.fork(seed, selection), seed)
                    begun += 1
            memories = [game.note() for game in games]
            for game, action in zip(games, _actions(games, memories, told), strict=True):
                if (clip := game.play(action)) is not None:
                    yield clip
            if step * at_once % _SIGN_OF_LIFE_TICKS == 0:
                yield step / steps


def prepared(clip: Clip, config: TrainConfig, palette: npt.NDArray[np.uint8] | None) -> Clip:
    """The clip with its screens preprocessed; `palette` is that of the session that it belongs to."""
    preprocess = Preprocess.of(config)
    return dataclasses.replace(clip, screens=preprocess.pool(preprocess.from_stored(clip.screens, palette)))


def _actions(games: Sequence[_LiveGame], memories: Sequence[npt.NDArray[np.uint8]], told: Places | None) -> list[Any]:
    players = [game.player for game in games]
    if told is None:
        return act_together(players, [game.observation for game in games])
    return act_on_positions(players, told.positions(np.stack(memories)))


class _LiveGame:
    """One game and its player, and the clip that is being made of it."""

    player: Policy
    observation: Any

    def __init__(self, game: Game, length: int) -> None:
        self._game, self._length = game, length
        self._tick = 0
        self.over = True

    def begin(self, player: Policy, seed: int) -> None:
        """Begin a new game."""
        self.player, self._tick, self.over = player, 0, False
        self.observation = self._game.reset(seed, varied=True)

    def note(self) -> npt.NDArray[np.uint8]:
        """Add this moment to the clip; returns the memory, uint8 (bytes,)."""
        at = self._tick % self._length
        if at == 0:
            self._screens = np.empty((self._length, *self._game.spec.observation_shape[:2]), np.uint8)
            self._values: list[npt.NDArray[np.uint8]] = []
        memory = self._game.memory()
        assert memory is not None
        self._game.capture(self.observation, {"screen": self._screens}, at)
        self._values.append(memory)
        return memory

    def play(self, action: Any) -> Clip | None:
        """Play one tick; returns a clip if one is complete that is wanted."""
        self.observation, _, terminated, truncated = self._game.step(action)
        self.over = terminated or truncated
        self._tick += 1
        wanted = self._tick % (2 * self._length) == self._length
        return Clip(self._screens, np.stack(self._values)) if wanted else None
