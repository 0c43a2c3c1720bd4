"""Gymnasium's MuJoCo environments: vectors or pictures, stored together with the physics state."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from recorder.envs.backend import Array
from recorder.envs.gymnasium import Env, GymnasiumBackend
from recorder.envs.spec import EnvSpec
from recorder.errors import SessionError, SystemLibraryError, TwinplayError
from recorder.system.logfile import LOG

_RENDER_SIZE = 400  # without a GPU it is drawn in software; this size keeps that fast enough


class MujocoBackend(GymnasiumBackend):
    """A state is the physics with its warm start, so that the game continues bit for bit the same."""

    def __init__(self, spec: EnvSpec, *, render: bool, sound: bool, fresh: bool) -> None:
        with _drawing_errors():
            super().__init__(spec, render=render, sound=sound, fresh=fresh)
            import mujoco  # reads MUJOCO_GL, which `build` may set and which may be wrong
        self._mujoco: Any = mujoco
        self._kind = int(mujoco.mjtState.mjSTATE_FULLPHYSICS) | int(mujoco.mjtState.mjSTATE_WARMSTART)
        self._started = False

    def build(self, render: bool) -> Env:
        """Create the environment; if it is drawn, the camera follows."""
        if not (render or self._draws):
            log_warnings()
            return gymnasium.make(self.spec.env_id, disable_env_checker=True, **self.spec.kwargs)
        if sys.platform.startswith("linux"):
            os.environ.setdefault("MUJOCO_GL", "egl")  # draws with and without a screen
            if os.environ["MUJOCO_GL"] in ("egl", "osmesa"):
                os.environ["PYOPENGL_PLATFORM"] = os.environ["MUJOCO_GL"]  # otherwise MuJoCo fails with a traceback
            else:
                warnings.filterwarnings("ignore", module="glfw")  # it then fails with the same message
        log_warnings()
        height, width = self.spec.observation_shape[:2] if self._draws else (_RENDER_SIZE, _RENDER_SIZE)
        env: Env = gymnasium.make(
            self.spec.env_id,
            disable_env_checker=True,
            render_mode="rgb_array",
            width=width,
            height=height,
            camera_name="track",  # the default camera stays where the game started
            **self.spec.kwargs,
        )
        # Drawn in software, shadows and anti-aliasing take six sevenths of the time; the floor's reflection shows a
        # landing as well as a shadow does. Neither changes the physics.
        core: Any = env.unwrapped
        core.model.light_castshadow[:] = 0
        core.model.vis.quality.offsamples = 0
        return env

    def reset(self, seed: int) -> Array:
        """See Backend."""
        self._started = True
        return super().reset(seed)

    @property
    def state_size(self) -> int:
        """See Backend."""
        return int(self._mujoco.mj_stateSize(self._core.model, self._kind))

    def state(self) -> npt.NDArray[np.float64]:
        """See Backend."""
        state = np.empty(self.state_size, np.float64)
        self._mujoco.mj_getState(self._core.model, self._core.data, state, self._kind)
        return state

    def restore(self, state: Array) -> None:
        """See Backend. Raises SessionError for a state that does not fit."""
        if state.shape != (self.state_size,):
            raise SessionError(f"a stored state has {state.shape[0]} numbers, expected {self.state_size}")
        if not self._started:
            self.reset(0)
        self._mujoco.mj_setState(self._core.model, self._core.data, np.ascontiguousarray(state, np.float64), self._kind)
        warmstart = self._core.data.qacc_warmstart.copy()
        self._mujoco.mj_forward(self._core.model, self._core.data)  # so that pictures show the restored pose
        self._core.data.qacc_warmstart[:] = warmstart
        self._seen = None

    def snapshot(self) -> Any:
        """The state."""
        return self.state()

    def go_back(self, snapshot: Any) -> None:
        """See Backend."""
        self.restore(snapshot)

    def capture(self, observation: Array, rows: Mapping[str, Array], index: int) -> None:
        """See Backend."""
        super().capture(observation, rows, index)
        self._mujoco.mj_getState(self._core.model, self._core.data, rows["state"][index], self._kind)

    def _drawn(self) -> npt.NDArray[np.uint8]:
        """See GymnasiumBackend."""
        with _drawing_errors():
            return super()._drawn()


def log_warnings() -> None:
    """Let MuJoCo's warnings go to Twinplay's log. Otherwise it writes a file into the folder that one is in."""
    import mujoco

    mujoco.set_mju_user_warning(LOG.info)


@contextlib.contextmanager
def _drawing_errors() -> Iterator[None]:
    """Turn the various errors of a missing OpenGL or EGL library into one sentence."""
    try:
        yield
    except (gymnasium.error.Error, TwinplayError):
        raise
    except Exception as error:  # PyOpenGL raises AttributeError, ImportError, RuntimeError or its own exceptions
        text = f"{type(error).__name__}: {error}"
        if "MUJOCO_GL" in text:
            raise SystemLibraryError(
                f"MUJOCO_GL={os.environ.get('MUJOCO_GL')} is not supported; set it to egl, osmesa or glfw, or unset it"
            ) from None
        if not any(word in text for word in ("EGL", "OpenGL", "GLContext", "glGetError", "glfw", "osmesa", "OSMesa")):
            raise
        asked = os.environ.get("MUJOCO_GL", "egl")
        if asked != "egl":
            needs = "its library is missing" if asked == "osmesa" else "there is no screen, or its library is missing"
            raise SystemLibraryError(
                f"MuJoCo cannot draw with MUJOCO_GL={asked}: {needs}; set it to egl, or unset it"
            ) from error
        raise SystemLibraryError(
            "MuJoCo cannot draw here because EGL is missing; install it with: sudo apt-get install libegl1 libgl1"
        ) from error
