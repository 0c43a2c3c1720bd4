"""Am I getting better? Each game a dot, and the mean of the last few as a line."""

from __future__ import annotations

import pyqtgraph
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from recorder.library.presenter import History
from recorder.ui.kit import look


class ProgressPlot(QWidget):
    """Shows a History."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("progressPane")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.SMALL)
        self._headline = look.heading("", "progressHeadline", 1.0)
        self._headline.setWordWrap(True)
        layout.addWidget(self._headline)
        self._plot = pyqtgraph.PlotWidget()
        self._plot.setObjectName("scorePlot")
        self._plot.setAccessibleName("Score over time")
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setMouseEnabled(False, False)
        self._plot.hideButtons()
        self._plot.setMenuEnabled(False)
        self._plot.setToolTip("Each dot is a game; the line is the mean of the last ten")
        self._plot.setFixedHeight(170)
        self._plot.setLabel("bottom", "game")
        self._plot.setLabel("left", "score")
        self._dots = self._plot.plot(pen=None, symbol="o", symbolSize=6)
        self._mean = self._plot.plot()
        layout.addWidget(self._plot)
        self._style()

    def show_history(self, history: History, headline: str) -> None:
        """Show these games."""
        self._headline.setText(headline)
        self._plot.setVisible(bool(history.scores))  # the headline says that there is nothing yet
        games = list(range(1, len(history.scores) + 1))
        self._plot.getAxis("bottom").setTickSpacing(levels=[(_step(len(games)), 0)])
        self._dots.setData(games, history.scores)
        self._mean.setData(games, history.means)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_mean"):
            self._style()
        super().changeEvent(event)

    def _style(self) -> None:
        palette = self.palette()
        text = palette.color(QPalette.ColorRole.Text)
        dot = QColor(look.tone(palette, "person"))
        dot.setAlpha(150)
        self._plot.setBackground(palette.color(QPalette.ColorRole.Base))
        self._plot.showGrid(x=False, y=True, alpha=0.18)
        for name in ("left", "bottom"):
            self._plot.getAxis(name).setPen(text)
            self._plot.getAxis(name).setTextPen(text)
        self._dots.setSymbolBrush(dot)
        self._dots.setSymbolPen(None)
        self._mean.setPen(pyqtgraph.mkPen(palette.color(QPalette.ColorRole.Link), width=2.5))


def _step(games: int) -> int:
    """From one number below the plot to the next: 1, 2, 5, 10, 20 …, so that at most ten are there."""
    step = 1
    while games > 10 * step:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return step
