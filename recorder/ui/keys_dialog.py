"""Choosing keys: a row for each action, with the keys that play it, and one for the controller that steers.

┌────────────────────────────────────────┐
│ LEFT    [←  ✕] [A  ✕]        [Add key] │
│ FIRE    [Space  ✕] [↑  ✕]    [Add key] │
│ …                                      │
│ what to do, or what is in the way      │
│ Controller   [Any controller       ▾]  │
│ [Restore defaults]    [Cancel] [Done]  │
└────────────────────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from recorder.agents.bindings import Bindings
from recorder.agents.gamepad import Device
from recorder.agents.keyboard import BY_CODE
from recorder.recording.presenter import RecordPresenter
from recorder.ui.controller_box import ControllerBox
from recorder.ui.game_keys import RESERVED, rows
from recorder.ui.kit import look
from recorder.ui.kit.fold import Scroll
from recorder.ui.kit.keys import Keyboard, codes, key_label, shortcut_key
from recorder.ui.kit.page import Page
from recorder.ui.kit.shortcuts import taken_keys

_HINT = "Many keyboards cannot register three keys at once; a second key for each action helps."
# What a controller does.
_PLAYING = "Stick or D-pad moves. Buttons fire, and start a game. Start pauses and resumes."
_STEERING = "The further the stick leans, the stronger the action; so with triggers. Start begins, pauses and resumes."


class KeysDialog(QDialog):
    """Asks for keys, and for the controller that steers.

    `rows` are (action, name) in the order shown; `reserved` maps keys that are taken to what they do; `keyboard` tells
    what is printed on the keys, and `devices` which controllers are plugged in. `continuous` says that it
    matters how far a stick leans.
    """

    def __init__(
        self,
        bindings: Bindings,
        usual: Bindings,
        rows: Sequence[tuple[int, str]],
        reserved: Mapping[int, str],
        keyboard: Keyboard,
        devices: Callable[[], Sequence[Device]],
        parent: QWidget | None = None,
        *,
        continuous: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("keysDialog")
        self.setWindowTitle("Keys and controller")
        self.setStyleSheet(look.PAGE)
        self.setMinimumWidth(560)
        self._bindings = bindings
        self._usual, self._rows, self._reserved, self._keyboard = usual, tuple(rows), reserved, keyboard
        self._asking: int | None = None  # the action that the next key is for
        self._moving: int | None = None  # a key of another action, pressed once
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(14)
        rows_holder = QWidget()
        self._grid = QGridLayout(rows_holder)
        self._grid.setContentsMargins(0, 0, look.GAP, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(10)
        self._grid.setColumnStretch(1, 1)
        self._chips: list[QHBoxLayout] = []
        self._adders: list[QPushButton] = []
        for index, (action, name) in enumerate(self._rows):
            title = QLabel(f"<b>{name}</b>")
            chips = QHBoxLayout()
            chips.setSpacing(6)
            add = self._button(
                "Add key", f"add{name.capitalize()}Key", lambda _=False, action=action: self._ask(action)
            )
            self._grid.addWidget(title, index, 0)
            self._grid.addLayout(chips, index, 1)
            self._grid.addWidget(add, index, 2)
            self._chips.append(chips)
            self._adders.append(add)
        layout.addWidget(Scroll(rows_holder), 1)
        self._status = QLabel(objectName="keysStatus", wordWrap=True)
        self._status.setMinimumHeight(2 * self._status.fontMetrics().lineSpacing())
        layout.addWidget(self._status)
        layout.addLayout(self._build_controller(devices, _STEERING if continuous else _PLAYING))
        buttons = QHBoxLayout()
        buttons.addWidget(self._button("Restore defaults", "usualKeysButton", self._reset))
        buttons.addStretch(1)
        buttons.addWidget(self._button("Cancel", "cancelKeysButton", self.reject))
        self._done = self._button("Done", "acceptKeysButton", self.accept)
        self._done.setProperty("primary", True)
        buttons.addWidget(self._done)
        layout.addLayout(buttons)
        self._render(_HINT)

    @property
    def bindings(self) -> Bindings:
        """What was chosen, once the dialog was accepted."""
        return replace(self._bindings, controller=self._controller.chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._asking is None:
            super().keyPressEvent(event)
            return
        if not event.isAutoRepeat():
            self._keyboard.learn(event)
            self._take(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        # While a key is asked for, Tab is one that was pressed.
        return self._asking is None and super().focusNextPrevChild(forward)

    def _build_controller(self, devices: Callable[[], Sequence[Device]], what: str) -> QGridLayout:
        self._controller = ControllerBox(self._bindings.controller, devices)
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(look.SMALL)
        grid.setColumnStretch(1, 1)
        title = QLabel("<b>Controller</b>")
        self._grid.setColumnMinimumWidth(0, title.sizeHint().width())
        grid.addWidget(title, 0, 0)
        grid.addWidget(self._controller, 0, 1)
        grid.addWidget(look.faint(what, wrap=True), 1, 1)
        return grid

    def _button(self, text: str, name: str, action: Callable[..., object]) -> QPushButton:
        # A click leaves the keyboard with the dialog, where Space and Return may be meant as keys.
        button = QPushButton(text, objectName=name, focusPolicy=Qt.FocusPolicy.TabFocus, autoDefault=False)
        button.clicked.connect(action)
        return button

    def _ask(self, action: int) -> None:
        self._asking, self._moving = action, None
        self.setFocus()
        self._render(f"Press a key for {self._name(action)}. Esc cancels.")

    def _take(self, event: QKeyEvent) -> None:
        action, key = self._asking, codes(event)[0]
        name = self._keyboard.name(key)
        label = key_label(name)
        assert action is not None
        if event.key() == Qt.Key.Key_Escape:
            self._asking = None
            self._render(_HINT)
            return
        bound = self._bindings.code_of(*codes(event))
        played = None if bound is None else self._bindings.actions[bound]
        taken = next((does for code, does in self._reserved.items() if code in (event.key(), shortcut_key(event))), "")
        if taken:
            self._render(f"{label} {taken}. Press another key for {self._name(action)}, or Esc.")
        elif not name.isprintable() or not name:
            self._render(f"This key has no name. Press another key for {self._name(action)}, or Esc.")
        elif played is not None and played != action and self._moving != key:
            self._moving = key
            self._render(
                f"{label} is used for {self._name(played)}. Press it again to move it to {self._name(action)}."
            )
        else:
            self._asking = None
            # A key of the keypad that was an arrow so far leaves the arrow as it is.
            leaves = key in BY_CODE and BY_CODE[key].on_keypad
            kept = self._bindings if bound is None or leaves else self._bindings.unbound(bound)
            self._bindings = kept.bound(key, name, action)
            self._render(_HINT)

    def _remove(self, key: int) -> None:
        self._bindings, self._asking = self._bindings.unbound(key), None
        self._render(_HINT)

    def _reset(self) -> None:
        self._bindings, self._asking = self._usual, None
        self._render(_HINT)

    def _name(self, action: int) -> str:
        return dict(self._rows)[action]

    def _render(self, status: str) -> None:
        for (action, name), chips, add in zip(self._rows, self._chips, self._adders, strict=True):
            while (item := chips.takeAt(0)) is not None:
                widget = item.widget()
                if widget is not None:
                    widget.deleteLater()
            for key in self._bindings.keys_of(action):
                if key > 0:  # a controller's buttons stay
                    label = key_label(self._keyboard.name(key, self._bindings.names[key]))
                    shown = label.replace("&", "&&")  # no mnemonic
                    chip = self._button(f"{shown}   ✕", "", lambda _=False, key=key: self._remove(key))
                    chip.setToolTip(f"Stop using {label} for {name}")
                    chips.addWidget(chip)
            chips.addStretch(1)
            add.setText("Press a key…" if action == self._asking else "Add key")
        without = [name for action, name in self._rows if not any(key > 0 for key in self._bindings.keys_of(action))]
        self._done.setEnabled(not without)
        self._status.setText(f"{' and '.join(without)} need a key." if without and self._asking is None else status)


def keys_dialog(presenter: RecordPresenter, keyboard: Keyboard, page: Page) -> KeysDialog:
    """The dialog for the keys of the environment that is chosen."""
    return KeysDialog(
        presenter.key_choice.bindings,
        presenter.key_choice.usual(presenter.spec),
        rows(presenter.spec),
        taken_keys(page.shortcuts) | {int(key): does for key, does in RESERVED.items()},
        keyboard,
        lambda: presenter.controls.devices,
        page,
        continuous=bool(presenter.spec.held),
    )
