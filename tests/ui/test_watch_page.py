from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton

from player.ui.from_here import FromHereButton
from player.ui.timeline import Timeline
from player.ui.watch_page import WatchPage
from player.watch.presenter import WatchPresenter, WatchState
from recorder import Library, RandomAgent, get_spec, record
from recorder.play.fork import Fork
from tests.player.conftest import untrained
from tests.waiting import PATIENCE_S


def application() -> QApplication:
    found = QApplication.instance()
    return found if isinstance(found, QApplication) else QApplication([])


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    path: Path = tmp_path_factory.mktemp("watch-page")
    record("breakout", RandomAgent(get_spec("breakout"), 1), library=path, seconds=4, seed=3)
    return Library(path)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        QTest.qWait(10)


def test_a_recording_opens_plays_pauses_and_changes_speed_by_keys(library: Library) -> None:
    application()
    page = WatchPage(WatchPresenter(library))
    page.show()
    page.activate()
    try:
        QTest.qWaitForWindowExposed(page)
        page.activateWindow()
        wait_until(lambda: page.presenter.state is WatchState.PAUSED)
        QTest.mouseClick(page.findChild(QPushButton, "playButton"), Qt.MouseButton.LeftButton)
        wait_until(lambda: page.presenter.frame is not None and page.presenter.frame.tick > 20)
        assert page.sides.left._side is not None
        assert page.sides.left._side.title == "Random player"
        page.setFocus()
        QTest.keyClick(page, Qt.Key.Key_Space)
        assert page.presenter.state is WatchState.PAUSED
        QTest.keyClick(page, Qt.Key.Key_Plus)
        assert page.findChild(QComboBox, "speedChoice").currentText() == "2×"
        QTest.keyClick(page, Qt.Key.Key_R)
        wait_until(lambda: page.presenter.state is WatchState.PLAYING)
        wait_until(lambda: page.presenter.state is WatchState.OVER)
        assert "scored" in page.findChild(QLabel, "verdict").text()

        timeline = page.findChild(Timeline, "timeline")
        assert timeline is not None
        assert timeline.ticks == 240
        middle = QPoint(round(timeline.place(120)), timeline.height() // 2)
        QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=middle)
        wait_until(lambda: page.presenter.frame is not None and page.presenter.frame.tick < 240)
        assert page.presenter.frame is not None
        assert page.presenter.frame.tick == pytest.approx(120, abs=2)
        assert page.presenter.state is WatchState.PAUSED
        there = page.presenter.frame.tick
        QTest.keyClick(page, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        wait_until(lambda: page.presenter.frame is not None and page.presenter.frame.tick == there + 60)
        QTest.keyClick(page, Qt.Key.Key_Left)
        wait_until(lambda: page.presenter.frame is not None and page.presenter.frame.tick == there + 59)
    finally:
        page.shutdown()
        page.close()
        page.deleteLater()
        QTest.qWait(1)


def test_a_menu_opened_while_the_twin_catches_up_offers_its_moment_once_it_is_there(tmp_path: Path) -> None:
    application()
    record("breakout", RandomAgent(get_spec("breakout"), 1), library=tmp_path, seconds=4, seed=3)
    Library(tmp_path).policies.mkdir()
    untrained("breakout", Library(tmp_path).policies / "new.safetensors", network="nature", size=36)
    presenter = WatchPresenter(Library(tmp_path))
    button = FromHereButton(presenter)
    asked: list[Sequence[Fork]] = []
    button.play_on_requested.connect(lambda forks, _seconds, _policy: asked.append(forks))

    def polled_until(condition: Callable[[], object]) -> None:
        wait_until(lambda: (presenter.poll(), button.show_state(), condition())[-1])

    try:
        presenter.refresh()
        presenter.pair.choose_defaults()
        presenter.open()
        polled_until(lambda: presenter.state is WatchState.PAUSED)
        presenter.play_on(60)
        polled_until(lambda: presenter.frame is not None and presenter.frame.behind)
        button.menu().aboutToShow.emit()
        entry = button.menu().findChild(QAction, "playOnFromTwin")
        assert not entry.isEnabled()
        assert entry.text() == "Play on from the twin's game, once it has caught up"
        polled_until(entry.isEnabled)
        assert entry.text() == "Play on from the twin's game, 0:01"
        entry.trigger()
        assert [len(fork.actions) for forks in asked for fork in forks] == [60]
    finally:
        presenter.close()
        button.deleteLater()
        QTest.qWait(1)


def test_an_empty_library_leads_to_the_record_page(tmp_path: Path) -> None:
    application()
    page = WatchPage(WatchPresenter(Library(tmp_path)))
    asked: list[str] = []
    page.page_requested.connect(asked.append)
    page.show()
    page.activate()
    QTest.mouseClick(page.findChild(QPushButton, "goRecordButton"), Qt.MouseButton.LeftButton)
    assert asked == ["record"]
    page.shutdown()
    page.close()
    page.deleteLater()
    QTest.qWait(1)
