"""Where a file is to be saved: the user's folder for it, a dialog to choose another, what is wrong with a choice."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget


def user_folder(kind: QStandardPaths.StandardLocation) -> Path:
    """The user's folder for such files, or else the home folder."""
    folder = QStandardPaths.writableLocation(kind)
    return Path(folder) if folder and Path(folder).is_dir() else Path.home()


def choose_file(parent: QWidget, title: str, current: str, kind: str) -> str:
    """The file that the user chooses, "" for none; `kind` is as "Table (*.csv)". An existing one is not asked about."""
    options = QFileDialog.Option.DontConfirmOverwrite  # who saves it asks, however the name was given
    name, _ = QFileDialog.getSaveFileName(parent, title, current, kind, options=options)
    return name


def why_not_there(text: str, path: Path) -> str:
    """Why nothing can be saved as `path`, which `text` names, in a sentence; empty if it can."""
    if not text:
        return "Enter a name for the file."
    if not path.parent.is_dir():
        return "There is no such folder. Choose another place for the file."
    return f"“{path.name}” is a folder. Choose another name for the file." if path.is_dir() else ""
