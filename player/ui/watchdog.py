"""How long the window's thread was held up, page by page; switched on by whoever measures.

A timer beats every few milliseconds; the gap between two beats, less the interval, is how long nothing could be
answered. While a gap lasts, a thread of faulthandler's writes down where the window's thread is.
"""

from __future__ import annotations

import faulthandler
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer

_BEAT_MS = 5
LIMIT_MS = 50.0


class Watchdog(QObject):
    """Writes {"worst_ms": {page: …}, "held_up": [[page, ms], …]} to `file`, and stacks to FILE.stacks."""

    def __init__(self, file: Path, page: Callable[[], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file, self._page = file, page
        self._stacks = file.with_suffix(".stacks").open("w")
        self._worst: dict[str, float] = {}
        self._held_up: list[tuple[str, float]] = []
        self._last = time.monotonic()
        self._timer = QTimer(self, interval=_BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def stop(self) -> None:
        """No more beats."""
        self._timer.stop()
        faulthandler.cancel_dump_traceback_later()
        self._stacks.close()

    def _beat(self) -> None:
        now = time.monotonic()
        gap = 1e3 * (now - self._last) - _BEAT_MS
        page = self._page()
        if gap > self._worst.get(page, 0.0):
            self._worst[page] = round(gap, 1)
            self._write()
        if gap > LIMIT_MS:
            self._held_up.append((page, round(gap, 1)))
            self._stacks.write(f"↑ {gap:.0f} ms on {page}\n\n")
            self._stacks.flush()
            self._write()
        self._last = time.monotonic()
        faulthandler.dump_traceback_later(LIMIT_MS / 1e3, file=self._stacks)

    def _write(self) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps({"worst_ms": self._worst, "held_up": self._held_up}))
        os.replace(part, self._file)
