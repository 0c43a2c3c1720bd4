"""One plot of curves over the batch. Import it when there is something to draw: see `recorder.ui.kit.plots`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyqtgraph
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette

from recorder.ui.kit import look

_LEAST_SPAN = 0.2  # of the axis of scores, as a share of the highest one
Line = tuple[list[float], list[float]]  # x and y


class CurvePlot:
    """Training and validation of one run, and a curve of each of the others in the inks that `others` names.

    With `dots`, every point is marked: of few points, a lone one draws no line. With `legend`, curves are named.
    """

    def __init__(self, title: str, others: Sequence[str], *, dots: bool, legend: bool) -> None:
        self._title, self._inks, self._dots = title, others, dots
        self.widget = plot = pyqtgraph.PlotWidget(axisItems={"left": _LeftAxis("left")})
        plot.setObjectName(f"{title.split()[0].lower()}Plot")
        plot.setAccessibleName(title)
        plot.setMouseEnabled(False, False)
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.setMinimumHeight(96)
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if legend:
            plot.addLegend(offset=(-8, 8))
        self._own = plot.plot(name="training"), plot.plot(name="validation")
        self._others = [plot.plot() for _ in others]
        self._named: tuple[str, ...] = ()
        self.style()

    def draw(self, training: Line, validation: Line, others: Sequence[Line]) -> None:
        """Draw these curves; of fewer `others` than there are inks, the last ones are empty."""
        for curve, line in zip(self._own, (training, validation), strict=True):
            curve.setData(*line)
        for index, curve in enumerate(self._others):
            curve.setData(*(others[index] if index < len(others) else ([], [])))
        if self._dots:  # a difference of a thousandth should not fill the plot
            highest = max(
                (abs(value) for _, values in (training, validation, *others) for value in values), default=0.0
            )
            self.widget.getViewBox().setLimits(minYRange=max(1.0, _LEAST_SPAN * highest))

    def name(self, names: tuple[str, ...]) -> None:
        """Name the other curves in the legend."""
        if names == self._named:
            return
        self._named, legend = names, self.widget.plotItem.legend
        for index, item in enumerate(self._others):
            legend.removeItem(item)
            if index < len(names):
                legend.addItem(item, names[index])
        self.style()

    def style(self) -> None:
        """Use the colours of the theme."""
        plot, palette = self.widget, self.widget.palette()
        text = palette.color(QPalette.ColorRole.Text)
        axis = QColor(text)
        axis.setAlpha(190)
        plot.setBackground(palette.color(QPalette.ColorRole.Base))
        plot.setTitle(self._title, color=text.name(), size="10pt")
        for name in ("left", "bottom"):
            plot.getAxis(name).setPen(axis)
            plot.getAxis(name).setTextPen(axis)
            plot.getAxis(name).enableAutoSIPrefix(False)
        plot.getAxis("left").setWidth(52)
        plot.showGrid(x=False, y=True, alpha=0.18)
        training, validation = self._own
        training.setPen(look.tone(palette, "clone"), width=1.5)
        self._ink(validation, look.tone(palette, "person"), width=2.5)
        for curve, meaning in zip(self._others, self._inks, strict=True):
            self._ink(curve, look.tone(palette, meaning), width=2, style=Qt.PenStyle.DashLine)
        legend = plot.plotItem.legend
        if legend is not None:
            legend.setLabelTextColor(text)
            for _, label in legend.items:
                label.setText(label.text)  # the colour alone does not repaint a label

    def _ink(self, curve: pyqtgraph.PlotDataItem, ink: QColor, **pen: object) -> None:
        curve.setPen(pyqtgraph.mkPen(ink, **pen))
        if self._dots:
            curve.setSymbol("o")
            curve.setSymbolSize(7)
            curve.setSymbolBrush(ink)
            curve.setSymbolPen(None)


class _LeftAxis(pyqtgraph.AxisItem):  # type: ignore[misc]  # pyqtgraph comes without types
    """Where it is logarithmic, it names 1, 2 and 5 of each decade; all nine would run into each other."""

    def logTickStrings(self, values: list[float], scale: float, spacing: float | None) -> list[str]:
        texts = super().logTickStrings(values, scale, spacing)
        leading = [round(10 ** (value - math.floor(value + 1e-9))) for value in values]
        named = (2, 5) if spacing is None else (1,)  # what lies between decades comes without a spacing
        return [text if first in named else "" for text, first in zip(texts, leading, strict=True)]
