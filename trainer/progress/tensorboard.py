"""Curves as TensorBoard reads them: `tensorboard --logdir library/runs`.

    events.out.tfevents.…   records: length u64 │ crc u32 │ Event │ crc u32
    Event (protobuf)        1: seconds   2: step   3: "brain.Event:2"  or  5: Summary {1: {1: tag, 2: value}}

Decision: these few bytes are written here. Background: the format has not changed for ten years, and only scalars are
needed. Alternatives: torch's writer needs all of `tensorboard`; tensorboardX needs protobuf, for one message type.
"""

from __future__ import annotations

import struct
import time
from pathlib import Path
from typing import BinaryIO

import google_crc32c

_MASK = 0xA282EAD8


class EventWriter:
    """Appends scalars to a new file in `folder`; other programs can read them at once. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        began = time.time()
        number = len(list(folder.glob("events.out.tfevents.*")))
        self._file: BinaryIO = (folder / f"events.out.tfevents.{int(began):010d}.{number}").open("xb", buffering=0)
        self._write(_double(1, began) + _bytes(3, b"brain.Event:2"))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """One point of the curve `tag`."""
        entry = _bytes(1, tag.encode()) + b"\x15" + struct.pack("<f", value)
        self._write(_double(1, time.time()) + b"\x10" + _varint(step) + _bytes(5, _bytes(1, entry)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, event: bytes) -> None:
        length = struct.pack("<Q", len(event))
        self._file.write(length + _checksum(length) + event + _checksum(event))


def _checksum(data: bytes) -> bytes:
    crc = int(google_crc32c.value(data))
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def _double(field: int, value: float) -> bytes:
    return bytes([field << 3 | 1]) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(value)) + value
