"""Measures how long the window's thread was blocked, page by page; switched on for measurements only.

A timer fires every few milliseconds; the gap between two calls, less the interval, is how long the window did not
respond. During a gap, another thread records the stack of the window's thread.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer

from recorder.system.files import replacing
from recorder.system.jobs import main_thread_stack, start_thread

_BEAT_MS = 5
LIMIT_MS = 50.0


class Watchdog(QObject):
    """Writes {"worst_ms": {page: …}, "held_up": [[page, ms], …]} to `file`, and the stacks to FILE.stacks."""

    def __init__(self, file: Path, page: Callable[[], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file, self._page = file, page
        self._worst: dict[str, float] = {}
        self._held_up: list[tuple[str, float]] = []
        self._stack = ""
        self._running = True
        self._last = time.monotonic()
        self._timer = QTimer(self, interval=_BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()
        self._thread = start_thread(self._look, "watchdog")

    def stop(self) -> None:
        """Stop measuring."""
        self._timer.stop()
        self._running = False
        self._thread.join()

    def _look(self) -> None:
        looked_at = 0.0
        while self._running:
            last = self._last
            if last != looked_at and 1e3 * (time.monotonic() - last) > LIMIT_MS:
                self._stack, looked_at = main_thread_stack(), last
            time.sleep(_BEAT_MS / 1e3)

    def _beat(self) -> None:
        now = time.monotonic()
        gap = 1e3 * (now - self._last) - _BEAT_MS
        page = self._page()
        news = gap > self._worst.get(page, 0.0)
        if news:
            self._worst[page] = round(gap, 1)
        if gap > LIMIT_MS:
            self._held_up.append((page, round(gap, 1)))
            with self._file.with_suffix(".stacks").open("a") as stacks:
                print(f"{gap:.0f} ms on {page}\n{self._stack}", file=stacks)
        if news or gap > LIMIT_MS:
            with replacing(self._file) as part:
                part.write_text(json.dumps({"worst_ms": self._worst, "held_up": self._held_up}))
        self._last = time.monotonic()
