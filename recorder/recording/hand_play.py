"""Starts recordings that a person plays, and owns the game that they use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from recorder.agents.agent import KeyAgent
from recorder.agents.controls import Controls
from recorder.envs.game import Game
from recorder.envs.spec import EnvSpec
from recorder.errors import TwinplayError
from recorder.play.fork import Fork
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
        self.problem = ""
        self._library, self._keys, self._controls = library, keys, controls
        self._key_choice, self._sound, self._now = key_choice, sound, now
        self._game: Game | None = None

    def first_screen(self, spec: EnvSpec, stills: Stills, *, free: bool) -> RecordingStatus | None:
        """What is shown before there is a recording, once it is drawn; `problem` says why it cannot be played here.

        `free`: nobody else uses the game now.
        """
        if not spec.playable:
            return stills.status(spec.name)
        if free and not self.problem:
            try:
                self._draw_poster(spec)
            except TwinplayError as error:
                self.problem = str(error)
        return self._poster

    def picture_shape(self, spec: EnvSpec) -> tuple[int, ...]:
        """The shape of an environment's pictures, between recordings. Raises TwinplayError if it cannot be played."""
        return self._draw_poster(spec).picture.shape

    def begin(
        self,
        spec: EnvSpec,
        seed: int,
        limit: TakeLimit,
        steps_hz: float,
        companion: Companion | None = None,
        fork: Fork | None = None,
    ) -> Task:
        """Start a recording, of a game that plays on from `fork` if there is one; the task returns the recording.

        Creating a session on disk takes a moment, and the lead-in of a fork takes longer.
        """
        spec = spec if fork is None else fork.spec
        return Task(partial(self._begin, self._lend_game(spec), seed, limit, steps_hz, companion, fork), "begin-take")

    def leave_env(self) -> None:
        """Close the game, before another environment is played."""
        self.close()
        self._poster, self.problem = None, ""

    def close(self) -> None:
        """Close the game."""
        if self._game is not None:
            self._game.close()
            self._game = None

    def _draw_poster(self, spec: EnvSpec) -> RecordingStatus:
        if self._poster is None:
            game = self._lend_game(spec)
            game.reset(0)
            self._poster = RecordingStatus(game.picture(), 0.0, game.lives, 0, 0, False, 0)
        return self._poster

    def _lend_game(self, spec: EnvSpec) -> Game:
        if self._game is not None and self._game.spec.kwargs != spec.kwargs:  # another frame skip was chosen
            self.close()
        if self._game is None:
            self._game = Game(spec, render=not spec.sees_screen, sound=self._sound.hear is not None)
        return self._game

    def _begin(
        self,
        game: Game,
        seed: int,
        limit: TakeLimit,
        steps_hz: float,
        companion: Companion | None,
        fork: Fork | None,
    ) -> LiveRecording:
        return LiveRecording(
            game,
            self._keys,
            self._library,
            seed=seed,
            key_names=self._key_choice.key_names,
            limit=limit,
            steps_hz=0.0 if companion is not None else steps_hz,  # a twin plays in real time
            companion=companion,
            fork=fork,
            before_tick=self._controls.poll,
            hear=self._sound.hear if game.spec.frame_skip in (None, 1) else None,  # only of each tick's last frame
            now=self._now,
        )
