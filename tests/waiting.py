"""How tests wait for what comes about at last.

They are patient: on a busy machine, films and trainings give way for long.
"""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 300.0


def wait_until(condition: Callable[[], object], *, pause_s: float = 0.02) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "never came about"
        time.sleep(pause_s)
