"""The curves of a run, and of others laid over them."""

from __future__ import annotations

import math

import pyqtgraph
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from recorder.ui.kit import look
from trainer.progress.curves import Curves
from trainer.runs.run_list import MOST_COMPARED

_TITLES = ("Loss", "Accuracy", "Score in test games")
_OTHERS = ("good", "warning", "bad")[:MOST_COMPARED]  # the inks of compared runs


class CurvePlots(QWidget):
    """Three plots over the batch: training and validation of one run, and the validation of up to three others."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.SMALL)
        self._plots: list[pyqtgraph.PlotWidget] = []
        self._own: list[tuple[pyqtgraph.PlotDataItem, pyqtgraph.PlotDataItem]] = []
        self._others: list[list[pyqtgraph.PlotDataItem]] = []
        self._compared: tuple[str, ...] = ()
        self._waiting = look.faint("The curves appear after the first batches.", "noCurvesHint")
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self._waiting, 1)
        for title in _TITLES:
            plot = pyqtgraph.PlotWidget(axisItems={"left": _LeftAxis("left")})
            plot.setObjectName(f"{title.split()[0].lower()}Plot")
            plot.setAccessibleName(title)
            plot.setTitle(title)
            plot.setMouseEnabled(False, False)
            plot.hideButtons()
            plot.setMenuEnabled(False)
            plot.setMinimumHeight(96)
            plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            if self._plots:
                plot.setXLink(self._plots[0])
            else:
                plot.addLegend(offset=(-8, 8))
            self._own.append((plot.plot(name="training"), plot.plot(name="validation")))
            self._others.append([plot.plot() for _ in _OTHERS])
            self._plots.append(plot)
            layout.addWidget(plot, 1)
        self._style()

    def show_curves(self, own: Curves, others: list[tuple[str, Curves]]) -> None:
        """Draw a run's curves, and those of others under their names."""
        (loss, val_loss), (accuracy, val_accuracy), (_, played) = self._own
        logarithmic = not own.accuracy_known  # squared errors fall over orders of magnitude
        self._plots[0].setLogMode(False, logarithmic)
        loss.setData(own.batch, own.loss)
        val_loss.setData(own.val_batch, own.val_loss)
        accuracy.setData(own.batch, own.accuracy)
        val_accuracy.setData(own.val_batch, own.val_accuracy)
        played.setData(own.play_batch, own.play_score)
        for index in range(len(_OTHERS)):
            curves = others[index][1] if index < len(others) else Curves()
            self._others[0][index].setData(curves.val_batch, curves.val_loss)
            self._others[1][index].setData(curves.val_batch, curves.val_accuracy)
            self._others[2][index].setData(curves.play_batch, curves.play_score)
        something = bool(own.batch or others)
        self._waiting.setVisible(not something)
        self._plots[0].setVisible(something)
        self._plots[1].setVisible(any(map(math.isfinite, own.accuracy)))
        self._plots[2].setVisible(bool(own.play_batch) or any(curves.play_batch for _, curves in others))
        self._name_axis()
        names = tuple(name for name, _ in others)
        if names != self._compared:
            self._compared = names
            self._name_others()

    def _name_axis(self) -> None:
        """The lowest plot that is shown says what x is."""
        *_, lowest = (None, *(plot for plot in self._plots if not plot.isHidden()))
        for plot in self._plots:
            plot.setLabel("bottom", "batch" if plot is lowest else None)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_compared"):
            self._style()
        super().changeEvent(event)

    def _name_others(self) -> None:
        legend = self._plots[0].plotItem.legend
        for index, item in enumerate(self._others[0]):
            legend.removeItem(item)
            if index < len(self._compared):
                legend.addItem(item, self._compared[index])
        self._style()

    def _style(self) -> None:
        palette = self.palette()
        window, text = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
        axis = QColor(text)
        axis.setAlpha(190)
        inks = look.tone(palette, "clone"), look.tone(palette, "person")
        for title, plot, own, others in zip(_TITLES, self._plots, self._own, self._others, strict=True):
            plot.setBackground(window)
            plot.setTitle(title, color=text.name(), size="10pt")
            for name in ("left", "bottom"):
                plot.getAxis(name).setPen(axis)
                plot.getAxis(name).setTextPen(axis)
                plot.getAxis(name).enableAutoSIPrefix(False)
            plot.getAxis("left").setWidth(52)
            plot.showGrid(x=False, y=True, alpha=0.18)
            own[0].setPen(inks[0], width=1.5)
            own[1].setPen(inks[1], width=2.5)
            for curve, meaning in zip(others, _OTHERS, strict=True):
                ink = look.tone(palette, meaning)
                curve.setPen(pyqtgraph.mkPen(ink, width=2, style=Qt.PenStyle.DashLine))
                if plot is self._plots[-1]:
                    _dots(curve, ink)
            if plot is self._plots[-1]:  # few points: a lone one draws no line
                _dots(own[1], inks[1])
            legend = plot.plotItem.legend
            if legend is not None:
                legend.setLabelTextColor(text)
                for _, label in legend.items:
                    label.setText(label.text)  # the colour alone does not repaint a label


class _LeftAxis(pyqtgraph.AxisItem):  # type: ignore[misc]  # pyqtgraph comes without types
    """Where it is logarithmic, it names 1, 2 and 5 of each decade; all nine would run into each other."""

    def logTickStrings(self, values: list[float], scale: float, spacing: float | None) -> list[str]:
        texts = super().logTickStrings(values, scale, spacing)
        leading = [round(10 ** (value - math.floor(value + 1e-9))) for value in values]
        named = (2, 5) if spacing is None else (1,)  # what lies between decades comes without a spacing
        return [text if first in named else "" for text, first in zip(texts, leading, strict=True)]


def _dots(curve: pyqtgraph.PlotDataItem, ink: QColor) -> None:
    curve.setSymbol("o")
    curve.setSymbolSize(7)
    curve.setSymbolBrush(ink)
    curve.setSymbolPen(None)
