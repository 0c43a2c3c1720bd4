"""A library that cannot be written, or has gone, in a window of this process."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QPushButton, QTableWidget, QWidget

from player.ui.memory import Memory
from player.ui.window import PAGES, Window
from recorder import record
from recorder.agents.experts import scripted
from recorder.library.library import Library, user_library
from recorder.recording.take_control import RecordState
from tests.ui.test_watch_page import wait_until
from trainer.runs.policy_library import Policies
from trainer.runs.presenter import TrainPresenter
from trainer.runs.train_state import TrainState

SMALL = {"max_batches": 4, "validations": 1, "checks": 0, "play_games": 0, "threads": 1}


@pytest.fixture
def open_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Window]]:
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    QApplication.instance() or QApplication([])
    windows = []

    def open_it(library: Path) -> Window:
        windows.append(
            Window(
                library,
                lambda library: TrainPresenter(Library(library), overrides=SMALL),
                Memory(tmp_path / "settings.ini"),
                "Ada",
                countdown_s=0.2,
            )
        )
        windows[-1].show()
        assert QTest.qWaitForWindowExposed(windows[-1])
        return windows[-1]

    yield open_it
    for window in windows:
        window.shutdown()
        window.hide()
        window.deleteLater()
    QTest.qWait(1)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Makes a folder read-only: by its mode, which does not bind root, or else by a mount."""
    folders: list[Path] = []

    def make(folder: Path) -> None:
        folders.append(folder)
        if os.geteuid():
            folder.chmod(0o555)
        else:
            subprocess.run(["mount", "--bind", folder, folder], check=True)
            subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)

    yield make
    for folder in folders:
        if os.geteuid():
            folder.chmod(0o755)
        else:
            subprocess.run(["umount", "--lazy", folder], check=True)


def said(window: Window) -> str:
    label = window.findChild(QLabel, "noticeText")
    return label.text() if label.isVisible() else ""


def texts(window: Window) -> list[str]:
    """What is to be read in the window."""
    return [label.text() for label in window.findChildren(QLabel) if label.isVisible()]


def button(window: QWidget, name: str) -> QPushButton:
    found = window.findChild(QPushButton, name)
    assert found is not None, name
    return found


