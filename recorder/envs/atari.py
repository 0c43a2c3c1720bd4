"""The Atari 2600, as the Arcade Learning Environment emulates it (Bellemare et al. 2013)."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
from collections import deque
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

    def __init__(self, spec: EnvSpec, *, render: bool, sound: bool, fresh: bool) -> None:
        self._with_sound, self._fresh = sound, fresh
        self._kind = (spec.env_id, repr(sorted(spec.kwargs.items())), sound)
        self._open = True
        self._origin: Any = None
        super().__init__(spec, render=render, sound=sound, fresh=fresh)
        self._core.sound_obs = False  # which would change the observations

    def build(self, render: bool) -> Env:
        """The emulator always draws, whatever `render` is, and must know of the sound before it loads its ROM."""
        spare = _take_spare(self._kind) if self.spec.same_memory and not self._fresh else None
        if spare is not None:
            self._origin = spare[1]
            return spare[0]
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        gymnasium.register_envs(ale_py)
        kwargs = {**self.spec.kwargs, "sound_obs": self._with_sound}
        env: Env = gymnasium.make(self.spec.env_id, disable_env_checker=True, **kwargs)
        core: Any = env.unwrapped
        self._origin = core.ale.cloneSystemState()
        return env

    def reset(self, seed: int) -> Array:
        """See Backend."""
        if self._draws_chances:
            observation, _ = self.env.reset(seed=seed)
        else:
            # The emulator uses no randomness, and seeding makes it load its ROM again, which takes 70 ms. Each reset
            # fills the console's memory with other numbers, though, by which sixteen games play differently.
            self._core.np_random = np.random.default_rng(seed)
            if self.spec.same_memory:
                self._core.ale.restoreSystemState(self._origin)
            observation, _ = self.env.reset()
        return np.asarray(observation)

    def play(self, action: int) -> None:
        """Twice as fast as `step`."""
        for _ in range(self.spec.frame_skip or 1):
            self._core.ale.act(self._core._action_set[action])

    def close(self) -> None:
        """See Backend. The emulator is kept for another game, unless that would make it load its ROM again."""
        if not self._open:
            return
        self._open = False
        env = self.env
        del self.env, self._core  # whoever plays on would play another's game
        if self._draws_chances:
            _free(env)
        else:
            _keep_spare(self._kind, env, self._origin)

    @property
    def _draws_chances(self) -> bool:
        return bool(self.spec.kwargs.get("repeat_action_probability"))

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


# Emulators of closed games, oldest first. To load a ROM takes 90 ms, nearly all of it for a table of mixed colours that
# only flickering games need; an emulator takes 0.7 MiB.
_Kind = tuple[str, str, bool]
_MOST_SPARE = 16
_spare: deque[tuple[_Kind, Env, Any]] = deque()  # with their state when their ROM was loaded


def _take_spare(kind: _Kind) -> tuple[Env, Any] | None:
    """An emulator of this kind and its state when it had just loaded its ROM; None if there is none."""
    for entry in list(_spare):
        if entry[0] == kind:
            with contextlib.suppress(ValueError):  # another thread took it
                _spare.remove(entry)
                return entry[1:]
    return None


def _keep_spare(kind: _Kind, env: Env, origin: Any) -> None:
    _spare.append((kind, env, origin))
    while len(_spare) > _MOST_SPARE:
        _free(_spare.popleft()[1])


def _free(env: Env) -> None:
    """Free the emulator, whatever still refers to the environment: ale-py reports one that is left in the end."""
    env.close()
    core: Any = env.unwrapped
    core.ale = None


@atexit.register
def free_spare() -> None:
    """Free the emulators of closed games."""
    while _spare:
        _free(_spare.pop()[1])
