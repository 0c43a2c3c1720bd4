"""Checks of a stranger's session before anything in it is unpacked.

zarr.json   ≤ 4 MB           a chunk   ≤ 64 MB, and its zstd frame says that it unpacks to no more than that
"""

from __future__ import annotations

METADATA = "zarr.json"
MAX_METADATA_BYTES = 4 << 20
MAX_CHUNK_BYTES = 64 << 20
FRAME_HEADER_BYTES = 18  # of zstd, at most


class StoreError(Exception):
    """A group or array is invalid; the message says how, without the path."""


def check_size(key: str, size: int) -> None:
    """Raise StoreError for a file of a session that is too large for its kind."""
    if key.rpartition("/")[2] == METADATA:
        if size > MAX_METADATA_BYTES:
            raise StoreError(f"'{key}' has {size:,} bytes, more than any session needs")
    elif size > MAX_CHUNK_BYTES:
        raise StoreError(f"the chunk '{key}' has {size:,} bytes, more than any chunk needs")


def check_frame(key: str, begin: bytes) -> None:
    """Raise StoreError if a chunk, by its first bytes `begin`, would unpack to too much or to an unknown size."""
    size = unpacked_size(begin[:FRAME_HEADER_BYTES])
    if size is None or size > MAX_CHUNK_BYTES:
        raise StoreError(f"the chunk '{key}' is damaged (its unpacked size is missing or too large)")


def unpacked_size(frame: bytes) -> int | None:
    """The content size that the header of a zstd frame declares (RFC 8878, section 3.1.1), or None."""
    if len(frame) < 6 or frame[:4] != b"\x28\xb5\x2f\xfd":
        return None
    descriptor = frame[4]
    single_segment = descriptor >> 5 & 1
    width = (single_segment, 2, 4, 8)[descriptor >> 6]
    start = 5 + (1 - single_segment) + (0, 1, 2, 4)[descriptor & 3]
    if not width or len(frame) < start + width:
        return None
    return int.from_bytes(frame[start : start + width], "little") + (256 if width == 2 else 0)
