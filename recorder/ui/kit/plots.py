"""The library that draws plots, which is imported when there is something to plot.

Its import takes a fifth of the time in which the window opens, and most windows draw no plot.
"""

from __future__ import annotations

import importlib
import sys

from recorder.system.jobs import start_thread


def import_ahead() -> None:
    """Import it in a thread: from here on a plot may be asked for, and the window is not to wait for it then."""
    if "pyqtgraph" not in sys.modules:
        start_thread(_import, "import-plots")


def _import() -> None:
    importlib.import_module("pyqtgraph")
