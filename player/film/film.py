"""A duel, or a part of it, exported as MP4 or GIF.

Duel ──tick──▶ compose ──▶ player.film.mp4 or player.film.gif, by the file's suffix
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from player.film.compose import compose
from player.film.gif import writing_gif
from player.film.mp4 import VideoError, writing
from player.watch.duel import Duel
from recorder.errors import UsageError
from recorder.system.texts import duration_text

SUFFIXES = (".mp4", ".gif")
# Both environments tick faster; every second or fifth tick still shows every movement. GIF counts in hundredths of a
# second: a fifth of Hopper's ticks are 25 a second, a third of Breakout's 20, both exactly.
_MAX_FPS = {".mp4": 30.0, ".gif": 25.0}
_SKIP_TICKS = 30
_EPILOGUE_S = 2  # time to read the result


@dataclass(frozen=True)
class FilmProgress:
    """Progress of an export: ticks shown, frames written and, if the end is known, the fraction done."""

    ticks: int
    pictures: int
    fraction: float | None
    path: Path | None = None  # set in the last one, once the file is complete
    verdict: str = ""


def film(
    duel: Duel,
    path: Path | str,
    *,
    ticks_per_picture: int | None = None,
    start: float = 0.0,
    seconds: float | None = None,
) -> Generator[FilmProgress, None, None]:
    """Export a duel from `start` (seconds of play) to its end, or for `seconds`, at its real speed.

    By default a frame shows every second tick of Breakout (30 per second) and every fifth of Hopper (25 per second),
    which MuJoCo draws slowly without a GPU; a GIF has 20 or 25 per second. Yields a FilmProgress per frame; closing the
    generator early leaves no file. Raises VideoError for a name that ends in neither .mp4 nor .gif and for a place that
    cannot be written, and UsageError if the games end before `start`.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise VideoError(f"{path}: a video is MP4 or GIF; choose a name that ends in .mp4 or .gif")
    rate = duel.spec.rate_hz
    every = ticks_per_picture or max(1, int(np.ceil(rate / _MAX_FPS[suffix])))
    first = round(start * rate)
    limit = None if seconds is None else first + max(1, round(seconds * rate))
    latest = duel.restart()
    while latest.tick < first and not latest.done:
        latest = duel.tick(min(_SKIP_TICKS, first - latest.tick))
        yield FilmProgress(latest.tick, 0, _fraction(duel, latest.tick, limit))
    if latest.tick < first:
        raise UsageError(f"the games end at {duration_text(latest.seconds)}; start the video earlier")

    def pictures() -> Iterator[npt.NDArray[np.uint8]]:
        nonlocal latest
        yield compose(latest)
        while not latest.done and (limit is None or latest.tick < limit):
            latest = duel.tick(every if limit is None else min(every, limit - latest.tick))
            yield compose(latest)
        for _ in range(round(_EPILOGUE_S * rate / every) if latest.done else 0):
            yield compose(latest)

    count = 0
    write = writing if suffix == ".mp4" else writing_gif
    with contextlib.closing(write(pictures(), path, Fraction(rate).limit_denominator(1001) / every)) as counts:
        for count in counts:
            yield FilmProgress(latest.tick, count, _fraction(duel, latest.tick, limit))
    yield FilmProgress(latest.tick, count, 1.0, path, latest.verdict)


def filming(
    path: str,
    session: str | None,
    policy: str | None,
    *,
    against: str | None = None,
    game: int | None = None,
    seed: int = 0,
    alike: bool = False,
    start: float = 0.0,
    seconds: float | None = None,
) -> Generator[FilmProgress, None, None]:
    """Open a duel and export it; see `Duel` and `film`."""
    with (
        Duel(session, policy, against=against, game=game, seed=seed, alike=alike) as duel,
        contextlib.closing(film(duel, path, start=start, seconds=seconds)) as steps,
    ):
        yield from steps


def _fraction(duel: Duel, tick: int, limit: int | None) -> float | None:
    """Known only if a time limit is set; a clone may play longer than the recording."""
    if limit is not None:
        return min(1.0, tick / limit)
    replay = duel.replay_ticks
    if replay is None or tick > replay:
        return None
    return tick / replay
