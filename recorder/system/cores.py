"""How many CPU cores this process may use; everything that starts processes and threads asks this module.

    the machine's cores ─▶ those it may run on (affinity) ─▶ its container's quota ─▶ OMP_NUM_THREADS

Containers limit time, not cores: `--cpus=2` on a machine with 64 cores leaves all of them visible, and allows 200 ms of
CPU time in every 100 ms. The limit is set in the process's control groups or in any of their parents (Linux "cgroups",
version 2: cpu.max; version 1: cpu.cfs_quota_us and cpu.cfs_period_us).
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")
_DIGITS = 9  # more digits cannot be a number of threads


def available_cores(sharing: int = 1) -> int:
    """The cores that each of `sharing` processes may use if they divide the available ones; at least one.

    OMP_NUM_THREADS applies to each process and is not divided.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota()
    if quota is not None:
        cores = min(cores, math.ceil(quota))
    return max(1, min(cores // sharing, _asked_for() or cores))


def cpu_quota(root: Path = _ROOT) -> float | None:
    """The CPU time that the control groups of this process allow, in cores; None if there is no limit.

    `root` is the folder that contains proc/self and the mounted file systems.
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
    """Type, options, root group and folder of every mounted hierarchy."""
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        _, _, _, top, place, *_ = before.split(" ")
        kind, _, options = after.split(" ")[:3]
        if kind in ("cgroup", "cgroup2"):
            yield kind, options.split(","), top, place


def _limits_along(root: Path, place: str, top: str, group: str) -> Iterator[float]:
    """The limits of a group and its parents. In a container, the mounted root is often the container's own group."""
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
    """The value of OMP_NUM_THREADS for the outermost level; None if it is not set or not valid."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if first == "1" and "TORCHELASTIC_RUN_ID" in os.environ:
        return None  # set by torchrun, not by the user; its processes divide the cores themselves
    return int(first) or None if first.isascii() and first.isdigit() and len(first) <= _DIGITS else None
