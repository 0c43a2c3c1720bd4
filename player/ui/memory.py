"""What the window remembers between starts, in settings.ini of the user's configuration folder.

    window/geometry, window/page, window/theme    library/folder    player/name, player/asked
    record/limit, record/steps, record/frame_skip, record/recent    when a take ends, its pace, and what was played last
    record/hand_back           after how long without a key a twin that is corrected goes on
    record/best_of             how many games a series of races has
    choices/<name of a list>   what was chosen last in it            watch/session, watch/policy   the pair watched last
    tour/closed                whether the hints of the Watch page are not wanted any longer

Entries that cannot be used are ignored; the window then opens with its defaults.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QComboBox

from recorder.agents.bindings import bindings_file
from recorder.errors import SessionError
from recorder.store.session import Session
from recorder.system.profile import clean_name
from recorder.ui.kit.look import THEMES

if TYPE_CHECKING:
    from player.ui.watch_page import WatchPage
    from player.ui.window import Window

_CHOICES = ("envBox", "presetChoice", "speedChoice")  # lists, by name, whose choice is kept


def settings_file() -> Path:
    """The settings file, beside the player's key bindings."""
    return bindings_file().with_name("settings.ini")


class Memory:
    """See the module's docstring."""

    def __init__(self, file: Path | None = None) -> None:
        self._settings = QSettings(str(file or settings_file()), QSettings.Format.IniFormat)
        self.name_for_now = ""  # of the player, for this start only; another one that is chosen is kept again

    @property
    def library(self) -> Path | None:
        """The chosen library folder; None for the default."""
        folder = self._text("library/folder")
        return Path(folder) if folder else None

    @library.setter
    def library(self, folder: Path | None) -> None:
        self._keep("library/folder", str(folder or ""))

    @property
    def player_name(self) -> str:
        """The name chosen for the player; empty for none."""
        return self.name_for_now or clean_name(self._text("player/name"))

    @player_name.setter
    def player_name(self, name: str) -> None:
        if name != self.name_for_now:
            self.name_for_now = ""
            self._keep("player/name", clean_name(name))

    @property
    def name_asked(self) -> bool:
        """Whether the player has been asked for a name, which may have been declined."""
        return bool(self.player_name) or self._text("player/asked") == "yes"

    @name_asked.setter
    def name_asked(self, asked: bool) -> None:
        if not self.name_for_now:
            self._keep("player/asked", "yes" if asked else "")

    @property
    def take_limit(self) -> str:
        """When takes end by themselves, as recorder.recording.take_limit writes it."""
        return self._text("record/limit")

    @take_limit.setter
    def take_limit(self, limit: str) -> None:
        self._keep("record/limit", limit)

    @property
    def steps(self) -> str:
        """The pace of takes, as recorder.recording.pace writes it."""
        return self._text("record/steps")

    @steps.setter
    def steps(self, rate: str) -> None:
        self._keep("record/steps", rate)

    @property
    def frame_skip(self) -> str:
        """The frame skip of takes, as recorder.recording.pace writes it."""
        return self._text("record/frame_skip")

    @frame_skip.setter
    def frame_skip(self, frames: str) -> None:
        self._keep("record/frame_skip", frames)

    @property
    def hand_back(self) -> str:
        """When a twin goes on, as recorder.recording.partner writes it."""
        return self._text("record/hand_back")

    @hand_back.setter
    def hand_back(self, seconds: str) -> None:
        self._keep("record/hand_back", seconds)

    @property
    def best_of(self) -> str:
        """How many games a series of races has, as recorder.recording.partner writes it."""
        return self._text("record/best_of")

    @best_of.setter
    def best_of(self, games: str) -> None:
        self._keep("record/best_of", games)

    @property
    def recent_envs(self) -> str:
        """The environments played last, as recorder.recording.env_choice writes them."""
        return self._text("record/recent")

    @recent_envs.setter
    def recent_envs(self, names: str) -> None:
        self._keep("record/recent", names)

    @property
    def theme(self) -> str:
        """One of look.THEMES."""
        theme = self._text("window/theme")
        return theme if theme in THEMES else THEMES[0]

    @theme.setter
    def theme(self, theme: str) -> None:
        self._keep("window/theme", theme)

    @property
    def page(self) -> str:
        """The page shown last; empty on the first start."""
        return self._text("window/page")

    def choice(self, name: str) -> str:
        """The last choice in the list of that name; empty on the first start."""
        return self._text(f"choices/{name}")

    def keep(self, window: Window) -> None:
        """Save the window's state."""
        self._settings.setValue("window/geometry", window.saveGeometry())
        self._settings.setValue("window/page", window.page)
        for name in _CHOICES:
            box = window.findChild(QComboBox, name)
            if box is not None and box.currentData() is not None:
                self._settings.setValue(f"choices/{name}", str(box.currentData()))
        for name, path in (
            ("session", window.watch.presenter.pair.session),
            ("policy", window.watch.presenter.pair.policy),
        ):
            self._settings.setValue(f"watch/{name}", str(path or ""))
        self._settings.sync()

    def restore_place(self, window: Window) -> None:
        """Restore the window's position and size."""
        geometry = self._settings.value("window/geometry")
        if isinstance(geometry, QByteArray):
            window.restoreGeometry(geometry)

    def restore_choices(self, window: Window) -> None:
        """Restore the last choices on the pages, if they still exist."""
        for name in _CHOICES:
            box, wanted = window.findChild(QComboBox, name), self.choice(name)
            if box is None or not wanted:
                continue
            index = next((i for i in range(box.count()) if str(box.itemData(i)) == wanted), -1)
            if index >= 0 and index != box.currentIndex():
                box.setCurrentIndex(index)
                box.activated.emit(index)

    def restore_pair(self, window: Window) -> None:
        """Restore the session and the policy watched last, if they still exist."""
        session, policy = (Path(self._text(f"watch/{name}") or "/") for name in ("session", "policy"))
        if policy.is_file():
            window.watch.presenter.pair.policy = policy
        with contextlib.suppress(SessionError):
            window.watch.presenter.pair.set_session(Session.open(session).path)

    def remember_tour(self, page: WatchPage) -> None:
        """Offer the tour of the Watch page until it is closed."""
        if self._text("tour/closed") != "yes":
            page.tour.offer()
        page.tour_closed.connect(lambda: self._keep("tour/closed", "yes"))

    def _text(self, key: str) -> str:
        value = self._settings.value(key)
        return value if isinstance(value, str) else ""

    def _keep(self, key: str, value: str) -> None:
        self._settings.setValue(key, value)
        self._settings.sync()
