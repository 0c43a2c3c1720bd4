"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import datetime


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, like "1 game" or "1,200 ticks"; a `plural` is only needed if it is not just an s more."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def clock(seconds: float) -> str:
    """Minutes and seconds with a tenth, like "1:05.3"."""
    minutes, tenths = divmod(round(10 * seconds), 600)
    return f"{minutes}:{tenths // 10:02d}.{tenths % 10}"


def duration_text(seconds: float) -> str:
    """A length of play as "m:ss"."""
    whole = int(seconds + 1e-6)  # a second's frames may add up to a little less
    return f"{whole // 60}:{whole % 60:02d}"


def local_time(created: str, form: str = "%Y-%m-%d %H:%M") -> str:
    """A stored time (ISO 8601, UTC) as local time; any other text is shortened and returned."""
    try:
        return f"{datetime.fromisoformat(created).astimezone():{form}}"
    except (ValueError, OverflowError, OSError):
        return created[:16]
