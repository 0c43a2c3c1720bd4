"""The timing of a session: when its ticks were due, and when they happened.

    due_ns     ┊      ┊      ┊      ┊ (pause) ┊      ┊      when each tick was due
    time_ns    ●       ●     ●      ●          ●     ●      when its action was chosen; the difference is its lateness

An interval counts only if the clock ran between its two ticks, at full speed: pauses, gaps between games and slow
motion are not jitter.
"""

from __future__ import annotations

from collections import deque
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta
from msgspec.structs import asdict

from recorder.play.clock import LATE_NS
from recorder.system.records import read, said
from recorder.system.texts import count

FULL_SPEED = 100
_Figure = Annotated[float, Meta(ge=-1e300, le=1e300)]  # so a finite one
_BREAK = 1.5  # periods between a tick and the next one's deadline: more than that, and the clock was started anew


class Timing(msgspec.Struct, frozen=True):
    """How evenly a session was played; the intervals are those between ticks."""

    rate_hz: Annotated[_Figure, said("ticks a second")]
    p50_ms: Annotated[_Figure, said("median interval")]
    p99_ms: Annotated[_Figure, said("99th percentile of the intervals")]
    max_ms: Annotated[_Figure, said("longest interval")]
    ticks: Annotated[int, said("ticks that were paced by a clock")]
    late_ticks: Annotated[int, said("those of them that came more than 8 ms late")]
    slow_ticks: Annotated[int, said("ticks that were played in slow motion")]
    single_ticks: Annotated[int, said("ticks that were played one at a time")]

    def __str__(self) -> str:
        return f"{self.pace}, longest interval {self.max_ms:.0f} ms" if self.rate_hz else self.pace

    @property
    def pace(self) -> str:
        """The rate, unless all was slow motion, and the late ticks."""
        late = count(self.late_ticks, "late tick")
        return f"{self.rate_hz:.2f} Hz, {late}" if self.rate_hz else late

    @classmethod
    def from_json(cls, values: Any) -> Timing | None:
        """The inverse of `to_json`, and None of None. Raises ValueError for anything else."""
        return None if values is None else read(cls, values)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def measure(
    time_ns: npt.NDArray[np.int64], due_ns: npt.NDArray[np.int64], speed: npt.NDArray[np.uint8], rate_hz: float
) -> Timing | None:
    """The timing of ticks (T,), from the times when they were played and due, and their speeds in percent.

    None if no tick was paced by a clock.
    """
    paced = speed > 0
    if not paced.any():
        return None
    full = speed == FULL_SPEED
    ran_on = due_ns[1:] - np.maximum(time_ns[:-1], due_ns[:-1]) <= _BREAK * 1e9 / rate_hz
    intervals = np.diff(time_ns)[full[1:] & full[:-1] & ran_on] / 1e6
    if not len(intervals):
        intervals = np.zeros(1)
    total_s = float(intervals.sum()) / 1e3
    return Timing(
        rate_hz=len(intervals) / total_s if total_s else 0.0,
        p50_ms=float(np.percentile(intervals, 50)),
        p99_ms=float(np.percentile(intervals, 99)),
        max_ms=float(intervals.max()),
        ticks=int(paced.sum()),
        late_ticks=int(((time_ns - due_ns > LATE_NS) & paced).sum()),
        slow_ticks=int((paced & ~full).sum()),
        single_ticks=int((~paced).sum()),
    )


class Tempo:
    """The current rates per second of two counters that only grow."""

    _WINDOW_NS = 2_000_000_000

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int, int]] = deque()

    def clear(self) -> None:
        """Forget earlier counts: the clock was paused."""
        self._seen.clear()

    def add(self, now_ns: int, one: int, other: int) -> tuple[float, float]:
        """Add both counts at this time; returns the growth of each per second, over the last two seconds."""
        self._seen.append((now_ns, one, other))
        while now_ns - self._seen[0][0] > self._WINDOW_NS:
            self._seen.popleft()
        then_ns, first, second = self._seen[0]
        seconds = (now_ns - then_ns) * 1e-9
        return ((one - first) / seconds, (other - second) / seconds) if seconds else (0.0, 0.0)
