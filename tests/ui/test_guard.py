"""What nobody foresaw, in a window of this process: it is logged and told, and what was recorded is kept."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAction, QGuiApplication, QPalette, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QWidget,
)

from player.support.sample import SAMPLE
from player.ui.dialogs import AboutDialog, PlayerDialog, ShortcutsDialog
from player.ui.export_dialog import ExportDialog
from player.ui.guard import Guard
from player.ui.memory import Memory
from player.ui.menu import all_keys
from player.ui.score_dialog import ScoreDialog
from player.ui.watchdog import Watchdog
from player.ui.window import PAGES, Window
from player.watch.presenter import WatchState
from recorder import Session, get_spec, verify
from recorder.library.library import Library
from recorder.recording.recent import RecentRecording
from recorder.recording.take_control import RecordState
from recorder.system.jobs import start_thread
from recorder.system.logfile import begin_log, end_log, log_file
from recorder.ui.game_keys import usual
from recorder.ui.keys_dialog import KeysDialog
from recorder.ui.kit import look
from recorder.ui.kit.keys import Keyboard
from recorder.ui.kit.page import Page
from recorder.ui.takes_list import TakesList
from recorder.ui.trash_dialog import TrashDialog
from tests.waiting import PATIENCE_S
from trainer.runs.news import News
from trainer.runs.presenter import TrainPresenter
from trainer.ui.advanced_dialog import AdvancedDialog

_USUAL = usual(get_spec("breakout"))


@pytest.fixture
def window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    QApplication.instance() or QApplication([])
    (tmp_path / "library").mkdir()
    memory = Memory(tmp_path / "settings.ini")
    window = Window(
        tmp_path / "library", lambda library: TrainPresenter(Library(library)), memory, "Ada", countdown_s=0.2
    )
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    window.activateWindow()
    yield window
    window.close()
    window.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def guard(window: Window, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    assert begin_log() == ""
    guard = Guard(window)
    guard.failures.watch()
    guard.failed.connect(window.tell_failure)
    yield guard
    end_log()


def wait(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, "never came about"
        QTest.qWait(5)


def said(window: Window) -> str:
    label = window.findChild(QLabel, "noticeText")
    return label.text() if label.isVisible() else ""


def failing_button(window: Window) -> QPushButton:
    button = QPushButton("Fail", window, focusPolicy=Qt.FocusPolicy.NoFocus)
    button.clicked.connect(lambda: {}["of all things"])
    button.show()
    return button


def test_an_exception_in_a_slot_holds_the_take_is_logged_and_told_and_nothing_recorded_is_lost(
    window: Window, guard: Guard, capfd: pytest.CaptureFixture[str]
) -> None:
    presenter = window.record.presenter
    QTest.mouseClick(window.findChild(QPushButton, "recordButton"), Qt.MouseButton.LeftButton)
    wait(lambda: presenter.status is not None and presenter.status.ticks > 30)
    button = failing_button(window)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    wait(lambda: said(window))
    assert "Unexpected error (KeyError: 'of all things')" in said(window)
    assert "Your recordings are safe" in said(window)
    assert presenter.state is RecordState.PAUSED
    log = log_file().read_text()
    assert "Traceback" in log
    assert "of all things" in log
    assert "KeyError: 'of all things'" in capfd.readouterr().err

    QTest.mouseClick(window.findChild(QPushButton, "noticeAction"), Qt.MouseButton.LeftButton)
    wait(lambda: said(window).startswith("The diagnostics are on the clipboard"))
    pasted = QGuiApplication.clipboard().text()
    assert "PySide6-Essentials:" in pasted
    assert "KeyError: 'of all things'" in pasted

    ticks = presenter.status.ticks
    QTest.keyClick(window, Qt.Key.Key_P)
    wait(lambda: presenter.status.ticks > ticks)
    QTest.mouseClick(window.findChild(QPushButton, "stopButton"), Qt.MouseButton.LeftButton)
    wait(lambda: presenter.finished.last_take is not None)
    assert presenter.finished.last_take is not None
    session = Session.open(presenter.finished.last_take)
    assert session.player["name"] == "Ada"
    assert verify(session).ok


def test_an_exception_in_a_tick_holds_the_take_which_can_go_on(
    window: Window, guard: Guard, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    presenter = window.record.presenter
    QTest.mouseClick(window.findChild(QPushButton, "recordButton"), Qt.MouseButton.LeftButton)
    wait(lambda: presenter.status is not None and presenter.status.ticks > 30)
    with monkeypatch.context() as broken:
        broken.setattr(presenter.keys, "act", lambda observation: 1 / 0)
        wait(lambda: said(window))
        assert "ZeroDivisionError" in said(window)
        assert presenter.state is RecordState.PAUSED
    ticks = presenter.status.ticks
    QTest.keyClick(window, Qt.Key.Key_P)
    wait(lambda: presenter.status.ticks > ticks + 30)
    QTest.mouseClick(window.findChild(QPushButton, "stopButton"), Qt.MouseButton.LeftButton)
    wait(lambda: presenter.finished.last_take is not None)
    session = Session.open(presenter.finished.last_take)
    assert len(session) > ticks + 30
    assert verify(session).ok
    assert capfd.readouterr().err.count("Traceback") == 1


def test_one_that_comes_again_and_again_is_written_out_once_and_then_counted(
    window: Window, guard: Guard, capfd: pytest.CaptureFixture[str]
) -> None:
    button = failing_button(window)
    for _ in range(12):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    log = log_file().read_text()
    assert log.count("Traceback") == 1
    assert "KeyError again, 10 times so far" in log
    assert capfd.readouterr().err.count("Traceback") == 1


def test_a_thread_that_fails_is_told_too(window: Window, guard: Guard, capfd: pytest.CaptureFixture[str]) -> None:
    start_thread(lambda: [][1], "unlucky").join(PATIENCE_S)
    wait(lambda: said(window))
    assert "IndexError" in said(window)
    assert "IndexError" in capfd.readouterr().err


def test_the_watchdog_tells_how_long_the_window_was_held_up_and_where(window: Window, tmp_path: Path) -> None:
    button = QPushButton("Block", window, focusPolicy=Qt.FocusPolicy.NoFocus)
    button.clicked.connect(lambda: time.sleep(0.2))
    button.show()
    watchdog = Watchdog(tmp_path / "held-up.json", lambda: window.page, window)
    QTest.qWait(50)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    QTest.qWait(50)
    watchdog.stop()
    found = json.loads((tmp_path / "held-up.json").read_text())
    assert max(ms for page, ms in found["held_up"] if page == "record") >= 190
    assert found["worst_ms"]["record"] >= 190
    assert "test_guard.py" in (tmp_path / "held-up.stacks").read_text()


def test_the_list_of_shortcuts_is_that_of_the_pages(window: Window) -> None:
    def keys_of(parent: object, **options: object) -> set[str]:
        return {shortcut.key().toString() for shortcut in parent.findChildren(QShortcut, **options)}

    tables = all_keys(window)
    tables["record"] = tuple(each for each in tables["record"] if not each[1].endswith(", in the game"))
    listed = {page: {key for keys, _ in entries for key in keys.split()} for page, entries in tables.items()}
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    assert keys_of(window, options=direct) == listed.pop("window")
    for page in PAGES:
        assert keys_of(window.findChild(QWidget, f"{page}Page"), options=direct) == listed.pop(page, set()), page
    assert listed == {}

    dialog = ShortcutsDialog(tables, window)
    card = dialog.findChild(QWidget, "controllerShortcuts")
    said = " ".join(label.text() for label in card.findChildren(QLabel))
    assert all(word in said for word in ("Game controller", "D-pad", "Fire, serve", "Start, pause, resume"))
    dialog.close()


def test_the_list_of_shortcuts_has_the_keys_of_the_chosen_game(window: Window) -> None:
    window.record.presenter.choose("seaquest")
    window.findChild(QAction, "shortcutsAction").trigger()
    dialog = window.findChild(QDialog, "shortcutsDialog")
    said = [label.text() for label in dialog.findChild(QWidget, "recordShortcuts").findChildren(QLabel)]
    listed = dict(zip(said[1::2], said[2::2], strict=True))
    spec = window.record.presenter.spec
    assert len(spec.controls) == 5
    assert [what for what in listed.values() if what.endswith(", in the game")] == [
        f"{control}, in the game" for control in spec.controls
    ]
    assert listed["<b>↑ or W</b>"] == "UP, in the game"
    dialog.close()


def test_a_page_that_is_shown_has_the_keyboard(window: Window) -> None:
    SAMPLE.add(window.library)
    for page in (*PAGES[1:], *PAGES):
        QTest.mouseClick(window.findChild(QPushButton, f"{page}Tab"), Qt.MouseButton.LeftButton)
        wait(lambda: not window.sessions.presenter.busy)
        shown = window.findChild(QWidget, f"{page}Page")
        assert window.focusWidget() is shown or shown.isAncestorOf(window.focusWidget()), page


def test_a_screen_reader_is_told_the_name_of_all_that_takes_the_keyboard(window: Window) -> None:
    SAMPLE.add(window.library)
    for page in PAGES:
        window.show_page(page)
        QTest.qWait(50)
    wait(lambda: not window.sessions.presenter.busy)
    window.notice.tell("There is news.", "Look at it", lambda: None)
    assert nameless(window) == []


DIALOGS: dict[str, Callable[[Window], QDialog]] = {
    "keys": lambda window: KeysDialog(_USUAL, _USUAL, [(1, "Fire")], {}, Keyboard(window), tuple, window),
    "trash": lambda window: TrashDialog(window.sessions.presenter, window),
    "advanced": lambda window: AdvancedDialog("breakout", "standard", {}, window),
    "film": lambda window: ExportDialog(window.watch.presenter, window),
    "scores": lambda window: ScoreDialog(window.watch.presenter, window),
    "player": lambda window: PlayerDialog("Ada", window),
    "shortcuts": lambda window: ShortcutsDialog(all_keys(window), window),
    "about": AboutDialog,
}


def test_a_screen_reader_is_told_the_names_in_every_dialog(window: Window) -> None:
    for name, dialog in DIALOGS.items():
        shown = dialog(window)
        shown.show()
        assert nameless(shown) == [], name
        shown.close()


def nameless(window: QWidget) -> list[str]:
    found = []
    for widget in window.findChildren(QWidget):
        views = widget.parent()
        inside = isinstance(views, QAbstractScrollArea) and widget is views.viewport()
        inside = inside or isinstance(views, (QAbstractSpinBox, QComboBox))
        if inside or widget.isHidden() or widget.window() is not window or isinstance(widget, (QScrollArea, Page)):
            continue
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            name = QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
            # Without one of its own, Qt tells a box's value in place of its name.
            if not (widget.accessibleName() if isinstance(widget, (QAbstractSpinBox, QComboBox)) else name):
                found.append(widget.objectName() or repr(widget))
    return found


def test_a_window_that_closes_as_watch_is_opened_starts_no_player(window: Window) -> None:
    SAMPLE.add(window.library)
    window.show_page("watch")
    window.close()
    QTest.qWait(50)
    assert window.watch.presenter.state is WatchState.EMPTY


@pytest.mark.parametrize("name", PAGES[1:])
def test_an_empty_page_is_left_with_one_key(window: Window, name: str) -> None:
    window.show_page(name)
    wait(lambda: isinstance(window.focusWidget(), QPushButton) and window.focusWidget().text() == "Go to Record")
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    assert window.page == "record"


def test_every_button_of_record_is_reached_by_tab_and_hands_the_keyboard_back_to_the_game(window: Window) -> None:
    game = window.findChild(QWidget, "gameView")
    names = {"recordButton", "pauseButton", "stopButton", "discardButton", "keysButton", "soundButton"}
    names |= {"changeNameButton", "nextParticipantButton", "saveNameButton", "skipNameButton"}
    buttons = {name: window.findChild(QPushButton, name) for name in names}
    assert {button.focusPolicy() for button in buttons.values()} == {Qt.FocusPolicy.TabFocus}
    game.setFocus()
    reached = []
    for _ in range(8):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        reached.append(window.focusWidget().objectName())
    assert {"envBox", "limitKind", "recordButton", "keysButton", "soundButton"} <= set(reached)
    assert {"changeNameButton", "nextParticipantButton"} <= set(reached)
    buttons["changeNameButton"].setFocus()
    for key, then in ((Qt.Key.Key_Space, "nameField"), (Qt.Key.Key_Tab, "saveNameButton")):
        QTest.keyClick(window.focusWidget(), key)
        assert window.focusWidget().objectName() == then
    QTest.keyClick(buttons["saveNameButton"], Qt.Key.Key_Space)
    assert window.focusWidget() is game
    buttons["soundButton"].setFocus()
    QTest.keyClick(buttons["soundButton"], Qt.Key.Key_Space)
    assert window.focusWidget() is game
    buttons["recordButton"].setFocus()
    QTest.keyClick(buttons["recordButton"], Qt.Key.Key_Space)
    for state in (RecordState.COUNTDOWN, RecordState.RECORDING):
        wait(lambda state=state: window.record.presenter.state is state)
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        assert window.focusWidget() is game, state  # Space serves, and presses nothing


def test_of_many_takes_a_day_the_latest_have_a_card(window: Window, tmp_path: Path) -> None:
    takes = TakesList(window, window)
    line = RecentRecording(tmp_path / "take.zarr", "Breakout", "10:14", 1, 3.0, 60.0)
    takes.show_takes([line] * 30)
    assert len([card for card in takes.findChildren(QFrame) if card.objectName().startswith("takeCard")]) == 20
    assert takes.findChild(QLabel, "moreTakes").text() == "10 more are in the Library."
    few = TakesList(window, window)
    few.show_takes([line])
    assert takes.sizeHint().height() == few.sizeHint().height()  # the others are scrolled to


def test_a_library_that_has_gone_is_told_on_every_page_until_it_is_back(window: Window, tmp_path: Path) -> None:
    window.library.rename(tmp_path / "away")
    for name in ("library", "train", "watch"):
        window.show_page(name)
        assert f"Library folder not found: {window.library}" in said(window), name
    (tmp_path / "away").rename(window.library)
    window.show_page("train")
    assert said(window) == ""


def test_the_sample_plays_in_watch_wherever_it_is_asked_for_but_on_train(window: Window) -> None:
    pair = SAMPLE.add(window.library)
    window.show_page("train")
    window.show_sample(pair)
    assert (window.page, window.train.presenter.choice.paths) == ("train", [pair.session])
    window.show_page("library")
    window.show_sample(pair)
    assert (window.page, window.watch.presenter.pair.session) == ("watch", pair.session)
    wait(lambda: window.watch.presenter.state is WatchState.PLAYING)


def test_a_training_that_ends_elsewhere_is_told_but_not_into_a_game(window: Window, tmp_path: Path) -> None:
    news = News("Your twin is ready.", tmp_path / "clone.safetensors")
    window.show_page("train")
    window.train.run_over.emit(news)
    assert said(window) == ""  # it is to be seen there
    window.show_page("record")
    assert said(window) == ""
    QTest.mouseClick(window.findChild(QPushButton, "recordButton"), Qt.MouseButton.LeftButton)
    window.train.run_over.emit(news)
    assert said(window) == ""
    window.record.presenter.stop()
    window.show_page("library")
    assert said(window) == "Your twin is ready."
    QTest.mouseClick(window.findChild(QPushButton, "noticeAction"), Qt.MouseButton.LeftButton)
    assert (window.page, said(window)) == ("watch", "")


def test_whatever_is_in_the_window_follows_the_theme(window: Window) -> None:
    app = QApplication.instance()
    before, lines = app.palette(), QPalette.ColorRole.Mid  # which no style sheet sets
    try:
        for theme in ("dark", "light", "dark"):
            look.set_theme(app, theme)
            QApplication.processEvents()
            others = {
                widget.objectName() or type(widget).__name__
                for widget in window.findChildren(QWidget)
                if widget.palette().color(lines) != app.palette().color(lines)
            }
            assert others == set(), theme
    finally:
        look.set_theme(app, "system")
        app.setPalette(before)


def test_the_library_stays_while_a_training_is_under_way(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainPresenter, "training", True)
    assert not window.open_library(tmp_path / "other")
    assert said(window).startswith("A training is in progress. Stop it")
    monkeypatch.undo()
    assert window.open_library(tmp_path / "other")
    assert window.train.presenter.library.path == tmp_path / "other"
    wait(lambda: all(len(window.findChildren(QWidget, f"{page}Page")) == 1 for page in PAGES))
