"""Choosing which controller steers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QComboBox, QWidget

from recorder.agents.gamepad import ANY_DEVICE, NO_DEVICE, Device

_LOOK_MS = 300  # how soon one that is plugged in is on the list


class ControllerBox(QComboBox):
    """A list of the controllers that `devices` tells, of any and of none; `chosen` is one of them."""

    def __init__(self, chosen: Device, devices: Callable[[], Sequence[Device]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("controllerBox")
        self.setAccessibleName("Controller")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip("The game controller to play with")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._devices, self._first = devices, chosen
        self._shown: tuple[Device, ...] = ()
        self._look()
        timer = QTimer(self, interval=_LOOK_MS)
        timer.timeout.connect(self._look)
        timer.start()

    @property
    def chosen(self) -> Device:
        """The controller that shall steer."""
        index = self.currentIndex()
        return self._shown[index] if index >= 0 else self._first

    def _look(self) -> None:
        chosen, there = self.chosen, tuple(self._devices())
        away = () if chosen in (ANY_DEVICE, NO_DEVICE) or chosen.id in {each.id for each in there} else (chosen,)
        shown = (ANY_DEVICE, *there, *away, NO_DEVICE)
        if shown == self._shown or self.view().isVisible():
            return
        self._shown = shown
        self.clear()
        self.addItems([_title(each, connected=each not in away) for each in shown])
        self.setCurrentIndex(next(index for index, each in enumerate(shown) if each.id == chosen.id))


def _title(device: Device, *, connected: bool) -> str:
    _, _, count = device.id.partition("#")  # of several of one model
    name = f"{device.name} ({count})" if count else device.name
    return name if connected else f"{name} (not connected)"
