"""The question before a file is replaced."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def ask_to_replace(path: Path, what: str, go_on: Callable[[], None], parent: QWidget) -> None:
    """Ask whether a file, which is `what` ("video"), may be replaced, and if so, go on."""
    box = QMessageBox(parent)
    box.setObjectName("confirmReplace")
    box.setWindowTitle("Replace the file?")
    box.setText(f"“{path.name}” already exists. Replace it?")
    box.setInformativeText(f"The {what} that is there now will be lost.")
    replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
    replace.setObjectName("replaceButton")
    box.setDefaultButton(box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.buttonClicked.connect(lambda button: go_on() if button is replace else None)
    box.open()
