"""The Train page: choose sessions, train, see it learn. A view of trainer.train_desk; it holds no state of its own.

┌ banner ─────────────────────────────────────────────┐
│ sessions (ticked ones are learned from)  │  curves   │
│ what is chosen, warnings                 │           │
│ preset  [Train] [Stop]                   │  messages │
│ progress, time left / the result         │           │
└─────────────────────────────────────────────────────┘
"""

from __future__ import annotations

from pathlib import Path

import pyqtgraph
from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from recorder.ui import look
from recorder.ui.page import Page
from trainer.train_desk import Row, TrainDesk, TrainState

_POLL_MS = 100
_COLUMNS = ("Game", "Player", "Date", "Games", "Minutes", "Score")
_PRESETS = {
    "quick": ("Quick", "A first impression: about four minutes"),
    "standard": ("Standard", "Plays well: up to ten minutes"),
}


class TrainPage(Page):
    """Shows what `desk` says. Signals: `page_requested("record")`, and `watch_requested(policy path)`."""

    page_requested = Signal(str)
    watch_requested = Signal(object)

    def __init__(self, desk: TrainDesk, parent: QWidget | None = None) -> None:
        super().__init__("train", parent)
        self.desk = desk
        self._stack = QStackedWidget()
        self._stack.addWidget(self._build_empty())
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self._build_left())
        split.addWidget(self._build_right())
        split.setStretchFactor(0, 5)
        split.setStretchFactor(1, 4)
        split.setChildrenCollapsible(False)
        split.setSizes([600, 520])
        self._stack.addWidget(split)
        self.body.addWidget(self._stack, 1)
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._style_plots()
        self.activate()

    def activate(self) -> None:
        """The page is shown: look for new sessions."""
        if not self.desk.training:
            self.desk.refresh()
        self._fill()
        self._render()

    def deactivate(self) -> None:
        """The page is hidden; training goes on."""

    def choose(self, session: Path) -> None:
        """Tick this session alone, unless a training is under way."""
        if self.desk.training:
            return
        self.desk.again()
        for row in self.desk.rows:
            self.desk.choose(row.path, row.path == session)
        self._fill()
        self._render()

    def may_close(self) -> bool:
        """Ask before a training is cut short; True when the window may close."""
        if not self.desk.training:
            return True
        box = QMessageBox(self)
        box.setObjectName("closeWhileTraining")
        box.setWindowTitle("Training is under way")
        box.setText("Your twin is still learning.")
        box.setInformativeText("Closing stops the training; the best clone so far is kept.")
        stop = box.addButton("Stop and close", QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton("Go on training", QMessageBox.ButtonRole.RejectRole))
        box.exec()
        clicked = box.clickedButton()
        box.deleteLater()
        return clicked is stop

    def shutdown(self) -> None:
        """Stop training cleanly; called when the window closes."""
        self._timer.stop()
        self.desk.shutdown()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_plots"):
            self._style_plots()
        super().changeEvent(event)

    def _build_empty(self) -> QWidget:
        return self.empty_state(
            "No recordings yet",
            "Your twin learns from watching you play.\nRecord a few minutes first; ten or more are better.",
            "Go to Record",
            "goRecordButton",
            lambda: self.page_requested.emit("record"),
        )

    def _build_left(self) -> QWidget:
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(10)
        heading = QLabel("Learn from")
        font = heading.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.2)
        heading.setFont(font)
        layout.addWidget(heading)
        self._table = QTableWidget(0, len(_COLUMNS), objectName="sessionTable")
        self._table.setHorizontalHeaderLabels(list(_COLUMNS))
        self._table.verticalHeader().hide()
        self._table.setShowGrid(False)
        self._table.setAlternatingRowColors(True)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(0, 120)  # its contents' width forgets the tick box
        self._table.itemChanged.connect(self._ticked)
        layout.addWidget(self._table, 1)
        self._summary = QLabel(objectName="selectionSummary", wordWrap=True)
        self._warnings = QLabel(objectName="selectionWarnings", wordWrap=True)
        layout.addWidget(self._summary)
        layout.addWidget(self._warnings)
        row = QHBoxLayout()
        row.setSpacing(10)
        self._preset = QComboBox(objectName="presetChoice")
        for key, (label, tip) in _PRESETS.items():
            self._preset.addItem(label, key)
            self._preset.setItemData(self._preset.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self._preset.activated.connect(self._preset_chosen)
        self._train = QPushButton("Train", objectName="trainButton")
        self._train.setProperty("primary", True)
        self._train.setMinimumWidth(120)
        self._stop = QPushButton("Stop", objectName="stopTrainingButton", toolTip="Stop and keep the best so far")
        self._train.clicked.connect(self._start)
        self._stop.clicked.connect(self._stop_training)
        self._hint = QLabel()
        row.addWidget(self._preset)
        row.addWidget(self._hint, 1)
        row.addWidget(self._stop)
        row.addWidget(self._train)
        layout.addLayout(row)
        return side

    def _build_right(self) -> QWidget:
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(8, 0, 0, 0)
        layout.setSpacing(10)
        self._headline = QLabel(objectName="trainHeadline", wordWrap=True)
        font = self._headline.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.2)
        self._headline.setFont(font)
        self._progress = QProgressBar(objectName="trainProgress")
        self._watch = QPushButton("Watch your twin", objectName="watchButton")
        self._watch.setProperty("primary", True)
        self._watch.clicked.connect(lambda: self.watch_requested.emit(self.desk.policy))
        layout.addWidget(self._headline)
        layout.addWidget(self._progress)
        layout.addWidget(self._watch)
        self._titles, self._plots, self._curves = [], [], []
        for title in ("Loss", "Accuracy", "Score in play"):
            plot = pyqtgraph.PlotWidget()
            plot.setObjectName(f"{title.split()[0].lower()}Plot")
            plot.setTitle(title)
            plot.setMouseEnabled(False, False)
            plot.hideButtons()
            plot.setMenuEnabled(False)
            plot.setMinimumHeight(104)
            if title == "Loss":
                plot.addLegend(offset=(-8, 8))
            else:
                plot.setXLink(self._plots[0])
            self._plots.append(plot)
            self._titles.append(title)
            self._curves.append((plot.plot(name="training"), plot.plot(name="validation")))
            layout.addWidget(plot, 1)
        self._plots[-1].setLabel("bottom", "batch")
        self._messages = QPlainTextEdit(objectName="trainMessages", readOnly=True, maximumHeight=84)
        self._messages.setPlaceholderText("What happens in training is told here.")
        layout.addWidget(self._messages)
        return side

    def _style_plots(self) -> None:
        palette = self.palette()
        window, text = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
        train_ink, validation_ink = look.tone(palette, "clone"), look.tone(palette, "person")
        axis = QColor(text)
        axis.setAlpha(190)
        for title, plot, (training, validation) in zip(self._titles, self._plots, self._curves, strict=True):
            plot.setBackground(window)
            plot.setTitle(title, color=text.name(), size="10pt")
            for name in ("left", "bottom"):
                plot.getAxis(name).setPen(axis)
                plot.getAxis(name).setTextPen(axis)
            plot.showGrid(x=False, y=True, alpha=0.18)
            training.setPen(train_ink, width=1.5)
            validation.setPen(validation_ink, width=2.5)
            if plot is self._plots[-1]:  # few points: a lone one draws no line
                validation.setSymbol("o")
                validation.setSymbolSize(7)
                validation.setSymbolBrush(validation_ink)
                validation.setSymbolPen(None)
            if plot.plotItem.legend is not None:
                plot.plotItem.legend.setLabelTextColor(text)
                for _, label in plot.plotItem.legend.items:
                    label.setText(label.text)  # the colour alone does not repaint a label

    def _fill(self) -> None:
        blocker = QSignalBlocker(self._table)
        self._table.setRowCount(len(self.desk.rows))
        for index, row in enumerate(self.desk.rows):
            for column, text in enumerate(_texts(row)):
                item = QTableWidgetItem(text)
                item.setToolTip(f"{row.path.name}: {row.problem}" if row.problem else row.path.name)
                flags = Qt.ItemFlag.ItemIsSelectable
                if not row.problem:
                    flags |= Qt.ItemFlag.ItemIsEnabled
                if column == 0:
                    item.setData(Qt.ItemDataRole.UserRole, row.path)
                    flags |= Qt.ItemFlag.ItemIsUserCheckable
                    ticked = row.path in self.desk.chosen
                    item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
                elif column >= 3:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                item.setFlags(flags)
                self._table.setItem(index, column, item)
        blocker.unblock()

    def _ticked(self, item: QTableWidgetItem) -> None:
        if item.column() == 0:
            self.desk.choose(item.data(Qt.ItemDataRole.UserRole), item.checkState() is Qt.CheckState.Checked)
            self._render()

    def _preset_chosen(self, index: int) -> None:
        self.desk.preset = self._preset.itemData(index)
        self._render()

    def _start(self) -> None:
        self.desk.start()
        self._timer.start()
        self._render()

    def _stop_training(self) -> None:
        self.desk.stop()
        self._render()

    def _poll(self) -> None:
        if self.desk.poll():
            self._render()
        if not self.desk.training:
            self._timer.stop()

    def _render(self) -> None:
        desk = self.desk
        state, training, selection = desk.state, desk.training, desk.selection
        self.show_problem(desk.error)
        self._stack.setCurrentIndex(1 if desk.rows else 0)
        self._table.setEnabled(not training)
        self._summary.setText(selection.problem or f"{selection.env_title}: {selection.text}")
        self._warnings.setText("\n".join(f"Note: {warning}" for warning in selection.warnings))
        self._warnings.setVisible(bool(selection.warnings))
        self._preset.setEnabled(not training)
        self._preset.setCurrentIndex(self._preset.findData(desk.preset))
        self._hint.setText(_PRESETS[desk.preset][1])
        self._train.setEnabled(desk.can_train)
        self._train.setText("Train again" if state in (TrainState.DONE, TrainState.FAILED) else "Train")
        self._stop.setVisible(training)
        self._stop.setEnabled(state is TrainState.TRAINING)
        self._headline.setText(
            "How it learns"
            if state is TrainState.CHOOSING
            else "Training failed"
            if state is TrainState.FAILED
            else desk.headline
        )
        self._progress.setVisible(training)
        fraction = desk.fraction
        self._progress.setRange(0, 0 if fraction is None else 1000)
        if fraction is not None:
            self._progress.setValue(round(1000 * fraction))
        self._watch.setVisible(state is TrainState.DONE)
        curves = desk.curves
        (loss, val_loss), (accuracy, val_accuracy), (_, played) = self._curves
        loss.setData(curves.batch, curves.loss)
        val_loss.setData(curves.val_batch, curves.val_loss)
        accuracy.setData(curves.batch, curves.accuracy)
        self._plots[1].setVisible(desk.accuracy_known)
        val_accuracy.setData(curves.val_batch, curves.val_accuracy)
        played.setData(curves.play_batch, curves.play_score)
        text = "\n".join(desk.messages)
        if text != self._messages.toPlainText():
            self._messages.setPlainText(text)
            self._messages.verticalScrollBar().setValue(self._messages.verticalScrollBar().maximum())


def _texts(row: Row) -> tuple[str, ...]:
    if row.problem:
        return (row.env_title, row.problem, row.date, "", "", "")
    score = "" if row.score is None else f"{row.score:,.0f}"
    return (row.env_title, row.player, row.date, str(row.episodes), f"{row.minutes:.1f}", score)
