"""A combo box that shortens its text with an ellipsis if there is no room; the tooltip has the full text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, QSignalBlocker, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QWidget

from player.watch.pairing import Choice

SEPARATOR = Choice("", "separator")
_MOST = 12  # entries that are shown at once; the others are scrolled to
_AROUND = 24  # pixels, beside an entry's text


class ChoiceBox(QComboBox):
    """Shows Choices; `help_text` says what they are for."""

    def __init__(self, name: str, help_text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(help_text)
        self._help = help_text
        self.setMaxVisibleItems(_MOST)

    def show_choices(self, choices: Sequence[Choice], chosen: Path | int | None) -> None:
        """Offer these; the box is hidden where there are none."""
        blocker = QSignalBlocker(self)
        self.clear()
        for index, choice in enumerate(choices):
            if choice is SEPARATOR:
                self.insertSeparator(index)
                continue
            self.addItem(choice.label, choice.value)
            if choice.value == chosen:
                self.setCurrentIndex(index)
        blocker.unblock()
        self.setVisible(bool(choices))
        self.setToolTip("\n".join(text for text in (self._help, self.currentText()) if text))

    def showPopup(self) -> None:
        view, bar = self.view(), self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        room = self.screen().availableSize().width() - self.mapToGlobal(QPoint(0, 0)).x()
        view.setMinimumWidth(min(view.sizeHintForColumn(0) + bar + _AROUND, room))  # no entry is cut off
        view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        super().showPopup()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width()
        option.currentText = option.fontMetrics.elidedText(option.currentText, Qt.TextElideMode.ElideMiddle, room)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
