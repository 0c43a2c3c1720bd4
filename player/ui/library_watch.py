"""Watches the folder of the window's library, and tells every page when it goes and when it is back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from recorder.library.access import Access, LibraryAccess, look_at, open_access
from recorder.system.logfile import LOG

if TYPE_CHECKING:
    from player.ui.window import Window

_LOOK_MS = 1_000


class LibraryWatch(QObject):
    """What is wrong is said once, in the window's notice, which offers to choose another folder."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.access = LibraryAccess()
        self._window = window
        self._seen = LibraryAccess()
        self._told = ""
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def open(self, library: Path) -> None:
        """The window opens a library. Raises LibraryError for one that is a session, or inside one."""
        self.access, self._seen = open_access(library), look_at(library)
        LOG.info("library %s is %s", library, self.access.access.value)

    def close(self) -> None:
        """The window closes: look no more."""
        self._timer.stop()

    def look(self) -> None:
        """Look whether the folder has gone, is back, or has become read-only or writable."""
        seen, before = look_at(self._window.library), self.access
        if seen == self._seen:
            return
        now = seen if seen.missing else open_access(self._window.library)
        if Access.READ_ONLY in (before.access, now.access) and not now.missing:
            if not self._window.busy:  # runs and twins go elsewhere from now on
                self._window.open_library(self._window.library)
            return
        self._seen, self.access = seen, now
        LOG.info("library %s is %s", self._window.library, now.access.value)
        self.tell()
        self._window.tell_pages(now)

    def tell(self) -> None:
        """Show what is wrong in the notice; take away what was said once it is over."""
        sentence, notice = self.access.sentence, self._window.notice
        if sentence:
            notice.warn(sentence, "Library folder…", self._window.menu.change_library)
        elif self._told and notice.text == self._told:
            notice.hide()
        self._told = sentence
