"""A virtual screen for the tests that open a real window, and a hand to work it with."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def virtual_screen(folder: Path | None = None) -> Iterator[str]:
    """Runs an X server without a screen; gives its DISPLAY. With a `folder` it keeps its picture in a file there."""
    assert shutil.which("Xvfb"), "Xvfb is missing; `make packages` installs it"
    assert shutil.which("xdotool"), "xdotool is missing; `make packages` installs it"
    reader, writer = os.pipe()
    kept = [] if folder is None else ["-fbdir", str(folder)]
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x900x24", "-nolisten", "tcp", *kept],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as pipe:
        display = f":{pipe.readline().strip()}"
    try:
        yield display
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session", autouse=True)
def screen() -> Iterator[str]:
    """The DISPLAY of a virtual screen of its own, also for windows that tests open in this process."""
    with virtual_screen() as display:
        os.environ |= {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        yield display


@pytest.fixture(autouse=True)
def qt_is_content() -> Iterator[None]:
    """A warning of Qt's fails the test that provoked it."""
    messages: list[str] = []
    previous = qInstallMessageHandler(lambda kind, context, text: messages.append(text))
    yield
    qInstallMessageHandler(previous)
    assert messages == []


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """A widget, a thread or a process that outlives its test fails it."""
    threads, processes, widgets = _threads(), _children(), _top_widgets()
    gc.freeze()  # what was there before the test need not be looked through after it, which takes a tenth of a second
    try:
        yield
        _wait_until_gone(threads, processes, widgets)
    finally:
        gc.unfreeze()


def _wait_until_gone(threads: set[threading.Thread], processes: dict[str, str], widgets: set[QWidget]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:  # what was told to end may take a moment
        gc.collect()
        left = [
            *(thread.name for thread in _threads() - threads),
            *(command for pid, command in _children().items() if pid not in processes),
            *(repr(widget) for widget in _top_widgets() - widgets),
        ]
        if not left:
            return
        time.sleep(0.02)
    pytest.fail(f"left behind: {', '.join(left)}")


def _threads() -> set[threading.Thread]:
    """Those alive, but for the pool that zarr keeps for the whole process."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith(("zarr_io", "asyncio_"))}


def _top_widgets() -> set[QWidget]:
    if QApplication.instance() is None:
        return set()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    # The menus of pyqtgraph's plots have no parent and go with the last reference to the plot.
    return {widget for widget in QApplication.topLevelWidgets() if not isinstance(widget, QMenu)}


def _children() -> dict[str, str]:
    """Process number -> command of this process's living children, but for Python's own resource tracker."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # of a thread that has just ended
            for pid in (task / "children").read_text().split():
                command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
                if command and "resource_tracker" not in command:  # a dead one has none
                    found[pid] = command
    return found


class Hand:
    """Works the window in another process as a person does: looks, clicks, holds keys."""

    def __init__(self, display: str, folder: Path, *arguments: str) -> None:
        self.display = display
        self._seen = folder / "screen.json"
        self._seen.unlink(missing_ok=True)  # of a window before
        self._log = (folder / "app.log").open("w+")
        self._crash = folder / "state" / "twinplay" / "log" / "crash.txt"
        self._env = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONWARNINGS": "error"}
        self._env["XDG_CONFIG_HOME"] = str(folder / "config")  # not the keys of whoever runs the tests
        self._env["XDG_STATE_HOME"] = str(folder / "state")  # nor their log
        self._env["XDG_DATA_HOME"] = str(folder / "data")  # nor their library
        self._env["XDG_CACHE_HOME"] = str(folder / "cache")  # nor their pictures of games
        command = [sys.executable, "-m", "player.app", "--describe-to", str(self._seen), "--countdown", "0.5"]
        command += arguments
        self.window = ""  # its number on the X server
        self.process = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=self._log, stderr=self._log)

    def arrive(self) -> None:
        """Wait for the window and give it the keyboard."""
        self.wait(lambda: "navigation" in self.look()["widgets"])
        self.window = self.xdotool("search", "--onlyvisible", "--name", "^Twinplay$").split()[-1]
        self.xdotool("windowmove", "--sync", self.window, "0", "0")
        self.wait(lambda: self.look()["widgets"]["window"]["rect"][:2] == [0, 0])  # else a click would miss its button
        self.focus()

    def focus(self) -> None:
        """Give the window the keyboard, as a window manager does once a dialog closes."""
        self.xdotool("windowfocus", "--sync", self.window)
        self.wait(lambda: self.look()["state"]["active"])

    def look(self) -> dict[str, Any]:
        """What is on screen."""
        try:
            seen: dict[str, Any] = json.loads(self._seen.read_text())
            return seen
        except FileNotFoundError:
            return {"state": {}, "widgets": {}}

    def wait(self, until: Callable[[], Any], seconds: float = PATIENCE_S) -> None:
        """Wait for something to be so."""
        deadline = time.monotonic() + seconds
        while not until():
            if self.process.poll() is not None:
                crash = self._crash.read_text() if self._crash.exists() else ""
                pytest.fail(f"the window has gone ({self.process.returncode}):\n{self.output()}{crash}")
            assert time.monotonic() < deadline, f"never came about; on screen: {self.look()}\n{self.output()}"
            time.sleep(0.05)

    def xdotool(self, *arguments: str) -> str:
        done = subprocess.run(["xdotool", *arguments], env=self._env, capture_output=True, text=True, check=True)
        return done.stdout

    def click(self, name: str) -> None:
        """Click a named widget, once it is there, enabled and at rest."""
        left, top, width, height = self.place(name)
        self.xdotool("mousemove", str(left + width // 2), str(top + height // 2), "click", "1")

    def place(self, name: str) -> list[int]:
        """Where on the screen a named widget is (left, top, width, height), once two looks in a row agree on it."""
        when, where = 0, [0, 0, 0, 0]

        def at_rest() -> bool:
            nonlocal when, where
            now, widget = self._seen.stat().st_mtime_ns, self.look()["widgets"].get(name, {})
            if now == when or not widget.get("enabled"):
                return False
            before, when, where = where, now, widget["rect"]
            return where == before

        self.wait(at_rest)
        return where

    def hold(self, key: str, seconds: float) -> None:
        """Hold a key down."""
        self.xdotool("keydown", key)
        time.sleep(seconds)
        self.xdotool("keyup", key)

    def output(self) -> str:
        """What the program printed."""
        self._log.flush()
        self._log.seek(0)
        return self._log.read()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        if self._log.closed:
            return  # closed before
        printed = self.output()
        self._log.close()
        assert "leaked" not in printed, printed  # such as a semaphore of a process that a signal ended


@pytest.fixture
def open_window(screen: str, tmp_path: Path) -> Iterator[Callable[..., Hand]]:
    """Opens the app in a process of its own, with a library under tmp_path."""
    hands: list[Hand] = []

    def open_it(*arguments: str) -> Hand:
        hands.append(Hand(screen, tmp_path, "--library", str(tmp_path / "library"), *arguments))
        hands[-1].arrive()
        return hands[-1]

    yield open_it
    for hand in hands:
        hand.close()
