"""The window: four pages, one shown at a time, and the way from one to the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget
from shiboken6 import isValid

from player.coach.twins import twin_players
from player.support.sample import SAMPLE, SamplePair
from player.ui.from_here import play_on
from player.ui.library_watch import LibraryWatch
from player.ui.memory import Memory
from player.ui.menu import MenuButton, copy_diagnostics, try_sample
from player.ui.notice import Notice
from player.ui.watch_page import WatchPage
from player.watch.presenter import WatchPresenter
from recorder.library.access import LibraryAccess
from recorder.library.library import Library
from recorder.library.presenter import LibraryPresenter
from recorder.system.logfile import LOG
from recorder.ui.kit import look
from recorder.ui.kit.clicks import SingleClicks
from recorder.ui.kit.icons import show_icon
from recorder.ui.kit.latin_shortcuts import LatinShortcuts
from recorder.ui.kit.page import Page
from recorder.ui.kit.shortcuts import Shortcut, bind
from recorder.ui.library_page import LibraryPage
from recorder.ui.record_page import RecordPage, open_presenter
from trainer.runs.news import News
from trainer.runs.presenter import TrainPresenter
from trainer.ui.train_page import TrainPage

PAGES = ("record", "library", "train", "watch")
_SLICE_S, _PAUSE_MS = 0.004, 15  # of dressing ahead
_NAV = """
QPushButton { border: 0; border-radius: 8px; padding: 8px 16px; font-weight: 600; outline: 0; }
QPushButton:hover { background: palette(midlight); }
QPushButton:focus { border: 2px solid palette(highlight); padding: 6px 14px; }
QPushButton:checked { background: palette(highlight); color: palette(highlighted-text); }
"""


class Window(QWidget):
    """Four pages for one library; `train_presenter` makes the Train page's presenter for a library."""

    def __init__(
        self,
        library: Path,
        train_presenter: Callable[[Path], TrainPresenter],
        memory: Memory,
        player_name: str = "",
        *,
        countdown_s: float = 3.0,
    ) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("Twinplay")
        self.setMinimumSize(640, 480)  # what is left of a small screen that is magnified; pages scroll and fold
        self.resize(QSize(1180, 800).boundedTo(self.screen().availableSize()))
        self._train_presenter, self._memory = train_presenter, memory
        memory.name_for_now = player_name
        self._news: News | None = None  # of a training that has ended
        self._latin: LatinShortcuts | None = None
        self._countdown_s = countdown_s
        self._stack = QStackedWidget()
        self._tabs: QButtonGroup
        self.menu: MenuButton
        self.shortcuts: list[Shortcut]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(_navigation(self))
        self.notice = Notice(self._tabs.button(len(PAGES) - 1), self.menu, self)
        layout.addSpacing(look.GAP)
        layout.addWidget(self._stack, 1)
        self.folder = LibraryWatch(self)
        self._open(library)
        self.show_page("record")
        self.folder.tell()

    def _open(self, library: Path) -> None:
        """Create the pages for a library."""
        self.folder.open(library)
        self.library = library
        train = self._train_presenter(library)
        twins = twin_players(train.policies)
        self.record = RecordPage(open_presenter(library, self._memory, self._countdown_s, twins))
        self.sessions = LibraryPage(LibraryPresenter(Library(library)))
        self.train = TrainPage(train)
        self.train.presenter.player_name = lambda: self._memory.player_name
        self.watch = WatchPage(WatchPresenter(Library(library)))
        self._memory.remember_tour(self.watch)
        self.pages: tuple[Page, ...] = (self.record, self.sessions, self.train, self.watch)
        for page in self.pages:
            self._stack.addWidget(page)
            page.sample_requested.connect(lambda: try_sample(self))
        self.sessions.page_requested.connect(self.show_page)
        self.sessions.train_requested.connect(self._train_on_all)
        self.sessions.watch_requested.connect(lambda session: self.watch_pair(session, None))
        self.train.page_requested.connect(self.show_page)
        self.watch.page_requested.connect(self.show_page)
        self.watch.play_on_requested.connect(partial(play_on, self))
        self.record.train_requested.connect(self._train_on)
        self.record.watch_requested.connect(lambda session: self.watch_pair(session, None))
        self.train.watch_requested.connect(self._watch_twin)
        self.train.run_over.connect(self._take_news)
        self._memory.restore_choices(self)
        self._current = -1
        for page in self.pages:
            page.show_access(self.folder.access)

    def open_library(self, library: Path) -> bool:
        """Switch to another library; returns whether that was possible (see `busy`)."""
        if self.busy:
            self.notice.warn(self.busy)
            return False
        page, old = self.page, self.pages
        self._memory.keep(self)
        self.pages[self._current].deactivate()
        for each in old:
            each.shutdown()
        self._open(library)
        self.show_page(page)
        for each in old:
            self._stack.removeWidget(each)
            each.deleteLater()
        self.folder.tell()
        return True

    def tell_pages(self, access: LibraryAccess) -> None:
        """Called when the library's folder has gone or is back: the pages recover by themselves."""
        for page in self.pages:
            page.show_access(access)
        self.pages[self._current].activate()

    @property
    def busy(self) -> str:
        """Why the library cannot be changed now, and what to do; empty if it can."""
        if self.record.presenter.busy:
            return "A recording is in progress. Stop it first (Esc on the Record page), then choose another library."
        if self.train.presenter.training:
            return "A training is in progress. Stop it, pause it or let it finish, then choose another library."
        return ""

    @property
    def player_name(self) -> str:
        """The player's name; stored with each session from the next take on."""
        return self._memory.player_name

    @player_name.setter
    def player_name(self, name: str) -> None:
        self.record.name_player(name)

    def show_sample(self, sample: SamplePair) -> None:
        """Called when the sample was added: choose it on the Train page, or play it in Watch."""
        if self.page == "train":
            self.train.activate()
            self.train.choose(sample.session)
        elif not self.record.presenter.busy:
            self.watch_pair(sample.session, sample.policy)
        self.notice.tell(
            f"The sample is in your library: {SAMPLE.about['seconds']} seconds of a game played by a script, "
            "and a twin trained on such play."
        )

    def tell_failure(self, sentence: str) -> None:
        """An unexpected error: pause the game and show what happened and what to do."""
        self.record.lose_keyboard()
        self.notice.warn(sentence, "Copy diagnostics", lambda: copy_diagnostics(self))

    @property
    def page(self) -> str:
        """The name of the current page."""
        return PAGES[self._current]

    def show_page(self, name: str) -> None:
        """Show one of PAGES."""
        index = PAGES.index(name)
        if index == self._current:
            return
        self.folder.look()
        if self._current >= 0:
            self.pages[self._current].deactivate()
        self._current = index
        self._stack.setCurrentIndex(index)
        self._tabs.button(index).setChecked(True)
        self.pages[index].activate()
        self.notice.turn_page()
        self._tell_news()
        LOG.info("page %s", name)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._latin is None:
            self._latin = LatinShortcuts(self)
            SingleClicks(self)
        self._dress_ahead(iter(self.findChildren(QWidget)))

    def _dress_ahead(self, widgets: Iterator[QWidget]) -> None:
        """Apply the style sheet to pages that were not shown yet, in small steps and never during a take.

        Doing it all at once, when a page is first opened, would block the window for a tenth of a second.
        """
        until = time.monotonic() + _SLICE_S
        while not self.record.presenter.busy and time.monotonic() < until:
            widget = next(widgets, None)
            if widget is None:
                return
            if isValid(widget):
                widget.ensurePolished()
        QTimer.singleShot(_PAUSE_MS, self, lambda: self._dress_ahead(widgets))

    def _take_news(self, news: News) -> None:
        self._news = news
        self._tell_news()

    def _tell_news(self) -> None:
        """A training has ended: show a notice on other pages, but not during a game, of which it would take the eye."""
        if self.page == "train":
            self._news = None
        if self._news is None or self.record.presenter.busy:
            return
        news, self._news = self._news, None
        policy = news.policy
        if policy is None:
            self.notice.warn(news.sentence, "Go to Train", lambda: self._follow(lambda: self.show_page("train")))
        else:
            watch = partial(self._follow, lambda: self._watch_twin(policy))
            self.notice.tell(news.sentence, f"Watch {news.whose}", watch)

    def _follow(self, way: Callable[[], object]) -> None:
        self.notice.hide()
        way()

    def watch_pair(
        self, session: Path | None, policy: Path | None, against: Path | None = None, *, alike: bool = False
    ) -> None:
        """Show a recording, or the policy `against`, and a clone side by side."""
        self.show_page("watch")
        self.watch.watch(session, policy, against, alike=alike)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.train.may_close():
            event.ignore()
            return
        self.shutdown()
        event.accept()

    def shutdown(self) -> None:
        """Finish everything in progress; a take and the best clone so far are kept."""
        self.folder.close()
        self._memory.keep(self)
        for page in self.pages:
            page.shutdown()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.record.lose_keyboard()
        super().changeEvent(event)

    def _train_on(self, session: Path) -> None:
        self.show_page("train")
        self.train.choose(session)

    def _train_on_all(self, sessions: Sequence[Path]) -> None:
        self.show_page("train")
        self.train.choose(*sessions)

    def _watch_twin(self, policy: Path) -> None:
        self.show_page("watch")
        self.watch.watch_policy(policy)


def _navigation(window: Window) -> QWidget:
    """The row at the top: a tab for each page, and the menu."""
    bar = QWidget(objectName="navigation")
    bar.setStyleSheet(_NAV)
    row = QHBoxLayout(bar)
    row.setContentsMargins(20, 12, 20, 0)
    row.setSpacing(6)
    window._tabs = QButtonGroup(window)
    window.shortcuts = []
    for index, name in enumerate(PAGES):
        keys = Shortcut(f"Ctrl+{index + 1}", name.capitalize(), partial(window.show_page, name))
        window.shortcuts.append(keys)
        button = QPushButton(keys.does, objectName=f"{name}Tab", checkable=True, toolTip=keys.keys)
        show_icon(button, name)
        button.clicked.connect(lambda _checked=False, name=name: window.show_page(name))
        window._tabs.addButton(button, index)
        row.addWidget(button)
    row.addStretch(1)
    window.menu = MenuButton(window, window._memory)
    row.addWidget(window.menu)
    window.shortcuts += window.menu.shortcuts
    bind(window, window.shortcuts, Qt.ShortcutContext.WindowShortcut)
    return bar
