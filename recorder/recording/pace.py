"""How a take runs: in real time, or step by step, when the game waits for a key (Zhang et al. 2020, "Atari-HEAD").

Step by step, the game stands still until something is held. A key that stays held then plays so many ticks a second.
"""

from __future__ import annotations

from recorder.recording.settings import RecordSettings

STEP_RATES = (5.0, 10.0, 15.0, 30.0)  # ticks a second while a key is held


class PaceChoice:
    """The pace of the takes to come, which `settings` keep. `steps_hz` is one of STEP_RATES, or 0 for real time."""

    def __init__(self, settings: RecordSettings) -> None:
        self._settings = settings
        kept = {f"{rate:g}": rate for rate in STEP_RATES}
        self.steps_hz = kept.get(settings.steps, 0.0)

    def choose(self, steps_hz: float) -> None:
        """Play at this pace from the next take on. Raises ValueError for any other rate."""
        if steps_hz and steps_hz not in STEP_RATES:
            raise ValueError(
                f"{steps_hz:g} steps a second; choose one of {', '.join(f'{each:g}' for each in STEP_RATES)}"
            )
        self.steps_hz = steps_hz
        self._settings.steps = f"{steps_hz:g}" if steps_hz else ""
