"""Dialogs that follow a job in the background, which ends when they are closed."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QWidget

from player.watch.background import BackgroundJob


class JobDialog(QDialog):
    """Calls `_poll` every `poll_ms` milliseconds while `_timer` runs; subclasses say what that does."""

    def __init__(self, job: BackgroundJob, poll_ms: int, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._job = job
        self._timer = QTimer(self, interval=poll_ms)
        self._timer.timeout.connect(self._poll)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._stop()
        super().closeEvent(event)

    def reject(self) -> None:
        self._stop()
        super().reject()

    def _stop(self) -> None:
        self._timer.stop()
        if self._job.running:
            self._job.cancel()

    def _poll(self) -> None:
        raise NotImplementedError
