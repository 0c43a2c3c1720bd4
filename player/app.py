"""The app's composition root: checks the system, builds the window and runs it.

Nothing here imports torch: training and playing clones happen in separate processes.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from player.support.diagnostics import app_version
from recorder.errors import LibraryError, SystemLibraryError
from recorder.library.library import Library, default_library
from recorder.store.places import keep_out_of_sessions, on_this_computer, place
from recorder.system.files import replacing
from recorder.system.interrupts import Noted, exit_status, handled
from recorder.system.logfile import LOG, begin_log, watch_for_crashes
from recorder.system.priority import come_first
from recorder.system.profile import clean_name
from trainer.runs.presenter import TrainPresenter

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from player.ui.window import Window

# How long the thread that writes a recording may keep the interpreter when a tick is due; Python's own 5 ms are felt.
_SWITCH_S = 0.0005
_DESCRIBING_NS = 5_000_000
_CRASHED = (
    "Twinplay closed unexpectedly last time. Everything up to the last second was saved. If it happens again, "
    "include the diagnostics in a bug report."
)
# What Qt's X11 plugin and MuJoCo's renderer load, and the Debian package that brings each.
_SYSTEM_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
}


def missing_packages() -> list[str]:
    """The Debian packages of the missing system libraries that a window needs."""
    missing = []
    for library, package in _SYSTEM_LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def check_system() -> None:
    """Raise SystemLibraryError if no window can be opened, with a clearer message than Qt's own."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise SystemLibraryError(
            "the window needs a screen, but neither DISPLAY nor WAYLAND_DISPLAY is set; "
            "everything also works without one, see: twinplay --help"
        )
    missing = missing_packages()
    if missing:
        raise SystemLibraryError(
            f"the window needs system libraries that are missing; install them with: "
            f"sudo apt-get install {' '.join(missing)}"
        )


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The app's options; `twinplay watch` passes session and policy on."""
    parser = argparse.ArgumentParser(prog="twinplay app", description="Open the window.")
    parser.add_argument("--library", default=None, metavar="DIR", help="folder of sessions")
    pages = ("record", "library", "train", "watch")
    parser.add_argument("--page", choices=pages, help="page to open first (default: the last one used)")
    parser.add_argument("--name", type=clean_name, metavar="NAME", help="name of the player, for this session only")
    parser.add_argument(
        "--countdown", type=float, default=3.0, metavar="S", help="seconds of countdown before a take (default: 3)"
    )
    parser.add_argument("--session", type=Path, metavar="SESSION", help="session to watch")
    parser.add_argument("--policy", type=Path, metavar="POLICY", help="policy to watch")
    parser.add_argument("--against", type=Path, metavar="POLICY", help="second policy to watch, in place of a session")
    parser.add_argument("--alike", action="store_true", help="let the policy play like its demonstrator")
    parser.add_argument(
        "--training-batches", type=int, metavar="N", help="most batches of every training, for quick trials"
    )
    parser.add_argument(
        "--describe-to",
        type=Path,
        metavar="FILE",
        help="write what is on the screen, and where, to a JSON file, for programs that control the window",
    )
    parser.add_argument("--watch-responsiveness", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    return parser.parse_args(list(argv))


def usable_library(asked: Path | None, wish: Path | None) -> tuple[Path, str]:
    """The library to open, and a sentence if it is not the one that was asked for.

    `asked`, from the command line or the environment, takes precedence over `wish`, which was chosen in the window. A
    `wish` that does not exist is kept for the next start. Raises LibraryError for a library that is a session, or
    inside one; the window opens any other, and says what is wrong with it.
    """
    default = asked or default_library()
    gone = ""
    if asked is None and wish is not None and not os.environ.get("TWINPLAY_LIBRARY"):
        if not wish.is_dir():
            gone = f"Library folder not found: {wish}. Opened {default} instead. Restore the folder or choose another."
        else:
            try:
                keep_out_of_sessions(on_this_computer(place(wish)))
                return wish, ""
            except LibraryError as error:
                gone = f"{error}. Opened {default} instead."
    keep_out_of_sessions(on_this_computer(place(default)))
    return default, gone


def open_app(argv: Sequence[str] = ()) -> int:
    """Open the window and return the exit status once it is closed.

    Raises SystemLibraryError if no window can be opened, LibraryError for a library or a file inside a session, and
    UsageError for a library at a URL.
    """
    options = parse(argv)
    asked = None if options.library is None else on_this_computer(place(options.library))
    for file in (options.describe_to, options.watch_responsiveness):
        if file is not None:
            keep_out_of_sessions(on_this_computer(place(file.parent)))
    check_system()
    come_first()
    sys.setswitchinterval(_SWITCH_S)
    # A window that is half built cannot be taken down: a signal that comes meanwhile closes it once it is there.
    with Noted() as noted:
        gc.disable()  # until all that stays is there: looking through it meanwhile takes a tenth of the time
        try:
            window, app = _open_window(options, asked)
        finally:
            gc.enable()
        leave = _leaver(window, app)
        with handled(leave):
            if noted.seen:
                leave(noted.seen)
            return int(app.exec())


def _open_window(options: argparse.Namespace, asked: Path | None) -> tuple[Window, QApplication]:
    """The app with its window, which is shown with what the options ask for."""
    no_log = begin_log()
    crashed = watch_for_crashes()
    LOG.info("Twinplay %s, Python %s, %s", app_version(), platform.python_version(), platform.platform())
    from PySide6.QtCore import QTimer

    from player.ui.guard import Guard
    from player.ui.memory import Memory
    from player.ui.window import Window

    memory = Memory()
    library, gone = usable_library(asked, memory.library)
    LOG.info("library %s", library)
    app = _application(memory.theme)
    guard = Guard(app)
    guard.watch()
    train_presenter = partial(_train_presenter, batches=options.training_batches)
    window = Window(library, train_presenter, memory, options.name or "", countdown_s=options.countdown)
    guard.failed.connect(window.tell_failure)
    memory.restore_place(window)
    memory.restore_pair(window)
    window.show()
    window.activateWindow()
    _show_first_page(window, options, memory.page)
    _warn(window, gone, crashed, no_log)
    if options.describe_to is not None:
        timer = QTimer(window, interval=90)  # no multiple of a tick's length, so that it does not meet one every time
        timer.timeout.connect(partial(_describe, window, options.describe_to))
        timer.start()
    # All that is here by now stays; looking through it again and again would hold up a tick for 40 ms.
    gc.collect()
    gc.freeze()

    if options.watch_responsiveness is not None:
        from player.ui.watchdog import Watchdog

        watchdog = Watchdog(options.watch_responsiveness, lambda: window.page, window)
        app.aboutToQuit.connect(watchdog.stop)
    return window, app


def _leaver(window: Window, app: QApplication) -> Callable[..., None]:
    """A signal handler that closes the window and ends the app."""
    from PySide6.QtCore import QTimer

    waker = QTimer(window, interval=200)  # lets Python see a signal while Qt waits
    waker.timeout.connect(lambda: None)
    waker.start()

    def finish(status: int) -> None:
        window.shutdown()
        app.exit(status)

    def leave(number: int, *_: object) -> None:
        # A signal may come in the middle of a poll, whose worker must not be closed there.
        QTimer.singleShot(0, window, lambda: finish(exit_status(number)))

    return leave


def _application(theme: str) -> QApplication:
    """Qt's application, with the app's name, icon and colours."""
    from PySide6.QtGui import QFontMetrics
    from PySide6.QtWidgets import QApplication

    from player.ui.guard import Opening
    from recorder.ui.kit.icons import app_icon
    from recorder.ui.kit.look import apply_theme

    with Opening():
        app = QApplication.instance() or QApplication(["twinplay"])
    assert isinstance(app, QApplication)
    if not QFontMetrics(app.font()).inFont("A"):  # Qt would draw a box for each letter
        raise SystemLibraryError(
            "the window needs a font, but none is installed; install one with: sudo apt-get install fonts-dejavu-core"
        )
    app.setApplicationName("Twinplay")
    app.setDesktopFileName("twinplay")
    app.setWindowIcon(app_icon())
    apply_theme(app, theme)
    return app


def _show_first_page(window: Window, options: argparse.Namespace, last_page: str) -> None:
    """Show the page that the options ask for, else the last one used."""
    from player.ui.window import PAGES

    if options.session is not None or options.policy is not None:
        window.watch_pair(options.session, options.policy, options.against, alike=options.alike)
    else:
        page = options.page or last_page
        window.show_page(page if page in PAGES else "record")


def _warn(window: Window, gone: str, crashed: bool, no_log: str) -> None:
    """Show the most important warning, if there is any."""
    from player.ui.menu import copy_diagnostics

    if window.folder.access.sentence:
        return  # the notice says so already
    if gone:
        window.notice.warn(gone, "Library folder…", window.menu.change_library)
    elif crashed:
        window.notice.warn(_CRASHED, "Copy diagnostics", partial(copy_diagnostics, window))
    elif no_log:
        window.notice.warn(no_log)


def _train_presenter(library: Path, *, batches: int | None) -> TrainPresenter:
    small = {} if batches is None else {"max_batches": batches, "play_games": 1, "play_ticks": 120}
    return TrainPresenter(Library(library), overrides=small)


def _describe(window: Window, path: Path) -> None:
    """Write the names, places and texts of all visible widgets to a file; a due tick is played first."""
    wait_ns = window.record.presenter.take.wait_ns
    if wait_ns is not None and wait_ns < _DESCRIBING_NS:
        return
    from PySide6.QtCore import QPoint
    from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QMenu, QWidget

    from recorder.ui.kit.look import is_dark

    widgets: dict[str, dict[str, Any]] = {}
    around = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    while around:
        widget = around.pop()
        # What is hidden hides what is in it, but for windows, which are looked through by themselves.
        around += [
            child
            for child in widget.children()
            if isinstance(child, QWidget) and child.isVisible() and not child.isWindow()
        ]
        name = widget.objectName()
        if not name or name.startswith("qt_"):
            continue
        corner = widget.mapToGlobal(QPoint(0, 0))
        entry: dict[str, Any] = {
            "rect": [corner.x(), corner.y(), widget.width(), widget.height()],
            "enabled": widget.isEnabled(),
        }
        if isinstance(widget, (QLabel, QAbstractButton, QLineEdit)):
            entry["text"] = widget.text()
        elif isinstance(widget, QComboBox):
            entry["text"] = widget.currentText()
        elif isinstance(widget, QMenu):
            for action in widget.actions():
                area = widget.actionGeometry(action).translated(corner)
                rect = [area.x(), area.y(), area.width(), area.height()]
                widgets[action.objectName()] = {"rect": rect, "enabled": action.isEnabled(), "text": action.text()}
        if widget.accessibleName():
            entry["name"] = widget.accessibleName()
        if widget.accessibleDescription():
            entry["description"] = widget.accessibleDescription()
        widgets[name] = entry
    frame = window.watch.presenter.frame
    state = {
        "page": window.page,
        "library": str(window.library),
        "theme": "dark" if is_dark(window.palette()) else "light",
        "active": window.isActiveWindow(),
        "recording": window.record.presenter.state.value,
        "ticks": 0 if window.record.presenter.status is None else window.record.presenter.status.ticks,
        "keycaps": [cap.keys for cap in window.record.keycaps],
        "watch_ticks": None if frame is None else [side.ticks if side else 0 for side in (frame.left, frame.right)],
    }
    place = [window.x(), window.y(), window.width(), window.height()]
    with replacing(path) as part:
        part.write_text(json.dumps({"state": state, "window": place, "widgets": widgets}))


if __name__ == "__main__":
    from recorder.system.commands import guarded

    sys.exit(guarded(lambda: open_app(sys.argv[1:])))
