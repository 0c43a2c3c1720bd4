"""Starts recordings that a person plays, and owns the game that they use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from recorder.agents.agent import KeyAgent
from recorder.agents.controls import Controls
from recorder.envs.game import Game
from recorder.envs.spec import EnvSpec
from recorder.recording.companions import Companion
from recorder.recording.game_sound import GameSound
from recorder.recording.key_choice import KeyChoice
from recorder.recording.recordings import LiveRecording, RecordingStatus
from recorder.recording.stills import Stills
from recorder.recording.take_limit import TakeLimit
from recorder.system.jobs import Task


class HandPlay:
    """Starts recordings in `library`. Creating a game takes 150 ms, so it is kept for the next recording."""

    def __init__(
        self,
        library: Path,
        keys: KeyAgent,
        controls: Controls,
        key_choice: KeyChoice,
        sound: GameSound,
        now: Callable[[], int],
    ) -> None:
        self._poster: RecordingStatus | None = None  # the first screen, which is shown before there is a recording
        self._library, self._keys, self._controls = library, keys, controls
        self._key_choice, self._sound, self._now = key_choice, sound, now
        self._game: Game | None = None

    def first_screen(self, spec: EnvSpec, stills: Stills, *, free: bool) -> RecordingStatus | None:
        """What is shown before there is a recording, once it is drawn. `free`: nobody else uses the game now."""
        if not spec.playable:
            still = stills.want(spec.name)
            return None if still is None else RecordingStatus(still, 0.0, 0, 0, 0, False, 0)
        if self._poster is None and free:
            game = self._lend_game(spec)
            game.reset(0)
            self._poster = RecordingStatus(game.picture(), 0.0, game.lives, 0, 0, False, 0)
        return self._poster

    def begin(
        self, spec: EnvSpec, seed: int, limit: TakeLimit, steps_hz: float, companion: Companion | None = None
    ) -> Task:
        """Start a recording. Creating a session on disk takes a moment: the task returns the recording."""
        return Task(partial(self._begin, self._lend_game(spec), seed, limit, steps_hz, companion), "begin-take")

    def leave_env(self) -> None:
        """Close the game, before another environment is played."""
        self.close()
        self._poster = None

    def close(self) -> None:
        """Close the game."""
        if self._game is not None:
            self._game.close()
            self._game = None

    def _lend_game(self, spec: EnvSpec) -> Game:
        if self._game is None:
            self._game = Game(spec, render=not spec.sees_screen, sound=self._sound.hear is not None)
        return self._game

    def _begin(
        self, game: Game, seed: int, limit: TakeLimit, steps_hz: float, companion: Companion | None
    ) -> LiveRecording:
        return LiveRecording(
            game,
            self._keys,
            self._library,
            seed=seed,
            key_names=self._key_choice.key_names,
            limit=limit,
            steps_hz=steps_hz,
            companion=companion,
            before_tick=self._controls.poll,
            hear=self._sound.hear,
            now=self._now,
        )
