"""Fixed-rate pacing by absolute deadlines.

    start      1/rate     2/rate     3/rate          deadlines do not depend on when the previous tick really ran,
    ├──────────┼──────────┼──────────┼───▶           so a late tick is caught up at once and the rate does not drift

A stall of more than one tick restarts the schedule and is counted: the game slows down for a moment but never jumps.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LATE_NS = 8_000_000  # half a tick at 60 Hz: later ticks are reported


class Pacer:
    """Says when the next tick is due. Times are nanoseconds of a monotonic clock; `rate_hz` is in ticks a second."""

    def __init__(self, rate_hz: float, now: Callable[[], int] = time.monotonic_ns) -> None:
        self._now = now
        self.set_rate(rate_hz)

    def set_rate(self, rate_hz: float) -> None:
        """Change the rate (slow motion) and start over."""
        self._period = 1e9 / rate_hz
        self.restart()

    def restart(self) -> None:
        """Restart the schedule: the next tick is due one period from now. For the start and after a pause."""
        self._base = self._now()
        self._index = 1
        self.ticks = 0
        self.late_ticks = 0
        self.stalls = 0
        self.lateness_ns = 0
        self.due_ns = self._base

    def _deadline(self) -> int:
        return self._base + round(self._index * self._period)

    def wait_ns(self) -> int:
        """Nanoseconds until the next tick is due; 0 if it is already due."""
        return max(0, self._deadline() - self._now())

    def due(self) -> bool:
        """True once per tick that is due; call until False.

        Updates `due_ns` (when it was due), `lateness_ns`, `late_ticks` and `stalls`.
        """
        now = self._now()
        deadline = self._deadline()
        if now < deadline:
            return False
        self.due_ns = deadline
        self.lateness_ns = now - deadline
        self.ticks += 1
        self.late_ticks += self.lateness_ns > LATE_NS
        if self.lateness_ns > self._period:
            self.stalls += 1
            self._base, self._index = now, 1
        else:
            self._index += 1
        return True
