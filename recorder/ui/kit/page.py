"""What every page of the window has: margins, a banner for problems, keys of its own, words for when it is empty."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from recorder.library.access import LibraryAccess
from recorder.ui.kit import look
from recorder.ui.kit.banner import Banner
from recorder.ui.kit.focus import guard_focus
from recorder.ui.kit.fold import Scroll
from recorder.ui.kit.shortcuts import Shortcut, bind

_LOG = logging.getLogger("twinplay")


class Page(QWidget):
    """A page named `name`; subclasses fill `body`, and say what comes of being shown and hidden.

    The banner for problems lies over the foot of a part of the page that `lay_banner_over` names, so that nothing moves
    when it comes and goes.

    `sample_requested`: whoever has nothing of their own yet wants to try the page with the sample.
    """

    sample_requested = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self._way_on: QPushButton | None = None
        self.shortcuts: tuple[Shortcut, ...] = ()
        self.access = LibraryAccess()
        self.setObjectName(f"{name}Page")
        self.setStyleSheet(look.PAGE)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        content = QWidget()
        self._scroll = Scroll(content)
        outer.addWidget(self._scroll)
        self.body = QVBoxLayout(content)
        self.body.setContentsMargins(20, 16, 20, 16)
        self.body.setSpacing(12)
        self._banner = Banner(self, f"{name}Banner")
        self._blank = look.faint("Sessions, runs and twins are shown as soon as the folder is there.", f"{name}Blank")
        self._blank.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._blank.hide()
        self.body.addWidget(self._blank, 1)
        guard_focus(self, self.take_keyboard)

    def activate(self) -> None:
        """The page is shown."""
        raise NotImplementedError

    def deactivate(self) -> None:
        """The page is hidden."""
        raise NotImplementedError

    def shutdown(self) -> None:
        """The window closes, or goes on with another library."""
        raise NotImplementedError

    def show_problem(self, sentence: str) -> None:
        """Show a sentence in the banner, in the window's words, and log it; hide the banner when there is none."""
        if sentence and sentence != self._banner.toolTip():
            _LOG.warning("%s: %s", self.name, sentence)
        self._banner.show_sentence(sentence)

    def lay_banner_over(self, *parts: QWidget) -> None:
        """Name the parts of the page that the banner may lie over; it takes the first one that is to be seen."""
        self._banner.lay_over(parts)

    def show_access(self, access: LibraryAccess) -> None:
        """The library's folder has gone, is back, or is read-only. The window says so; the page does not repeat it."""
        self.access = access
        self._blank.setVisible(access.missing)
        for index in range(self.body.count()):
            item = self.body.itemAt(index)
            widget = None if item is None else item.widget()
            if widget is not None and widget is not self._blank:
                widget.setVisible(not access.missing)
        if access.missing:
            self.show_problem("")

    def bind_keys(self, *shortcuts: Shortcut) -> None:
        """Keys that work while this page has the keyboard."""
        self.shortcuts = shortcuts
        bind(self, shortcuts, Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def take_keyboard(self) -> None:
        """Give the keyboard to where the keys of the page work."""
        self.setFocus()
        self.focus_way_on()

    def focus_way_on(self) -> None:
        """Give the keyboard to what the empty page offers first, where that is to be seen."""
        if self._way_on is not None and self._way_on.isVisible():
            self._way_on.setFocus()

    def empty_state(self, title: str, text: str, button: str, name: str, action: Callable[[], None]) -> QWidget:
        """What the page says when it has nothing to show, the way on, and the sample for a first try."""
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.setSpacing(14)
        heading = QLabel(title, alignment=Qt.AlignmentFlag.AlignCenter)
        font = heading.font()
        font.setPointSizeF(font.pointSizeF() * 1.8)
        font.setBold(True)
        heading.setFont(font)
        go = QPushButton(button, objectName=name)
        go.setProperty("primary", True)
        go.setAutoDefault(True)  # Enter presses it, too
        go.clicked.connect(action)
        self._way_on = go
        layout.addWidget(heading)
        layout.addWidget(QLabel(text, alignment=Qt.AlignmentFlag.AlignCenter))
        layout.addWidget(go, 0, Qt.AlignmentFlag.AlignCenter)
        sample = QPushButton("Try it with the sample", objectName=f"{self.name}SampleButton")
        sample.setToolTip("Add a short scripted session, and a twin trained on such play, to your library")
        sample.setProperty("quiet", True)
        sample.setAutoDefault(True)
        sample.clicked.connect(self.sample_requested)
        layout.addWidget(sample, 0, Qt.AlignmentFlag.AlignCenter)
        return page
