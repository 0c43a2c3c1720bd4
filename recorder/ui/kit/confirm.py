"""Questions before something is lost; Cancel is what Enter chooses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def confirm(
    parent: QWidget, name: str, title: str, question: str, loss: str, button: str, go_on: Callable[[], None]
) -> None:
    """Ask a question, and go on if `button` is pressed; `loss` says what is lost then. The box is named `name`."""
    box = QMessageBox(parent)
    box.setObjectName(name)
    box.setWindowTitle(title)
    box.setText(question)
    box.setInformativeText(loss)
    yes = box.addButton(button, QMessageBox.ButtonRole.DestructiveRole)
    yes.setObjectName("confirmButton")
    box.setDefaultButton(box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.buttonClicked.connect(lambda pressed: go_on() if pressed is yes else None)
    box.open()


def ask_to_replace(path: Path, what: str, go_on: Callable[[], None], parent: QWidget) -> None:
    """Ask whether a file, which is `what` ("video"), may be replaced, and if so, go on."""
    question, loss = f"“{path.name}” already exists. Replace it?", f"The {what} that is there now will be lost."
    confirm(parent, "confirmReplace", "Replace the file?", question, loss, "Replace", go_on)
