"""Nothing fails silently: Qt's messages go to the log, and exceptions that nobody caught to the log and the window."""

from __future__ import annotations

import logging
import sys

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

from player.logfile import LOG, Failures

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class Guard(QObject):
    """`failed` carries a sentence about what nobody caught, from any thread; slots run in the window's."""

    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.failures = Failures(self.failed.emit)

    def watch(self) -> None:
        """From now on, until the process ends."""
        self.failures.watch()
        qInstallMessageHandler(_log_qt)


def _log_qt(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    LOG.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", text)
    if kind != QtMsgType.QtDebugMsg:
        print(text, file=sys.stderr)
