"""The menu at the right of the navigation: player, library, sample, theme, help.

It acts on the window, and saves choices in the window's Memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import PySide6
from PySide6.QtCore import QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QAction, QActionGroup, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QPushButton

from player.support.diagnostics import diagnostics, without_home
from player.support.sample import SAMPLE
from player.support.shortcuts import ListedKeys
from player.ui.dialogs import AboutDialog, PlayerDialog, ShortcutsDialog
from player.ui.memory import Memory
from player.ui.study_dialog import open_study
from recorder.errors import LibraryError, TwinplayError
from recorder.store.places import keep_out_of_sessions
from recorder.system.jobs import start_thread
from recorder.system.logfile import LOG, log_file
from recorder.ui.kit import look
from recorder.ui.kit.icons import icon, show_icon
from recorder.ui.kit.shortcuts import Shortcut
from recorder.ui.kit.words import window_words

if TYPE_CHECKING:
    from player.ui.window import Window

_THEMES = {"system": "System", "light": "Light", "dark": "Dark"}
_POLL_MS = 30
_T = TypeVar("_T")


class MenuButton(QPushButton):
    """Opens the menu; `window` is what it acts on."""

    def __init__(self, window: Window, memory: Memory) -> None:
        super().__init__("Menu", window)
        self.setObjectName("menuButton")
        self.setToolTip("Player, library, help (F10)")
        self._window, self._memory = window, memory
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard with the game
        show_icon(self, "menu")
        self._menu = QMenu(self, objectName="appMenu")
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToHide.connect(self._leave)
        self._build()
        self.clicked.connect(self._open)
        self.shortcuts = (
            Shortcut("F1", "These shortcuts", self._show_shortcuts),
            Shortcut("F10", "The menu", self._open),
        )

    def _open(self) -> None:
        """Open the menu below the button. It takes the keyboard, so a running game is paused."""
        self._window.record.lose_keyboard()
        self._freshen()
        corner = self.mapToGlobal(self.rect().bottomRight())
        self._menu.popup(corner - QPoint(self._menu.sizeHint().width() - 1, -3))

    def _leave(self) -> None:
        """Qt does not notify the button that the mouse has left it for the menu."""
        self.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
        self.update()

    def _build(self) -> None:
        self._player = self._add("player", "person", "Player…", self._ask_player)
        self._menu.addSeparator()
        self._folder = self._add("openLibrary", "folder", "Open the library folder", self._open_library)
        self._add("changeLibrary", "library", "Library folder…", self.change_library)
        self._add("study", "study", "Open a study…", lambda: open_study(self._window))
        self._add("sample", "sample", "Try it with the sample", lambda: try_sample(self._window))
        self._menu.addSeparator()
        themes = self._menu.addMenu("Theme")
        themes.setObjectName("themeMenu")
        themes.menuAction().setObjectName("themeAction")
        themes.menuAction().setData("theme")
        group = QActionGroup(self)
        for theme, title in _THEMES.items():
            action = QAction(title, group, objectName=f"{theme}ThemeAction", checkable=True)
            action.setChecked(theme == self._memory.theme)
            action.triggered.connect(partial(self._set_theme, theme))
            themes.addAction(action)
        self._add("shortcuts", "keys", "Keyboard shortcuts", self._show_shortcuts, "F1")
        self._add("tour", "watch", "Tour of Watch", self._show_tour)
        self._menu.addSeparator()
        self._add("diagnostics", "copy", "Copy diagnostics", partial(copy_diagnostics, self._window))
        self._add("log", "log", "Open the log folder", lambda: self._open_folder(log_file().parent))
        self._add("about", "about", "About Twinplay", lambda: AboutDialog(self._window).open())

    def _add(self, name: str, picture: str, title: str, does: Callable[[], object], keys: str = "") -> QAction:
        action = self._menu.addAction(title)
        action.setObjectName(f"{name}Action")
        action.setData(picture)
        if keys:
            action.setText(f"{title}\t{keys}")
        action.triggered.connect(lambda _checked=False: does())
        return action

    def _freshen(self) -> None:
        """Update the entries for player and library, and the icons' colour."""
        for action in self._menu.actions():
            if action.data():
                action.setIcon(icon(action.data(), self._menu.palette()))
        self._player.setText(f"Player: {_short(self._window.player_name or 'you')}…")
        short = Path(*self._window.library.parts[-2:])
        self._folder.setText(f"Open the library ({_short(str(short))})")
        self._folder.setToolTip(str(self._window.library))

    def _ask_player(self) -> None:
        dialog = PlayerDialog(self._window.player_name, self._window)
        dialog.accepted.connect(lambda: self._set_player(dialog.name))
        dialog.open()

    def _set_player(self, name: str) -> None:
        self._window.player_name = name

    def _open_library(self) -> None:
        self._open_folder(self._window.library)

    def _open_folder(self, folder: Path) -> None:
        if not folder.is_dir() or not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self._window.notice.warn(
                f"No file manager could be started. The folder is {folder}",
                "Copy the path",
                lambda: QGuiApplication.clipboard().setText(str(folder)),
            )

    def change_library(self) -> None:
        """Ask for another library folder, unless a recording or training is in progress."""
        why_not = self._window.busy
        if why_not:
            self._window.notice.warn(why_not)
            return
        dialog = QFileDialog(self._window, "Library folder", str(self._window.library), objectName="libraryDialog")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: self._set_library(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _set_library(self, folder: Path) -> None:
        try:
            keep_out_of_sessions(folder)
        except LibraryError as error:
            self._window.notice.warn(window_words(str(error)))
            return
        if self._window.open_library(folder):
            self._memory.library = folder
            LOG.info("library %s", folder)

    def _set_theme(self, theme: str) -> None:
        self._memory.theme = theme
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        look.set_theme(app, theme)

    def _show_tour(self) -> None:
        self._window.show_page("watch")
        self._window.watch.begin_tour()

    def _show_shortcuts(self) -> None:
        if self._window.findChild(QDialog, "shortcutsDialog") is None:
            ShortcutsDialog(all_keys(self._window), self._window).open()


def _short(text: str, most: int = 34) -> str:
    return (text if len(text) <= most else f"{text[: most - 1]}…").replace("&", "&&")


def all_keys(window: Window) -> dict[str, ListedKeys]:
    """What the keys do, of the window and of each page by its name; with those that play the chosen game."""
    tables: dict[str, Iterable[Shortcut]] = {
        "window": window.shortcuts,
        **{page.name: page.shortcuts for page in window.pages},
    }
    listed = {name: tuple((each.keys, each.does) for each in table) for name, table in tables.items()}
    own = ((" ".join(cap.keys.split(" or ")), f"{cap.name}, in the game") for cap in window.record.captions.keycaps)
    return {**listed, "record": (*own, *listed["record"])}


def copy_diagnostics(window: Window) -> None:
    """Put what a report should hold on the clipboard, and say so."""
    screens = {
        "PySide6": PySide6.__version__,
        "Qt platform": QGuiApplication.platformName(),
        "Screens": ", ".join(
            f"{screen.size().width()} x {screen.size().height()} at {screen.devicePixelRatio():g}, "
            f"{screen.refreshRate():.0f} Hz"
            for screen in QGuiApplication.screens()
        ),
        "Window": f"{window.width()} x {window.height()}, page {window.page}",
    }

    def copy(text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        window.notice.tell(
            f"The diagnostics are on the clipboard ({len(text.splitlines())} lines); paste them into your bug report. "
            f"They hold versions, the screen, the library's path and the end of {without_home(str(log_file()))}."
        )

    _aside(window, lambda: diagnostics(window.library, screens), copy)


def try_sample(window: Window) -> None:
    """Put the sample into the library, and play it, or choose it to train on."""
    _aside(window, lambda: SAMPLE.add(window.library), window.show_sample)


def _aside(window: Window, work: Callable[[], _T], then: Callable[[_T], None]) -> None:
    """Let a thread do some work, and then the window something with the result; a known failure is told."""
    outcome: list[Callable[[], None]] = []

    def run() -> None:
        try:
            outcome.append(partial(then, work()))
        except TwinplayError as error:
            outcome.append(partial(window.notice.warn, window_words(str(error))))

    thread = start_thread(run, "menu")
    timer = QTimer(window, interval=_POLL_MS)

    def look_in() -> None:
        if not thread.is_alive():
            timer.stop()
            timer.deleteLater()
            for finish in outcome:
                finish()

    timer.timeout.connect(look_in)
    timer.start()
