"""Scheduling priorities: play in real time goes before training."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import sys
from pathlib import Path

_SHORT_SLICE_NS, _USUAL_SLICE_NS, _LONG_SLICE_NS = 100_000, 3_000_000, 20_000_000  # the kernel accepts 0.1 to 100 ms
_PR_SET_TIMERSLACK = 29  # prctl(2); of the calling thread, in nanoseconds
# Of at most 19; a higher value would starve training on a busy machine (measured by tests.benchmarks realtime).
GIVING_WAY = 13
_BESIDE_PLAY = 5


def give_way(*, session: bool = False) -> None:
    """Lower the priority of this process, so that a game played at the same time does not stutter.

    Linux first shares time between whole sessions ("autogroups", sched(7)). A process that leads its own session also
    lowers that one, with `session`.
    """
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(max(0, GIVING_WAY - os.nice(0)))
    _schedule(batch=True, slice_ns=_LONG_SLICE_NS)
    if session:
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(GIVING_WAY))


def come_first() -> None:
    """Let this thread, and those it starts, run without delay: it plays a game in real time."""
    _schedule(batch=False, slice_ns=_SHORT_SLICE_NS)
    if sys.platform.startswith("linux"):  # so that a sleep ends exactly, not up to 50 µs late
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)


def step_back() -> None:
    """Lower the priority of this thread: after the game that a person plays, before a training."""
    if sys.platform.startswith("linux"):  # where a thread has a priority of its own
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, max(_BESIDE_PLAY, os.getpriority(os.PRIO_PROCESS, 0)))


def follow_play() -> None:
    """Let this process come after a game that a person plays in another, and before a training. It plays along: when it
    has something to do, it does not interrupt the game for that.
    """
    step_back()
    _schedule(batch=True, slice_ns=_USUAL_SLICE_NS)


class _SchedulingAttributes(ctypes.Structure):
    """struct sched_attr of sched_setattr(2)."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("sched_policy", ctypes.c_uint32),
        ("sched_flags", ctypes.c_uint64),
        ("sched_nice", ctypes.c_int32),
        ("sched_priority", ctypes.c_uint32),
        ("sched_runtime", ctypes.c_uint64),
        ("sched_deadline", ctypes.c_uint64),
        ("sched_period", ctypes.c_uint64),
    )


def _schedule(*, batch: bool, slice_ns: int) -> None:
    """Ask Linux for time slices of this length. Shorter slices let a thread that wakes up run sooner (kernels from
    6.12; Stoica and Abdel-Wahab 1995, "Earliest eligible virtual deadline first"). Older kernels only use `batch`.
    """
    number = {"x86_64": 314, "aarch64": 274}.get(platform.machine())
    if not sys.platform.startswith("linux") or number is None:
        return
    attributes = _SchedulingAttributes(
        size=ctypes.sizeof(_SchedulingAttributes),
        sched_policy=os.SCHED_BATCH if batch else os.SCHED_OTHER,
        sched_nice=os.getpriority(os.PRIO_PROCESS, 0),
        sched_runtime=slice_ns,
    )
    ctypes.CDLL(None).syscall(number, 0, ctypes.byref(attributes), 0)  # if it is refused, nothing changes
