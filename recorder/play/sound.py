"""Plays the game's own sound through pygame's mixer. Without a sound card it is silent; nothing else changes.

emulator ─▶ 512 samples a tick ─▶ blocks of three ticks ─▶ one block plays, the next one waits behind it
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.system.jobs import start_thread

SAMPLES = 512  # of one tick
_RATE_HZ = 60 * SAMPLES
_SILENCE = 128  # the emulator's samples are unsigned bytes around this
_BLOCK = 3 * SAMPLES  # 50 ms: long enough for a late tick, short enough to seem simultaneous with the picture
_MOST = 4 * _BLOCK
_CARDS = Path("/proc/asound/cards")


class Speaker:
    """Opens the sound card on the first `open`; until it is open, or without a card, nothing is heard."""

    def __init__(self) -> None:
        self.muted = False
        self.missing = False  # no card could be opened
        self._mixer: Any = None
        self._channel: Any = None
        self._waiting = bytearray()
        self._opening: Any = None

    def open(self) -> None:
        """Start opening the sound card in the background; this may take a while."""
        if self._opening is None:
            self._opening = start_thread(self._open, "open-sound")

    def play(self, samples: npt.NDArray[np.uint8]) -> None:
        """The sound of one tick, uint8 (512,), at 60 ticks a second."""
        if self._channel is None or self.muted:
            self._waiting.clear()
            return
        self._waiting += samples.tobytes()
        if len(self._waiting) > _MOST:  # the card is slower than the game: drop old sound
            del self._waiting[:-_BLOCK]
        if len(self._waiting) >= _BLOCK and self._channel.get_queue() is None:
            block = self._mixer.Sound(buffer=bytes(self._waiting))
            self._waiting.clear()
            self._channel.queue(block)  # plays at once if nothing is playing

    def play_now(self, samples: npt.NDArray[np.uint8]) -> None:
        """A sound of any length, uint8 (n,), in the place of what was to be heard."""
        self.silence()
        if self._channel is not None and not self.muted:
            self._channel.play(self._mixer.Sound(buffer=samples.tobytes()))

    def silence(self) -> None:
        """Stop the sound: the game is paused."""
        self._waiting.clear()
        if self._channel is not None:
            self._channel.stop()

    def close(self) -> None:
        """Release the sound card."""
        if self._opening is not None:
            self._opening.join()
        if self._mixer is not None:
            self._channel = None
            self._mixer.quit()
        self._mixer = self._opening = None

    def _open(self) -> None:
        if not _has_card():
            self.missing = True
            return
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        import pygame

        try:
            pygame.mixer.init(_RATE_HZ, size=8, channels=1, buffer=SAMPLES, allowedchanges=0)
        except pygame.error:
            self.missing = True
            return
        self._mixer = pygame.mixer
        self._channel = pygame.mixer.Channel(0)


def gliding_tone(first_hz: float, last_hz: float, *, seconds: float) -> npt.NDArray[np.uint8]:
    """Samples of a tone that glides from one frequency to another and fades, uint8 (n,)."""
    time = np.arange(round(seconds * _RATE_HZ)) / _RATE_HZ
    phase = 2 * np.pi * (first_hz * time + (last_hz - first_hz) * np.square(time) / (2 * seconds))
    return (_SILENCE + 40 * np.sin(phase) * (1 - time / seconds)).astype(np.uint8)


def _has_card() -> bool:
    """Whether to try: without a card and a sound server, ALSA prints many complaints on the terminal."""
    if not sys.platform.startswith("linux") or os.environ.get("SDL_AUDIODRIVER") or os.environ.get("PULSE_SERVER"):
        return True
    servers = [
        Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")) / name for name in ("pulse/native", "pipewire-0")
    ]
    return _CARDS.exists() or any(server.exists() for server in servers)
