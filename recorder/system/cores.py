"""How many processor cores this process may use: the one answer for everything that starts processes and threads.

    the machine's cores ─▶ those it may run on (affinity) ─▶ the quota of its container ─▶ what OMP_NUM_THREADS asks for

Containers limit time, not cores: `--cpus=2` on a machine of 64 leaves all of them in sight, and 200 ms of every 100 ms.
That limit stands in the control groups that a process is in and in all above them (Linux, "cgroups", version 2:
cpu.max; version 1: cpu.cfs_quota_us and cpu.cfs_period_us).
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")
_DIGITS = 9  # of a number of threads that somebody can have meant


def available_cores(sharing: int = 1) -> int:
    """Processor cores that each of `sharing` processes may use, which divide those there are; one at the least.

    OMP_NUM_THREADS is of every process, and not divided.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota()
    if quota is not None:
        cores = min(cores, math.ceil(quota))
    return max(1, min(cores // sharing, _asked_for() or cores))


def cpu_quota(root: Path = _ROOT) -> float | None:
    """Cores' worth of time that the control groups of this process allow it, None where there is no limit.

    `root` is the folder that has proc/self and what is mounted.
    """
    limits: list[float] = []
    with contextlib.suppress(OSError, ValueError):
        mounts = list(_mounts(root))
        for line in _lines(root / "proc/self/cgroup"):
            _, controllers, group = line.split(":", 2)
            for kind, options, top, place in mounts:
                if kind == ("cgroup" if controllers else "cgroup2") and (
                    not controllers or ("cpu" in controllers.split(",") and "cpu" in options)
                ):
                    limits += _limits_along(root, place, top, group)
    return min(limits, default=None)


def _mounts(root: Path) -> Iterator[tuple[str, list[str], str, str]]:
    """Kind, options, the group that is seen there, and the folder of every mounted hierarchy."""
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        _, _, _, top, place, *_ = before.split(" ")
        kind, _, options = after.split(" ")[:3]
        if kind in ("cgroup", "cgroup2"):
            yield kind, options.split(","), top, place


def _limits_along(root: Path, place: str, top: str, group: str) -> Iterator[float]:
    """The limits of a group and of all above it. A container often sees its own group at the top of what is mounted."""
    folder = root / place.lstrip("/")
    below = group.removeprefix(top if top != "/" else "") if group.startswith(top) else ""
    path = folder / below.lstrip("/")
    if ".." in path.parts:
        path = folder
    for each in (path, *path.parents):
        limit = _limit(each)
        if limit is not None:
            yield limit
        if each == folder:
            return


def _limit(group: Path) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        quota, period = (group / "cpu.max").read_text(encoding="ascii").split()
        return None if quota == "max" else _share(quota, period)
    with contextlib.suppress(OSError, ValueError):
        quota, period = ((group / f"cpu.cfs_{name}_us").read_text(encoding="ascii") for name in ("quota", "period"))
        return None if int(quota) < 0 else _share(quota, period)
    return None


def _share(quota: str, period: str) -> float | None:
    return int(quota) / int(period) if int(quota) > 0 and int(period) > 0 else None


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()


def _asked_for() -> int | None:
    """What OMP_NUM_THREADS says, of its outermost level; None where it says nothing that could be meant."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if first == "1" and "TORCHELASTIC_RUN_ID" in os.environ:
        return None  # nobody's wish: torchrun sets it for each of its processes, which share the cores out
    return int(first) or None if first.isascii() and first.isdigit() and len(first) <= _DIGITS else None
