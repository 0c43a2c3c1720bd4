"""Whether things blink in recordings: are drawn on every other screen, as the console does if there are many.

    screens of four neighbouring ticks ──▶ pixels that come, go, come and go ──▶ often: two screens are pooled

Of Space Invaders' screens one shows the bombs, and the next one the shot. A network that sees single screens then looks
for things that are not there (trainer.policy.preprocess).
"""

from __future__ import annotations

from collections.abc import Sequence

from recorder.store.session import Session
from trainer.config import TrainConfig
from trainer.data.playfield import stretches

_PIXELS = 2  # of a screen that blink
_OFTEN = 0.25  # of the screens: at most 0.02 in Breakout and Pong, 0.31 to 0.99 in eight other games


def pooling(config: TrainConfig, sessions: Sequence[Session]) -> TrainConfig:
    """`config` with two screens pooled, where it does not say how many and things blink."""
    spec = sessions[0].spec
    if config.pooled_screens or not spec.sees_screen or spec.colours == "rgb":
        return config
    return config.with_changes(pooled_screens=2) if blinks(config, sessions) else config


def blinks(config: TrainConfig, sessions: Sequence[Session]) -> bool:
    """Whether something blinks on a good part of the screens, in the rows that are seen. Reads about 2,000 screens."""
    blinking = shown = 0
    for _, _, whole in stretches(sessions):
        screens = whole[:, slice(*config.crop)]
        back = screens[2:] == screens[:-2]
        moved = screens[1:] != screens[:-1]
        pixels = (back[1:] & back[:-1] & moved[2:]).sum(axis=(1, 2))
        blinking, shown = blinking + int((pixels >= _PIXELS).sum()), shown + len(pixels)
    return blinking >= _OFTEN * max(1, shown)
