"""The library that draws plots comes without holding up or breaking the window."""

from __future__ import annotations

import subprocess
import sys

from tests.ui.conftest import ROOT

# Two threads that initialize Qt's Python types at once crash the program, so that only the window's may import it.
_OPEN = """
import sys, threading
from importlib.abc import MetaPathFinder
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from recorder.ui.kit.plots import import_ahead

importers = []

class Noting(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "pyqtgraph":
            importers.append(threading.current_thread() is threading.main_thread())

sys.meta_path.insert(0, Noting())
app = QApplication([])
import_ahead()
import_ahead()
assert not importers and len(app.findChildren(QTimer)) == 1
while app.findChildren(QTimer):
    app.processEvents()
import_ahead()
assert not app.findChildren(QTimer)
print(importers)
"""


def test_the_window_imports_its_plots_itself_and_once() -> None:
    done = subprocess.run([sys.executable, "-c", _OPEN], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[True]"
