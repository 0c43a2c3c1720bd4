"""The window: three pages, one at a time, and what goes from one to the next."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from player.ui.study_dialog import open_study
from player.ui.watch_page import WatchPage
from player.watch_desk import WatchDesk
from recorder.library import Library
from recorder.ui.record_page import RecordPage, open_desk
from trainer.train_desk import TrainDesk
from trainer.ui.train_page import TrainPage

PAGES = ("record", "train", "watch")
_NAV = """
QPushButton { border: 0; border-radius: 8px; padding: 8px 20px; font-weight: 600; }
QPushButton:hover { background: palette(midlight); }
QPushButton:focus { border: 2px solid palette(highlight); padding: 6px 18px; }
QPushButton:checked { background: palette(highlight); color: palette(highlighted-text); }
"""


class Window(QWidget):
    """Record, Train and Watch over one library."""

    def __init__(self, library: Path, train_desk: TrainDesk, player_name: str = "") -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("Twinplay")
        self.setMinimumSize(1000, 680)
        self.resize(1180, 800)
        self.library = library
        self.record = RecordPage(open_desk(library, player_name))
        self.train = TrainPage(train_desk)
        self.watch = WatchPage(WatchDesk(Library(library)))
        self._pages: tuple[RecordPage | TrainPage | WatchPage, ...] = (self.record, self.train, self.watch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._build_navigation())
        self._stack = QStackedWidget()
        for page in self._pages:
            self._stack.addWidget(page)
        layout.addWidget(self._stack, 1)
        self.train.page_requested.connect(self.show_page)
        self.watch.page_requested.connect(self.show_page)
        self.record.train_requested.connect(self._train_on)
        self.record.watch_requested.connect(lambda session: self.watch_pair(session, None))
        self.train.watch_requested.connect(self._watch_twin)
        self._current = -1
        self.show_page("record")

    @property
    def page(self) -> str:
        """The name of the page that is shown."""
        return PAGES[self._current]

    def show_page(self, name: str) -> None:
        """Show "record", "train" or "watch"."""
        index = PAGES.index(name)
        if index == self._current:
            return
        if self._current >= 0:
            self._pages[self._current].deactivate()
        self._current = index
        self._stack.setCurrentIndex(index)
        self._tabs.button(index).setChecked(True)
        self._pages[index].activate()

    def watch_pair(self, session: Path | None, policy: Path | None, against: Path | None = None) -> None:
        """Show a recording, or the policy `against`, and a clone side by side."""
        self.show_page("watch")
        self.watch.watch(session, policy, against)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.train.may_close():
            event.ignore()
            return
        self.shutdown()
        event.accept()

    def shutdown(self) -> None:
        """Finish what is under way, keeping a take and the best clone so far."""
        for page in self._pages:
            page.shutdown()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.record.lose_keyboard()
        super().changeEvent(event)

    def _build_navigation(self) -> QWidget:
        bar = QWidget(objectName="navigation")
        bar.setStyleSheet(_NAV)
        row = QHBoxLayout(bar)
        row.setContentsMargins(20, 12, 20, 0)
        row.setSpacing(6)
        self._tabs = QButtonGroup(self)
        for index, name in enumerate(PAGES):
            keys = f"Ctrl+{index + 1}"
            button = QPushButton(name.capitalize(), objectName=f"{name}Tab", checkable=True, toolTip=keys)
            button.clicked.connect(lambda _checked=False, name=name: self.show_page(name))
            self._tabs.addButton(button, index)
            row.addWidget(button)
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(lambda name=name: self.show_page(name))
        row.addStretch(1)
        study = QPushButton(
            "Open a study…", objectName="studyButton", toolTip="The table and figures of a finished study"
        )
        study.clicked.connect(lambda: open_study(self))
        row.addWidget(study)
        short = Path(*self.library.parts[-2:])
        where = QLabel(f"Library: {short}", objectName="libraryLabel", toolTip=str(self.library))
        row.addWidget(where)
        return bar

    def _train_on(self, session: Path) -> None:
        self.show_page("train")
        self.train.choose(session)

    def _watch_twin(self, policy: Path) -> None:
        self.show_page("watch")
        self.watch.watch_policy(policy)
