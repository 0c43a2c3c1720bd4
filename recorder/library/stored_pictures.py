"""Small pictures in files: a shape that fits a screen, written as a whole, and read with suspicion."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from recorder.system.files import replacing

Picture = npt.NDArray[np.uint8]
_MAX_FILE = 100_000


def shrink(picture: Picture, pixel_aspect: float, size: tuple[int, int]) -> Picture:
    """The whole picture in the middle of `size` (width, height), on black."""
    height, width = picture.shape[:2]
    wide = (pixel_aspect or 1.0) * width
    scale = min(size[0] / wide, size[1] / height)
    shown = (max(1, round(wide * scale)), max(1, round(height * scale)))
    small = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = (size[0] - shown[0]) // 2, (size[1] - shown[1]) // 2
    small[top : top + shown[1], left : left + shown[0]] = cv2.resize(picture, shown, interpolation=cv2.INTER_AREA)
    return small


def read_picture(file: Path, size: tuple[int, int]) -> Picture | None:
    """The picture of that size in a PNG file, uint8 RGB (height, width, 3); None if there is no such picture."""
    with contextlib.suppress(OSError, cv2.error):
        found = file.lstat()
        if stat.S_ISREG(found.st_mode) and 0 < found.st_size <= _MAX_FILE:
            picture = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
            if picture is not None and picture.shape == (size[1], size[0], 3):
                return np.ascontiguousarray(picture[:, :, ::-1], np.uint8)
    return None


def write_picture(file: Path, picture: Picture) -> None:
    """Store a picture as a PNG file; failures are ignored."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as part:
            part.write_bytes(cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes())
