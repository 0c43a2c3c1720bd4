"""Encodes rows as the bytes of a chunk, and names its file."""

from __future__ import annotations

from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt
from numcodecs.zstd import Zstd

from recorder.store.untrusted import unpacked_size

Array = npt.NDArray[Any]

# zstd's own default takes 7 µs a screen. Levels up to 12 gain little; 17, which has an optimal parser, halves the size
# and takes 0.27 ms a screen (half an hour of a scripted player: 33.3 and 14.6 bytes a screen; level 22: 13.5 bytes in
# 0.69 ms). Both are read at the same speed.
# RGB of a rendered scene takes 2.5 ms a screen at level 17, for 8 % less than at level 9 (tests.benchmarks.pictures).
ZSTD_LEVEL, THOROUGH_LEVEL, RGB_THOROUGH_LEVEL = 3, 17, 9
_CHECKSUM_BYTES = 4


class ChunkCodec:
    """Packs rows as zarr would by the arrays' metadata: a zstd frame and its CRC-32C, little-endian."""

    def __init__(self, thorough_level: int = THOROUGH_LEVEL) -> None:
        self._zstd, self._thorough = Zstd(level=ZSTD_LEVEL), Zstd(level=thorough_level)

    def encode(self, rows: Array, *, thorough: bool = False) -> bytes:
        """The bytes of a chunk; `rows` are contiguous, little-endian, and transposed if the array is.

        `thorough` encoding takes five to forty times as long and may halve the size.
        """
        frame: bytes = (self._thorough if thorough else self._zstd).encode(rows)
        checksum: int = google_crc32c.value(frame)
        return frame + checksum.to_bytes(_CHECKSUM_BYTES, "little")

    def unpack(self, chunk: bytes, memory: npt.NDArray[np.uint8]) -> None:
        """Fill `memory` with the bytes that a chunk holds. Raises ValueError or RuntimeError if it is damaged."""
        frame, checksum = chunk[:-_CHECKSUM_BYTES], chunk[-_CHECKSUM_BYTES:]
        if google_crc32c.value(frame) != int.from_bytes(checksum, "little"):
            raise ValueError("its checksum differs")
        if unpacked_size(frame) != len(memory):
            raise ValueError(f"it unpacks to {unpacked_size(frame)} bytes, expected {len(memory)}")
        self._zstd.decode(frame, memory)

    def decode(self, chunk: bytes, dtype: np.dtype[Any]) -> Array:
        """The scalars of a chunk that this program wrote, (n,) of `dtype`; the checksum is not checked."""
        return np.frombuffer(self._zstd.decode(chunk[:-_CHECKSUM_BYTES]), dtype).copy()


def chunk_key(name: str, index: int, axes: int) -> str:
    """The file of chunk `index` of complete rows, relative to the session, of an array with so many axes."""
    return f"{name}/c.{index}{'.0' * (axes - 1)}"
