"""The curves of a run, and of others laid over them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from recorder.ui.kit import look
from trainer.progress.curves import Curves
from trainer.runs.run_list import MOST_COMPARED

if TYPE_CHECKING:
    from trainer.ui.curve_plot import CurvePlot

_TITLES = ("Loss", "Accuracy", "Score in short test games")
_OTHERS = ("good", "warning", "bad")[:MOST_COMPARED]  # the inks of compared runs


class CurvePlots(QWidget):
    """Three plots over the batch: training and validation of one run, and the validation of up to three others.

    Each is made when it first has something to draw.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.SMALL)
        self._plots: dict[str, CurvePlot] = {}
        self._waiting = look.faint("The curves appear after the first batches.", "noCurvesHint")
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self._waiting, 1)

    def show_curves(self, own: Curves, others: list[tuple[str, Curves]]) -> None:
        """Draw a run's curves, and those of others under their names."""
        names, compared = tuple(name for name, _ in others), [curves for _, curves in others]
        something = bool(own.batch or others)
        self._waiting.setVisible(not something)
        loss = self._show("Loss", something)
        if loss is not None:
            loss.widget.setLogMode(False, not own.accuracy_known)  # squared errors fall over orders of magnitude
            lines = [(curves.val_batch, curves.val_loss) for curves in compared]
            loss.draw((own.batch, own.loss), (own.val_batch, own.val_loss), lines)
            loss.name(names)
        accuracy = self._show("Accuracy", any(map(math.isfinite, own.accuracy)))
        if accuracy is not None:
            lines = [(curves.val_batch, curves.val_accuracy) for curves in compared]
            accuracy.draw((own.batch, own.accuracy), (own.val_batch, own.val_accuracy), lines)
        score = self._show("Score in short test games", any(curves.play_batch for curves in (own, *compared)))
        if score is not None:
            lines = [(curves.play_batch, curves.play_score) for curves in compared]
            score.draw(([], []), (own.play_batch, own.play_score), lines)
        self._name_axis()

    def _show(self, title: str, visible: bool) -> CurvePlot | None:
        """Show or hide a plot; returns it, once it was shown."""
        if visible and title not in self._plots:
            self._plots[title] = self._make(title)
        plot = self._plots.get(title)
        if plot is not None:
            plot.widget.setVisible(visible)
        return plot

    def _name_axis(self) -> None:
        """The lowest plot that is shown says what x is."""
        plots = [plot.widget for title in _TITLES if (plot := self._plots.get(title)) is not None]
        *_, lowest = (None, *(plot for plot in plots if not plot.isHidden()))
        for plot in plots:
            plot.setLabel("bottom", "batch" if plot is lowest else None)

    def _make(self, title: str) -> CurvePlot:
        from trainer.ui.curve_plot import CurvePlot

        made = CurvePlot(title, _OTHERS, dots=title == _TITLES[-1], legend=title == _TITLES[0])
        if self._plots:
            made.widget.setXLink(next(iter(self._plots.values())).widget)
        above = [other for other in _TITLES[: _TITLES.index(title)] if other in self._plots]
        self._layout.insertWidget(1 + len(above), made.widget, 1)  # below the hint
        return made

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_plots"):
            for plot in self._plots.values():
                plot.style()
        super().changeEvent(event)
