"""The figures of a take while it is played."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QElapsedTimer, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from recorder.ui.kit import look

# name, caption, what it means; in two columns, the score and the label above them
_FIGURES = (
    ("time", "Take", "Minutes and seconds recorded, without what you rewound"),
    ("games", "Game", "The number of this game in the take"),
    ("actions", "Actions/s", "Actions recorded per second, lately: one for each frame of the game"),
    ("presses", "Keys/s", "Keys pressed per second, lately"),
    (
        "late",
        "Late ticks",
        "Ticks (frames of the game) over 8 ms late; the session stores the time of each",
    ),
    ("speed", "Speed", "In percent of real time; - and + change it"),
)
# What differs in every frame: nobody reads it sixty times a second, and to lay it out so often takes a tenth of a core.
_RESTLESS = ("actions", "presses", "late")
_CALM_MS = 250


class Hud(QWidget):
    """Shows texts by name: score, label, lives and those of the figures; a dash where there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(look.WIDE)
        grid.setVerticalSpacing(0)
        self._texts: dict[str, QLabel] = {}
        self._calm = QElapsedTimer()
        self._calm.start()
        self._texts["score"] = look.heading("–", "scoreFigure", 2.6)
        self._texts["lives"] = look.heading("", "livesFigure", 1.2)
        self._texts["lives"].setToolTip("Lives left")
        self._texts["label"] = look.heading("–", "labelFigure", 1.15)
        caption = look.faint("Label")
        for label in (caption, self._texts["label"]):
            label.setToolTip("G marks the game as good, B as bad")
        grid.addWidget(look.faint("Score"), 0, 0)
        grid.addWidget(caption, 0, 1)
        grid.addWidget(self._texts["score"], 1, 0)
        grid.addWidget(self._texts["label"], 1, 1)
        grid.addWidget(self._texts["lives"], 1, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for index, (name, title, tip) in enumerate(_FIGURES):
            row, column = 2 + 3 * (index // 2), index % 2
            title_label, figure = look.faint(title), look.heading("–", f"{name}Figure", 1.15)
            for label in (title_label, figure):
                label.setToolTip(tip)
            grid.setRowMinimumHeight(row, look.SMALL)
            grid.addWidget(title_label, row + 1, column)
            grid.addWidget(figure, row + 2, column)
            self._texts[name] = figure
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)

    def show_texts(self, texts: Mapping[str, str], *, playing: bool = False) -> None:
        """Show these; every other figure becomes a dash. While `playing`, restless ones change only now and then."""
        if not playing or self._calm.hasExpired(_CALM_MS):
            self._calm.start()
            wanted = list(self._texts)
        else:
            wanted = [name for name in self._texts if name not in _RESTLESS]
        for name in wanted:
            label = self._texts[name]
            label.setText(texts.get(name, "" if name == "lives" else "–"))
