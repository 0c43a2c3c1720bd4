"""The library that draws plots, which is imported when there is something to plot.

Its import takes a fifth of the time in which the window opens, and most windows draw no plot.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from types import ModuleType

from PySide6 import QtCore, QtGui, QtWidgets

_NAME = "importPlots"
_PAUSE_MS = 20
_STEP_S = 0.005


def import_ahead() -> None:
    """Import it bit by bit between events: from here on a plot may be asked for, and the window is not to wait then.

    Never in another thread: pyqtgraph initializes all of Qt's Python types, and where two threads do that at once, the
    program crashes.
    """
    app = QtCore.QCoreApplication.instance()
    assert app is not None
    if "pyqtgraph" in sys.modules or app.findChild(QtCore.QTimer, _NAME) is not None:
        return
    timer, steps = QtCore.QTimer(app, objectName=_NAME, interval=_PAUSE_MS), _steps()

    def go_on() -> None:
        until = time.perf_counter() + _STEP_S
        for _ in steps:
            if time.perf_counter() > until:
                return
        timer.stop()
        timer.deleteLater()

    timer.timeout.connect(go_on)
    timer.start()


def _steps() -> Iterator[None]:
    modules: tuple[ModuleType, ...] = (QtCore, QtGui, QtWidgets)
    for module in modules:
        for name in dir(module):
            getattr(module, name, None)  # PySide6 initializes a type when it is first asked for
            yield
    importlib.import_module("pyqtgraph")