@pytest.mark.parametrize("place", ["/proc/nowhere/library", "file"])
def test_a_window_opens_on_a_library_that_cannot_be_and_lets_one_choose_another(
    open_window: Callable[[Path], Window], tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("no folder")
    library = tmp_path / place
    window = open_window(library)
    sentence = said(window)
    assert str(library) in sentence
    assert ("cannot be created" in sentence) is place.startswith("/proc")
    for page in PAGES:
        window.show_page(page)
        assert [text for text in texts(window) if str(library) in text] == [sentence], page
    window.show_page("record")
    record_button = button(window, "recordButton")
    assert not record_button.isEnabled()
    assert "no library folder" in record_button.toolTip()
    QTest.keyClick(window.record, Qt.Key.Key_Space)
    assert window.record.presenter.state is RecordState.IDLE
    QTest.mouseClick(button(window, "noticeAction"), Qt.MouseButton.LeftButton)
    dialog = window.findChild(QFileDialog, "libraryDialog")
    (tmp_path / "other").mkdir()
    dialog.fileSelected.emit(str(tmp_path / "other"))
    dialog.close()
    assert (window.library, said(window)) == (tmp_path / "other", "")
    assert button(window.record, "recordButton").isEnabled()


def test_a_read_only_library_is_browsed_watched_and_trained_from(
    open_window: Callable[[Path], Window], tmp_path: Path, read_only: Callable[[Path], None]
) -> None:
    library = tmp_path / "library"
    record("hopper", scripted("hopper"), library=library, episodes=1, seed=1)
    read_only(library)
    window = open_window(library)
    assert said(window).startswith(f"Library folder is read-only: {library}. ")
    assert str(user_library()) in said(window)
    assert not button(window, "recordButton").isEnabled()
    assert "read-only" in button(window, "recordButton").toolTip()
    wait_until(lambda: window.record.findChild(QPushButton, "trainTakeButton") is not None)
    assert button(window.record, "trainTakeButton").isEnabled()
    for name in ("discardTakeButton", "successTakeButton", "failureTakeButton"):
        assert not button(window.record, name).isEnabled()
        assert "read-only" in button(window.record, name).toolTip()
    window.show_page("library")
    presenter = window.sessions.presenter
    wait_until(lambda: len(presenter.rows) == 1 and presenter.preview.details is not None)
    for name in ("trashButton", "mergeButton", "splitButton", "excludeButton"):
        assert not button(window.sessions, name).isEnabled()
        assert "read-only" in button(window.sessions, name).toolTip()
    title = window.sessions.findChild(QLineEdit, "titleEdit")
    title.setFocus()
    QTest.keyClicks(title, "mine")
    games = window.sessions.findChild(QTableWidget, "gamesTable")
    games.setFocus()
    for key in (Qt.Key.Key_G, Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_X):
        QTest.keyClick(games, key)
    wait_until(lambda: not presenter.busy)
    assert (title.text(), presenter.error, presenter.can_undo) == ("", "", False)
    window.show_page("train")
    assert str(user_library()) in window.findChild(QLabel, "presetHint").text()
    QTest.mouseClick(button(window, "trainButton"), Qt.MouseButton.LeftButton)
    wait_until(lambda: window.train.presenter.state in (TrainState.DONE, TrainState.FAILED))
    assert window.train.presenter.state is TrainState.DONE, window.train.presenter.explanation
    (twin,) = Policies(user_library()).all()
    assert not (library / "policies").exists()
    window.show_page("watch")
    wait_until(lambda: window.watch.presenter.frame is not None)
    assert window.watch.presenter.pair.policy == twin.path
    assert window.watch.presenter.pair.session is not None
    window.show_page("record")


def test_a_folder_that_goes_during_play_is_told_once_on_every_page_and_all_recover(
    open_window: Callable[[Path], Window], tmp_path: Path
) -> None:
    library, away = tmp_path / "library", tmp_path / "away"
    record("hopper", scripted("hopper"), library=library, episodes=1, seed=1)
    window = open_window(library)
    presenter = window.record.presenter
    presenter.choose("breakout")
    QTest.mouseClick(button(window, "recordButton"), Qt.MouseButton.LeftButton)
    wait_until(lambda: presenter.status is not None and presenter.status.ticks > 40)
    library.rename(away)
    sentence = f"Library folder not found: {library}. Restore it or choose another."
    wait_until(lambda: bool(presenter.take.trouble) and said(window) == sentence)
    for page in PAGES:
        window.show_page(page)
        about = [text for text in texts(window) if str(library) in text or "No recordings" in text or "kept" in text]
        assert about == [sentence], page
    window.show_page("record")
    away.rename(library)
    wait_until(lambda: said(window) == "" and not presenter.take.trouble)
    presenter.stop()
    for page in PAGES[1:]:
        window.show_page(page)
        QTest.qWait(300)
        assert f"{page}Blank" not in [label.objectName() for label in window.findChildren(QLabel) if label.isVisible()]
    wait_until(lambda: len(window.sessions.presenter.rows) == 2 or bool(window.show_page("library")))
    assert len(window.train.presenter.choice.rows) == 2
    wait_until(lambda: len(window.watch.presenter.pair.sessions) == 2)


def test_what_is_deleted_under_a_take_is_not_called_kept(open_window: Callable[[Path], Window], tmp_path: Path) -> None:
    library = tmp_path / "library"
    record("breakout", scripted("breakout", 1), library=library, seconds=1, seed=1)
    window = open_window(library)
    presenter = window.record.presenter
    wait_until(lambda: window.record.findChild(QPushButton, "trainTakeButton") is not None)
    assert button(window.record, "trainTakeButton").isEnabled()
    QTest.mouseClick(button(window, "recordButton"), Qt.MouseButton.LeftButton)
    wait_until(lambda: presenter.status is not None and presenter.status.ticks > 40)
    shutil.rmtree(library)
    wait_until(lambda: bool(presenter.take.trouble))
    assert "nothing is lost" not in presenter.take.trouble
    presenter.stop()
    assert "its folder was deleted or moved" in presenter.error
    assert "kept" not in presenter.error
    assert not library.exists()
    assert "No such file" not in presenter.error
    wait_until(lambda: said(window).startswith("Library folder not found"))
    assert not button(window.record, "trainTakeButton").isEnabled()  # it leads nowhere
    library.mkdir()
    wait_until(lambda: said(window) == "" and button(window, "recordButton").isEnabled())
