"""Nothing fails silently: Qt's messages go to the log, uncaught exceptions to the log and the window."""

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
    """Emits `failed` with a sentence about an uncaught exception, from any thread; slots run in the window's thread."""

    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.failures = Failures(self.failed.emit)

    def watch(self) -> None:
        """Watch from now on, until the process ends."""
        self.failures.watch()
        qInstallMessageHandler(_log_qt)


class Opening:
    """Active while Qt looks for a screen. If it finds none, the program ends with a sentence and Qt's first message.

    Qt itself would abort, which looks like a crash. The cause may be a missing X server, refused access, or a plug-in
    that is missing or cannot be loaded; Qt reports it before it aborts.
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
    """The sentence that no window can be opened, with Qt's first message and the relevant settings."""
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
