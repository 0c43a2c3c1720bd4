"""A game controller in the real window, made by SDL itself: it plays, waits as the keyboard does, can be off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pygame
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDialog, QListWidget, QMenu, QPushButton, QWidget

from player.ui.window import Window
from recorder import Session
from recorder.agents.gamepad import NO_DEVICE
from recorder.recording.settings import UnsavedSettings
from recorder.recording.take_control import RecordState
from recorder.ui.game_view import GameView
from recorder.ui.record_page import open_presenter
from tests.recorder.virtual_pad import BACK, DPAD_DOWN, DPAD_LEFT, DPAD_RIGHT, DPAD_UP, START, A, VirtualPad
from tests.ui.test_guard import wait
from tests.ui.test_guard import window as window  # the fixture


@pytest.fixture
def pad(window: Window) -> Iterator[VirtualPad]:
    pad = VirtualPad("PS4 Controller", 0x054C, 0x09CC)
    wait(lambda: window.record.presenter.controls.devices)
    yield pad
    pad.unplug()


def click(window: QWidget, name: str) -> None:
    QTest.mouseClick(window.findChild(QPushButton, name), Qt.MouseButton.LeftButton)


def open_dialog(window: Window) -> tuple[QDialog, QComboBox]:
    click(window, "keysButton")
    dialog = window.findChild(QDialog, "keysDialog")
    wait(dialog.isActiveWindow)
    return dialog, dialog.findChild(QComboBox, "controllerBox")


def choose(window: Window, index: int) -> None:
    dialog, box = open_dialog(window)
    box.setCurrentIndex(index)
    click(dialog, "acceptKeysButton")
    window.activateWindow()
    wait(window.isActiveWindow)


def is_never(pad: VirtualPad, button: int, what: Callable[[], bool]) -> bool:
    """Whether a tap was taken in, and nothing came of it."""
    pad.tap(button)
    assert pygame.event.peek(pump=False)
    wait(lambda: not pygame.event.peek(pump=False))
    return not what()


def test_a_game_is_begun_played_and_held_with_a_controller_but_not_from_under_a_menu_or_a_dialog(
    window: Window, pad: VirtualPad
) -> None:
    presenter = window.record.presenter
    wait(window.isActiveWindow)
    menu = window.findChild(QMenu, "appMenu")
    click(window, "menuButton")
    wait(menu.isVisible)
    assert is_never(pad, START, lambda: presenter.busy)
    menu.close()
    dialog, box = open_dialog(window)
    assert [box.itemText(index) for index in range(box.count())] == ["Any controller", "PS4 Controller", "Off"]
    assert is_never(pad, START, lambda: presenter.busy)
    dialog.reject()
    window.activateWindow()
    wait(window.isActiveWindow)
    pad.tap(START)
    wait(lambda: presenter.state is RecordState.RECORDING)
    pad.press(DPAD_LEFT)
    wait(lambda: 3 in presenter.keys.held_actions)
    ticks = presenter.status.ticks
    wait(lambda: presenter.status.ticks > ticks)
    pad.release(DPAD_LEFT)
    wait(lambda: not presenter.keys.held_actions)
    pad.tap(START)
    wait(lambda: presenter.state is RecordState.PAUSED)
    pad.tap(START)
    wait(lambda: presenter.state is RecordState.RECORDING)
    click(window, "stopButton")
    wait(lambda: presenter.finished.last_take is not None)
    actions = Session.open(presenter.finished.last_take).actions
    assert 3 in actions
    assert 1 not in actions


def test_a_controller_leads_from_the_first_screen_to_a_saved_take(window: Window, pad: VirtualPad) -> None:
    presenter, box = window.record.presenter, window.findChild(QComboBox, "envBox")
    wait(window.isActiveWindow)
    assert presenter.env == box.currentData() == "breakout"
    pad.tap(DPAD_DOWN)
    wait(lambda: presenter.env != "breakout")
    wait(lambda: box.currentData() == presenter.env)
    pad.tap(DPAD_UP)
    wait(lambda: box.currentData() == presenter.env == "breakout")
    view = window.findChild(GameView)
    wait(lambda: "Controller · Start: begin" in view.accessibleDescription())
    pad.tap(A)
    wait(lambda: presenter.state is RecordState.RECORDING and presenter.status.ticks > 5)
    pad.tap(BACK)
    wait(lambda: presenter.state is RecordState.PAUSED)
    assert "Back: stop and save" in view.accessibleDescription()
    pad.tap(START)
    wait(lambda: presenter.state is RecordState.RECORDING)
    for _ in range(2):
        pad.tap(BACK)
        wait(lambda: not pygame.event.peek(pump=False))
    wait(lambda: presenter.finished.last_take is not None)
    assert len(Session.open(presenter.finished.last_take)) > 5


def test_a_controller_opens_the_list_of_all_games_and_chooses_in_it(window: Window, pad: VirtualPad) -> None:
    presenter = window.record.presenter
    wait(window.isActiveWindow)

    def opened() -> QListWidget:
        pad.tap(BACK)
        wait(lambda: presenter.chooser is not None)
        wait(window.findChild(QDialog, "gamesDialog").isActiveWindow)
        return window.findChild(QListWidget, "gamesList")

    games = opened()
    assert games.currentItem().text() == "Breakout"
    pad.tap(DPAD_RIGHT)
    wait(lambda: games.currentRow() == 1)
    pad.tap(DPAD_LEFT)
    wait(lambda: games.currentRow() == 0)
    pad.press(DPAD_DOWN)  # and held
    wait(lambda: games.currentRow() > 20)
    pad.release(DPAD_DOWN)
    pad.tap(DPAD_UP)
    pad.tap(BACK)
    wait(lambda: presenter.chooser is None)
    assert presenter.env == "breakout"
    assert not presenter.busy
    assert "Back: all games" in window.findChild(GameView).accessibleDescription()
    window.activateWindow()
    wait(window.isActiveWindow)
    games = opened()
    pad.tap(DPAD_DOWN)
    wait(lambda: games.currentRow() > 1)
    chosen = games.currentItem().text()
    pad.tap(A)
    wait(lambda: presenter.chooser is None)
    assert presenter.spec.title == chosen != "Breakout"
    assert not presenter.busy


def test_controllers_can_be_turned_off_and_stay_so(window: Window, pad: VirtualPad, tmp_path: Path) -> None:
    presenter = window.record.presenter
    choose(window, 2)
    assert presenter.key_choice.bindings.controller == NO_DEVICE
    assert is_never(pad, A, lambda: presenter.busy)
    other = open_presenter(tmp_path / "library", UnsavedSettings(), 0.0)
    assert other.key_choice.bindings.controller == NO_DEVICE
    other.shutdown()


def test_a_controller_that_is_not_there_stays_chosen(window: Window, pad: VirtualPad) -> None:
    choose(window, 1)
    pad.unplug()
    wait(lambda: not window.record.presenter.controls.devices)
    dialog, box = open_dialog(window)
    assert box.currentText() == "PS4 Controller (not connected)"
    click(dialog, "acceptKeysButton")
    assert window.record.presenter.key_choice.bindings.controller.name == "PS4 Controller"
