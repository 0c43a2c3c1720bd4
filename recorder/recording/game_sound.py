"""The sound of the game while it is played."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from recorder.play.sound import Speaker, gliding_tone

_FALLING = gliding_tone(880.0, 330.0, seconds=0.15)
_TAKEN_OVER = gliding_tone(660.0, 990.0, seconds=0.08)
_HANDED_BACK = gliding_tone(660.0, 440.0, seconds=0.08)


class GameSound:
    """Plays the sound through `speaker`, if there is one."""

    def __init__(self, speaker: Speaker | None) -> None:
        self._speaker = speaker

    @property
    def hear(self) -> Callable[[npt.NDArray[np.uint8]], None] | None:
        """Plays the sound of a tick; None if there is no speaker."""
        return None if self._speaker is None else self._speaker.play

    @property
    def available(self) -> bool:
        """Whether sound can be played, as far as known."""
        return self._speaker is not None and not self._speaker.missing

    @property
    def muted(self) -> bool:
        """Whether the sound is off."""
        return self._speaker is None or self._speaker.muted

    def mute(self, muted: bool) -> None:
        """Turn the sound off, or on."""
        if self._speaker is not None:
            self._speaker.muted = muted
            self._speaker.silence()

    def toggle(self) -> None:
        """Turn the sound off if it is on, and on if it is off."""
        self.mute(not self.muted)

    def open(self) -> None:
        """A take starts: open the sound card."""
        if self._speaker is not None:
            self._speaker.open()

    def tell_rewind(self) -> None:
        """A short falling tone: the game went back."""
        if self._speaker is not None:
            self._speaker.play_now(_FALLING)

    def tell_control(self, person: bool) -> None:
        """A short tone: rising if the person plays from now on, falling if the twin does."""
        if self._speaker is not None:
            self._speaker.play_now(_TAKEN_OVER if person else _HANDED_BACK)

    def silence(self) -> None:
        """Drop the sound that was not played yet."""
        if self._speaker is not None:
            self._speaker.silence()

    def close(self) -> None:
        """Close the sound card."""
        if self._speaker is not None:
            self._speaker.close()
            self._speaker = None
