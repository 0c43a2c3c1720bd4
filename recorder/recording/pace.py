"""How a take runs: in real time, or step by step, when the game waits for a key (Zhang et al. 2020, "Atari-HEAD").

Step by step, the game stands still until something is held. A key that stays held then plays so many ticks a second.
With a frame skip, a tick is several frames of the simulator, in which the same action is held (Bellemare et al. 2013).
"""

from __future__ import annotations

from recorder.envs.spec import EnvSpec
from recorder.recording.settings import RecordSettings

STEP_RATES = (5.0, 10.0, 15.0, 30.0)  # ticks a second while a key is held
FRAME_SKIPS = (1, 2, 3, 4)


class PaceChoice:
    """The pace of the takes to come, which `settings` keep.

    `steps_hz` is one of STEP_RATES, or 0 for real time. `frame_skip`, one of FRAME_SKIPS, is that of environments which
    play every frame of their simulator otherwise.
    """

    def __init__(self, settings: RecordSettings) -> None:
        self._settings = settings
        kept = {f"{rate:g}": rate for rate in STEP_RATES}
        self.steps_hz = kept.get(settings.steps, 0.0)
        self.frame_skip = {str(frames): frames for frames in FRAME_SKIPS}.get(settings.frame_skip, FRAME_SKIPS[0])
        self._paced: tuple[EnvSpec, EnvSpec] | None = None  # the last environment, as it is and at this pace

    def choose(self, steps_hz: float) -> None:
        """Play at this pace from the next take on. Raises ValueError for any other rate."""
        if steps_hz and steps_hz not in STEP_RATES:
            raise ValueError(
                f"{steps_hz:g} steps a second; choose one of {', '.join(f'{each:g}' for each in STEP_RATES)}"
            )
        self.steps_hz = steps_hz
        self._settings.steps = f"{steps_hz:g}" if steps_hz else ""

    def skip(self, frames: int) -> None:
        """Play with this frame skip from the next take on. Raises ValueError for one that is not offered."""
        if frames not in FRAME_SKIPS:
            raise ValueError(f"a frame skip of {frames}; choose one of {', '.join(map(str, FRAME_SKIPS))}")
        self.frame_skip = frames
        self._settings.frame_skip = str(frames) if frames != FRAME_SKIPS[0] else ""

    @staticmethod
    def skips(spec: EnvSpec) -> bool:
        """Whether a frame skip can be chosen for an environment."""
        return spec.frame_skip == FRAME_SKIPS[0]

    def paced(self, spec: EnvSpec) -> EnvSpec:
        """The environment as it is played at this pace."""
        if self.frame_skip == spec.frame_skip or not self.skips(spec):
            return spec
        known = self._paced
        if known is None or known[0] is not spec or known[1].frame_skip != self.frame_skip:
            self._paced = known = spec, spec.skipping(self.frame_skip)
        return known[1]
