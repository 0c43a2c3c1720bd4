"""The pace of takes on the Record page: the frame skip is offered where there is one, and its texts are not cut off."""

from __future__ import annotations

from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton

from player.ui.window import Window
from tests.ui.test_guard import window as window  # the fixture

_BESIDE_TEXT = 36  # pixels of a list's frame and arrow


def choose(window: Window, name: str, text: str) -> None:
    box = window.findChild(QComboBox, name)
    index = box.findText(text)
    assert index >= 0, [box.itemText(each) for each in range(box.count())]
    box.setCurrentIndex(index)
    box.activated.emit(index)


def test_a_frame_skip_is_chosen_beside_the_pace_and_said(window: Window) -> None:
    page = window.record
    skip, sound = window.findChild(QComboBox, "skipBox"), window.findChild(QPushButton, "soundButton")
    page._choose("seaquest")
    assert skip.isVisibleTo(window)
    choose(window, "skipBox", "Skip 4")
    assert page.presenter.pace.frame_skip == 4
    assert any(label.text() == "15 actions per second" for label in window.findChildren(QLabel))
    assert not sound.isEnabled()
    assert sound.toolTip() == "There is no sound with a frame skip"
    page._choose("pendulum")
    assert not skip.isVisibleTo(window)
    assert any(label.text() == "20 frames per second" for label in window.findChildren(QLabel))


def test_no_choice_of_a_pace_is_cut_off(window: Window) -> None:
    window.resize(640, 480)
    window.record._choose("breakout")
    for name in ("paceBox", "skipBox"):
        box = window.findChild(QComboBox, name)
        wide = max(QFontMetrics(box.font()).horizontalAdvance(box.itemText(each)) for each in range(box.count()))
        assert wide + _BESIDE_TEXT <= box.width(), (name, wide, box.width())
