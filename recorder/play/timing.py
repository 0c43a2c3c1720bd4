"""The timing of a session: when its ticks were due, and when they happened.

    due_ns     ┊      ┊      ┊      ┊ (pause) ┊      ┊      when each tick was due
    time_ns    ●       ●     ●      ●          ●     ●      when its action was chosen; the difference is its lateness

An interval counts only if the clock ran between its two ticks, at full speed: pauses, gaps between games and slow
motion are not jitter.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.play.clock import LATE_NS

FULL_SPEED = 100
_BREAK = 1.5  # periods between a tick and the next one's deadline; if longer, the clock was restarted


@dataclass(frozen=True)
class Timing:
    """`rate_hz` is in ticks a second, the intervals between ticks (median, 99th percentile, longest) in milliseconds.

    `ticks` were paced by a clock; `late_ticks` of them were more than 8 ms late. `slow_ticks` were played in slow
    motion, `single_ticks` one at a time.
    """

    rate_hz: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    ticks: int
    late_ticks: int
    slow_ticks: int
    single_ticks: int

    def __str__(self) -> str:
        late = f"{self.late_ticks:,} late tick{'' if self.late_ticks == 1 else 's'}"
        return f"{self.rate_hz:.2f} Hz, {late}, longest interval {self.max_ms:.0f} ms" if self.rate_hz else late

    @classmethod
    def from_json(cls, values: Any) -> Timing | None:
        """The inverse of `to_json`, and None of None. Raises TypeError, ValueError or KeyError for anything else."""
        if values is None:
            return None
        rate, median, p99, longest = (float(values[name]) for name in ("rate_hz", "p50_ms", "p99_ms", "max_ms"))
        ticks, late, slow, single = (
            int(values[name]) for name in ("ticks", "late_ticks", "slow_ticks", "single_ticks")
        )
        return cls(rate, median, p99, longest, ticks, late, slow, single)

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
