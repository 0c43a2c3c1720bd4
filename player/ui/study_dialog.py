"""A finished study: its table and figures, as `twinplay study` wrote them to a folder."""

from __future__ import annotations

import math
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtSvgWidgets import QSvgWidget
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox, QScrollArea, QTextBrowser, QVBoxLayout, QWidget

from recorder.ui.kit.fold import resize_within_screen

_MOST_BYTES = 4 << 20  # a table or a figure is a few kilobytes
_WIDTH = 900


class StudyDialog(QDialog):
    """Shows table.md and the *.svg of `folder`. Raises ValueError, with a sentence, if there is no table."""

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("studyDialog")
        self.setWindowTitle(f"Study: {folder.name}")
        resize_within_screen(self, _WIDTH + 60, 720)
        table = _text(folder / "table.md")
        if table is None:
            raise ValueError(
                f"{folder} is not a finished study: it has no table.md; choose a folder inside the one that "
                "`twinplay study NAME --out FOLDER` wrote"
            )
        content = QWidget()
        column = QVBoxLayout(content)
        column.setSpacing(16)
        text = QTextBrowser(objectName="studyTable", openLinks=False)
        text.setMarkdown(table)
        text.setFrameShape(QTextBrowser.Shape.NoFrame)
        text.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        text.document().setTextWidth(_WIDTH)
        text.setFixedHeight(math.ceil(text.document().size().height()) + 2 * column.spacing())
        column.addWidget(text)
        for path in sorted(path for path in folder.glob("*.svg") if not path.name.startswith(".")):
            svg = _text(path)
            figure = QSvgWidget(objectName=f"{path.stem}Figure")
            if svg is not None:
                figure.load(svg.encode())
            size = figure.renderer().defaultSize()
            if svg is None or size.isEmpty():
                continue
            width = min(_WIDTH - 40, size.width() * 3 // 2)
            figure.setFixedSize(QSize(width, size.height() * width // size.width()))
            figure.setStyleSheet("background: white")  # figures are drawn for paper
            column.addWidget(figure)
        area = QScrollArea(widgetResizable=True)
        area.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        QShortcut(QKeySequence("Esc"), self).activated.connect(self.reject)


def open_study(parent: QWidget) -> StudyDialog | None:
    """Ask for a study's folder and show it; any other folder is refused with a message."""
    name = QFileDialog.getExistingDirectory(parent, "Open a finished study")
    if not name:
        return None
    try:
        dialog = StudyDialog(Path(name), parent)
    except ValueError as error:
        QMessageBox.warning(parent, "Twinplay", str(error))
        return None
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog


def _text(path: Path) -> str | None:
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
