"""From a key to the picture: how long a player waits for what a press does.

    press ──────▶ tick ──────▶ picture      press     the window received it; stored as the key's `time_ns`
      ├─ tick_ms ──┤              │         tick      the action was chosen to which it belongs
      └──────── picture_ms ───────┘         picture   of this tick, handed over to the window system

Only presses of the keyboard count, and only ticks at full speed: what is pressed in a pause or in slow motion waits for
something else. A controller is not listened to but asked, so when its button went down is not known.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from msgspec.structs import asdict

from recorder.agents.agent import KeyEvent
from recorder.play.rollout import Step
from recorder.play.timing import FULL_SPEED
from recorder.system.records import RecordError, read, said
from recorder.system.texts import count

_Figure = Annotated[float, Meta(ge=0, le=1e300)]  # so a finite one


class Latency(msgspec.Struct, frozen=True):
    """How long the presses of a take waited for their tick, and for its picture."""

    presses: Annotated[int, said("presses of keys that were measured", ge=1)]
    tick_p50_ms: Annotated[_Figure, said("median from a press to its tick")]
    tick_p99_ms: Annotated[_Figure, said("99th percentile from a press to its tick")]
    picture_p50_ms: Annotated[_Figure, said("median from a press to the picture of its tick")]
    picture_p99_ms: Annotated[_Figure, said("99th percentile from a press to the picture of its tick")]

    def __str__(self) -> str:
        presses = count(self.presses, "press", "presses")
        return f"{self.picture_p50_ms:.1f} ms median, 99 % within {self.picture_p99_ms:.1f} ms ({presses})"

    @classmethod
    def from_json(cls, values: Any) -> Latency | None:
        """The inverse of `to_json`; None of anything else, as it is only noted about a session."""
        try:
            return None if values is None else read(cls, values)
        except RecordError:
            return None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


class LatencyMeter:
    """Is told of every press, tick and picture of a take. Times are nanoseconds of one monotonic clock."""

    def __init__(self) -> None:
        self._pressed: list[int] = []  # since the last tick
        self._ticked: list[tuple[int, int]] = []  # (press, its tick) whose picture is still to come
        self._measured: list[tuple[int, int]] = []  # (from a press to its tick, to its picture)

    def key(self, event: KeyEvent) -> None:
        """A key or a controller's input went down or up."""
        if event.down and event.code > 0:
            self._pressed.append(event.time_ns)

    def tick(self, step: Step) -> None:
        """A tick was played, paced by the clock."""
        if step.speed != FULL_SPEED:
            self.forget()
        elif self._pressed:
            self._ticked += [(press, step.time_ns) for press in self._pressed]
            self._pressed.clear()

    def picture(self, time_ns: int) -> None:
        """The picture of the latest tick was handed over to the window system."""
        if self._ticked:
            self._measured += [(tick - press, time_ns - press) for press, tick in self._ticked]
            self._ticked.clear()

    def forget(self) -> None:
        """The game was paused, resumes, or runs in slow motion: what waits now is not measured."""
        self._pressed.clear()
        self._ticked.clear()

    @property
    def latency(self) -> Latency | None:
        """The figures so far; None without a press."""
        if not self._measured:
            return None
        (tick_p50, picture_p50), (tick_p99, picture_p99) = np.percentile(
            np.array(self._measured) / 1e6, (50, 99), axis=0
        ).tolist()
        return Latency(len(self._measured), tick_p50, tick_p99, picture_p50, picture_p99)
