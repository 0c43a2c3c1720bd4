"""How often a page looks for what is new: often while something is in progress, else just now and then."""

from __future__ import annotations

from PySide6.QtCore import QTimer

IDLE_MS = 250  # soon enough for what a dialog or a thread may have begun; each time wakes a resting processor


def set_pace(timer: QTimer, interval_ms: int) -> None:
    """Let a timer fire at this interval from now on, once it runs; the rhythm of one that does so is left alone."""
    if timer.interval() != interval_ms:
        timer.setInterval(interval_ms)
