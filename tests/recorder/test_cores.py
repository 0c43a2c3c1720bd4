"""How many cores there are to use, where the kernel shows more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recorder.system.cores import available_cores, cpu_quota

V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw\n"
V2_CONTAINER = "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
V1 = (
    "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
)


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    ("mounts", "groups", "limits", "quota"),
    [
        (V2, "0::/\n", {}, None),
        (V2, "0::/a.slice/b.scope\n", {"a.slice/b.scope/cpu.max": "max 100000\n"}, None),
        (V2, "0::/a.slice/b.scope\n", {"a.slice/b.scope/cpu.max": "200000 100000\n"}, 2.0),
        (V2, "0::/a/b\n", {"a/cpu.max": "150000 100000\n", "a/b/cpu.max": "max 100000\n"}, 1.5),
        (V2, "0::/a/b\n", {"a/cpu.max": "100000 100000\n", "a/b/cpu.max": "400000 100000\n"}, 1.0),
        (V2, "0::/\n", {"cpu.max": "200000 100000\n"}, 2.0),  # a container with a name space of its own
        (V2_CONTAINER, "0::/docker/abc\n", {"cpu.max": "300000 100000\n"}, 3.0),
        (V2, "0::/../other\n", {"cpu.max": "200000 100000\n"}, 2.0),  # outside of the name space
        (V2, "0::/a\n", {"a/cpu.max": "nonsense\n"}, None),
        (V1, "4:cpu,cpuacct:/d\n3:memory:/d\n", {"cpu,cpuacct/d/cpu.cfs_quota_us": "-1\n"}, None),
        (
            V1,
            "4:cpu,cpuacct:/d/e\n3:memory:/m\n",
            {"cpu,cpuacct/d/cpu.cfs_quota_us": "250000\n", "cpu,cpuacct/d/cpu.cfs_period_us": "100000\n"},
            2.5,
        ),
        ("nonsense\n", "nonsense\n", {}, None),
    ],
)
def test_the_lowest_quota_on_the_way_up_counts(
    tmp_path: Path, mounts: str, groups: str, limits: dict[str, str], quota: float | None
) -> None:
    files = {"proc/self/mountinfo": mounts, "proc/self/cgroup": groups}
    assert cpu_quota(tree(tmp_path, files | {f"sys/fs/cgroup/{k}": v for k, v in limits.items()})) == quota


def test_a_system_without_control_groups_has_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None


@pytest.mark.parametrize(("quota", "cores"), [(None, 64), (0.5, 1), (1.5, 2), (2.0, 2), (100.0, 64)])
def test_a_quota_counts_where_it_is_less_than_the_cores_in_sight(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    monkeypatch.setattr("recorder.system.cores.cpu_quota", lambda: quota)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert available_cores() == cores
    assert available_cores(sharing=4) == max(1, cores // 4)


@pytest.mark.parametrize(
    ("asked", "cores"),
    [("3", 3), ("4,2", 4), (" 5 ", 5), ("100", 64), ("0", 64), ("abc", 64), ("-2", 64), ("", 64), ("9" * 5000, 64)],
)
def test_omp_num_threads_is_heeded_where_it_can_be_meant(
    monkeypatch: pytest.MonkeyPatch, asked: str, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    monkeypatch.setattr("recorder.system.cores.cpu_quota", lambda: None)
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert available_cores() == cores


def test_what_torchrun_sets_by_itself_is_nobodys_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    monkeypatch.setattr("recorder.system.cores.cpu_quota", lambda: None)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert available_cores(sharing=4) == 16
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert available_cores(sharing=4) == 2


def test_torch_starts_as_many_threads_in_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    code = "import os, recorder, torch; print(os.environ['OMP_NUM_THREADS'], torch.get_num_threads())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == 2 * [str(available_cores())]
