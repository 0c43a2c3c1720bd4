"""A function in a process that outlives this one: see `recorder.system.jobs`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from recorder.system.interrupts import leave_quickly
from recorder.system.jobs.children import resolve
from recorder.system.jobs.failures import exit_reason
from recorder.system.priority import give_way

# The code of a detached process: like a spawned one, it finds modules where its parent found them.
_DETACHED = (
    "import json, sys; job = json.loads(sys.argv[1]); sys.path[:] = job['path']; "
    "from recorder.system.jobs.detached import run_detached; run_detached(job)"
)


class Detached:
    """Runs `target(**kwargs)`, of JSON values, in a process that outlives this one, in its own session.

    Its output goes to the file `log`, which is overwritten. Nothing else connects the two; `poll` only sees its end.
    """

    def __init__(self, target: str, kwargs: dict[str, Any], log: Path) -> None:
        job = {"path": [entry or os.getcwd() for entry in sys.path], "target": target, "kwargs": kwargs}
        flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _DETACHED, json.dumps(job)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                creationflags=flags,
            )

    @property
    def error(self) -> str | None:
        """Why the process ended; None while it runs and after a normal end."""
        code = self._process.poll()
        if code is None or code == 0:
            return None
        killed = ", often because memory ran out" if code == -9 else ""
        return exit_reason(code) + killed

    def poll(self) -> bool:
        """Whether it is still running."""
        return self._process.poll() is None

    def join(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds for its end; returns whether it ended."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def leave(self) -> None:
        """Let it run without us."""
        if self.poll():
            self._process.returncode = 0  # otherwise Python warns that it is still running


def run_detached(job: dict[str, Any]) -> None:
    """The main function of a detached process."""
    leave_quickly()
    give_way(session=True)
    resolve(job["target"])(**job["kwargs"])
