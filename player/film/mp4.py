"""MP4 files that all common players open: H.264, yuv420p, BT.709. The only module that uses PyAV.

    pictures ──RGB──▶ BT.709, limited range ──▶ encoder ──▶ .name.mp4.….part ──os.replace──▶ name.mp4

An export that fails or is stopped leaves no file behind and does not change an older file of that name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace

from recorder.errors import TwinplayError
from recorder.store.places import keep_out_of_sessions, on_this_computer, place
from recorder.system.cores import available_cores
from recorder.system.files import replacing

_QUALITY = "20"  # x264's CRF: flat game screens look lossless and stay small
_PIXELS = "yuv420p"
_BT709 = 1  # the number of its matrix, its primaries and its transfer in H.273


class VideoError(TwinplayError):
    """A video cannot be written."""


@contextlib.contextmanager
def whole_file(path: Path, suffix: str, what: str) -> Iterator[Path]:
    """Gives the path of a temporary file. It is renamed to `path` on success and removed otherwise.

    Raises VideoError if the name does not end in `suffix`, the place cannot be written or the disk is full, and
    LibraryError for a place inside a session.
    """
    if path.suffix.lower() != suffix:
        raise VideoError(f"{path}: {what}; choose a name that ends in {suffix}")
    if not path.parent.is_dir():
        raise VideoError(f"{path.parent} is not a folder; create it, or choose another place for the video")
    if path.is_dir():
        raise VideoError(f"{path} is a folder; choose another name for the video")
    keep_out_of_sessions(on_this_computer(place(path.parent)))
    try:
        with replacing(path) as part:
            yield part
    except OSError as error:  # PyAV's own errors are OSErrors too
        raise VideoError(f"{path} cannot be written: {error.strerror or error}; choose another folder") from error


def writing(
    frames: Iterable[npt.NDArray[np.uint8]], path: Path | str, fps: float | Fraction
) -> Generator[int, None, None]:
    """Write RGB frames, uint8 (height, width, 3) of one even size, as an MP4; yields the number of frames written.

    The file gets its name once it is complete. Raises VideoError when the folder is missing or not writable,
    when there are no frames, and when the disk is full.
    """
    path = Path(path)
    count = 0
    with (
        whole_file(path, ".mp4", "a video is written as MP4") as part,
        av.open(str(part), "w", format="mp4", options={"movflags": "faststart"}) as container,
    ):
        stream: av.VideoStream | None = None
        for picture in frames:
            if stream is None:
                stream = _stream(container, picture, fps)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(_for_players(frame)))
            count += 1
            yield count
        if stream is None:
            raise VideoError(f"{path}: there are no frames to write")
        container.mux(stream.encode())


def write_video(frames: Iterable[npt.NDArray[np.uint8]], path: Path | str, fps: float | Fraction) -> int:
    """Write all frames and return their number; see `writing`."""
    *_, count = writing(frames, path, fps)
    return count


def _stream(
    container: av.container.OutputContainer, picture: npt.NDArray[np.uint8], fps: float | Fraction
) -> av.VideoStream:
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        raise ValueError(f"H.264 in yuv420p needs even sides, not {width} x {height}")
    stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
    stream.width, stream.height, stream.pix_fmt = width, height, _PIXELS
    stream.options = {"preset": "veryfast", "crf": _QUALITY}
    # A player takes an untagged film of this size for BT.709, whatever its pixels are.
    told = stream.codec_context
    told.thread_count = available_cores()
    told.colorspace = told.color_primaries = told.color_trc = _BT709
    told.color_range = ColorRange.MPEG
    return stream


def _for_players(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame converted to BT.709, as `_stream` declares; the encoder's own conversion gives BT.601."""
    return frame.reformat(
        format=_PIXELS,
        src_color_range=ColorRange.JPEG,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
    )
