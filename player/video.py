"""MP4 files that ordinary players open: H.264, yuv420p. The only door to PyAV.

    Duel ──tick──▶ compose ──RGB──▶ encoder ──▶ .name.part.mp4 ──os.replace──▶ name.mp4

A film that fails or is stopped leaves nothing behind, and an older file of that name as it was.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from player.compose import compose
from player.duel import Duel
from recorder.errors import TwinplayError

_MAX_FPS = 30.0  # both environments tick faster; every second or fifth tick still shows every movement
_QUALITY = "20"  # x264's CRF: flat game screens look lossless and stay small


class VideoError(TwinplayError):
    """A film cannot be written."""


@dataclass(frozen=True)
class FilmProgress:
    """How far a film is: ticks shown, pictures written and, where the end is known, the fraction done."""

    ticks: int
    pictures: int
    fraction: float | None
    path: Path | None = None  # set in the last one, once the file is complete


def writing(frames: Iterable[npt.NDArray[np.uint8]], path: Path | str, fps: float | Fraction) -> Iterator[int]:
    """Write RGB pictures, uint8 (height, width, 3) of one even size, as an MP4; yields the pictures written so far.

    The file appears under its name once it is complete. Raises VideoError when the folder is missing or not writable,
    when there is no picture, and when the disk is full.
    """
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise VideoError(f"{path}: a video is written as MP4; choose a name that ends in .mp4")
    if not path.parent.is_dir():
        raise VideoError(f"{path.parent} is not a folder; create it, or choose another place for the video")
    if path.is_dir():
        raise VideoError(f"{path} is a folder; choose another name for the video")
    part = path.with_name(f".{path.stem}.{os.getpid()}.part.mp4")
    count = 0
    try:
        try:
            part.touch()
            with av.open(str(part), "w", options={"movflags": "faststart"}) as container:
                stream: av.VideoStream | None = None
                for picture in frames:
                    if stream is None:
                        stream = _stream(container, picture, fps)
                    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                    container.mux(stream.encode(frame))
                    count += 1
                    yield count
                if stream is None:
                    raise VideoError(f"{path}: there is no picture to write")
                container.mux(stream.encode())
            os.replace(part, path)
        except OSError as error:  # PyAV's own errors are OSErrors too
            raise VideoError(f"{path} cannot be written: {error.strerror or error}; choose another folder") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def write_video(frames: Iterable[npt.NDArray[np.uint8]], path: Path | str, fps: float | Fraction) -> int:
    """Write all pictures and return their number; see `writing`."""
    *_, count = writing(frames, path, fps)
    return count


def _stream(
    container: av.container.OutputContainer, picture: npt.NDArray[np.uint8], fps: float | Fraction
) -> av.VideoStream:
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        raise ValueError(f"H.264 in yuv420p needs even sides, not {width} x {height}")
    stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.options = {"preset": "veryfast", "crf": _QUALITY}
    return stream


def film(
    duel: Duel, path: Path | str, *, ticks_per_picture: int | None = None, seconds: float | None = None
) -> Iterator[FilmProgress]:
    """Film a duel from its start to its end, or for so many `seconds` of play, at true speed.

    By default every second tick of Breakout is a picture (30 a second) and every fifth of Hopper (25 a second), which
    MuJoCo draws slowly without a GPU. Yields a FilmProgress per picture; closing the generator leaves no file.
    """
    rate = duel.spec.rate_hz
    every = ticks_per_picture or max(1, int(np.ceil(rate / _MAX_FPS)))
    limit = None if seconds is None else max(1, round(seconds * rate))
    latest = duel.restart()

    def pictures() -> Iterator[npt.NDArray[np.uint8]]:
        nonlocal latest
        yield compose(latest)
        while not latest.done and (limit is None or latest.tick < limit):
            latest = duel.tick(every if limit is None else min(every, limit - latest.tick))
            yield compose(latest)
        for _ in range(round(2 * rate / every) if latest.done else 0):  # time to read the result
            yield compose(latest)

    count = 0
    for count in writing(pictures(), path, Fraction(rate).limit_denominator(1001) / every):
        yield FilmProgress(latest.tick, count, _fraction(duel, latest.tick, limit))
    yield FilmProgress(latest.tick, count, 1.0, Path(path))


def _fraction(duel: Duel, tick: int, limit: int | None) -> float | None:
    """Only a limit is certain; a clone may outlive the recording, so the recording's length is a lower bound."""
    if limit is not None:
        return min(1.0, tick / limit)
    replay = duel.replay_ticks
    if replay is None or tick > replay:
        return None
    return tick / replay
