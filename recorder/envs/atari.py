"""The Atari 2600, as the Arcade Learning Environment emulates it (Bellemare et al. 2013)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ale_py
import ale_py.roms
import gymnasium
import numpy as np
import numpy.typing as npt

from recorder.envs.backend import Array
from recorder.envs.gymnasium import Env, GymnasiumBackend
from recorder.envs.spec import EnvSpec
from recorder.errors import UnknownEnvError


def rom_sha256(spec: EnvSpec) -> str:
    """The digest of the game's ROM, as hex. Raises UnknownEnvError where there is no such game."""
    gymnasium.register_envs(ale_py)
    try:
        rom = gymnasium.spec(spec.env_id).kwargs["game"]
    except (gymnasium.error.Error, KeyError) as error:
        raise UnknownEnvError(f"{spec.env_id} is not a game of the Arcade Learning Environment: {error}") from None
    return hashlib.sha256(Path(str(ale_py.roms.get_rom_path(rom))).read_bytes()).hexdigest()


class AtariBackend(GymnasiumBackend):
    """Screens as palette indices, the console's memory, its sound."""

    def __init__(self, spec: EnvSpec, *, render: bool, sound: bool) -> None:
        self._with_sound = sound
        super().__init__(spec, render=render, sound=sound)
        self._core.sound_obs = False  # which would change the observations

    def build(self, render: bool) -> Env:
        """The emulator always draws, whatever `render` is, and must know of the sound before it loads its ROM."""
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        gymnasium.register_envs(ale_py)
        kwargs = {**self.spec.kwargs, "sound_obs": self._with_sound}
        return gymnasium.make(self.spec.env_id, disable_env_checker=True, **kwargs)

    def reset(self, seed: int) -> Array:
        """See Backend."""
        if self.spec.kwargs.get("repeat_action_probability"):
            observation, _ = self.env.reset(seed=seed)
        else:
            # The emulator uses no randomness, and seeding makes it load its ROM again, which takes 70 ms.
            self._core.np_random = np.random.default_rng(seed)
            observation, _ = self.env.reset()
        return np.asarray(observation)

    def play(self, action: int) -> None:
        """Twice as fast as `step`."""
        self._core.ale.act(self._core._action_set[action])

    def close(self) -> None:
        """See Backend. Whatever still refers to the environment, the emulator is freed: ale-py reports one that is left
        when the process ends.
        """
        super().close()
        self._core.ale = None

    @property
    def lives(self) -> int:
        """See Backend."""
        return int(self._core.ale.lives())

    def snapshot(self) -> Any:
        """The emulator's state. Raises MemoryError."""
        try:
            return self._core.clone_state(include_rng=True)
        except SystemError as error:  # the emulator's own error has no Python name
            raise MemoryError from error

    def go_back(self, snapshot: Any) -> None:
        """See Backend. The emulator draws no screen before the next step (openai/gym#575)."""
        self._core.restore_state(snapshot)

    def capture(self, observation: Array, rows: Mapping[str, Array], index: int) -> None:
        """See Backend."""
        self._core.ale.getScreen(rows["screen"][index])

    def picture(self) -> npt.NDArray[np.uint8]:
        """See Backend."""
        return np.asarray(self._core.ale.getScreenRGB())

    def memory(self) -> npt.NDArray[np.uint8] | None:
        """All 128 bytes."""
        return np.array(self._core.ale.getRAM(), np.uint8)

    def sound(self) -> npt.NDArray[np.uint8]:
        """See Backend; uint8 (512,)."""
        return np.asarray(self._core.ale.getAudio())
