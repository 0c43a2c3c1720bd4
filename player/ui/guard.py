"""Nothing fails silently: Qt's messages go to the log, and exceptions that nobody caught to the log and the window."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

from recorder.system.logfile import LOG, Failures

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
# What decides which screen Qt opens, and how.
_SETTINGS = (
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_SESSION_TYPE",
    "XDG_RUNTIME_DIR",
    "QT_QPA_PLATFORM",
    "QT_QPA_PLATFORM_PLUGIN_PATH",
    "QT_PLUGIN_PATH",
)


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


class Opening:
    """While Qt looks for a screen. Where it finds none, the program ends in a sentence with Qt's first word on it.

    Qt itself would abort, which looks like a crash. It may be a server that is not there or refuses us, a plug-in that
    is missing or cannot be loaded: whatever it is, Qt says so here first.
    """

    def __init__(self) -> None:
        self._said: list[str] = []

    def __enter__(self) -> Opening:
        self._before = qInstallMessageHandler(self._take)
        return self

    def __exit__(self, *_: object) -> None:
        qInstallMessageHandler(self._before)

    def _take(self, kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        LOG.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", text)
        if kind != QtMsgType.QtFatalMsg:
            self._said.append(text)
            return
        print(f"twinplay: {no_screen(self._said or [text])}", file=sys.stderr, flush=True)
        logging.shutdown()
        os._exit(1)  # no exception gets through Qt, and when this returns it aborts


def no_screen(said: Sequence[str]) -> str:
    """That no window can be opened, with Qt's first word on it and the settings that decide."""
    settings = [f"{name}={os.environ[name]}" for name in _SETTINGS if os.environ.get(name)]
    reason = said[0].splitlines()[0].strip().rstrip(".")
    return (
        f"no window can be opened: {reason}; check {', '.join(settings) or 'the screen'}, "
        "or work without a window, see: twinplay --help"
    )


def _log_qt(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    LOG.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", text)
    if kind != QtMsgType.QtDebugMsg:
        print(text, file=sys.stderr)
