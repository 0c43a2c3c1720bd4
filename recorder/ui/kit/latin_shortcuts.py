"""Shortcuts on layouts that lack what they are written with: P on a Russian keyboard, Ctrl+1 on a French one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget

from recorder.ui.kit.keys import is_command, shortcut_key


class LatinShortcuts(QObject):
    """Watches the keys of a window that is shown; a key for which Qt found no shortcut is tried as a Latin one.

    Nor does Qt get to choose where Ctrl+Shift+R is one and Ctrl+R another: on a Hebrew keyboard, where Shift makes keys
    Latin, it would take the second.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        window.windowHandle().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            key = shortcut_key(event)
            shifted = is_command(event) and bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            if event.type() == QEvent.Type.KeyPress and (shifted or key != event.key()):
                return self._try(event, key)
            if shifted and _find(self._receiver, self._window, _sequence(event, key)) is not None:
                event.accept()  # the key comes again, as a press
                return True
        return super().eventFilter(watched, event)

    @property
    def _receiver(self) -> QWidget:
        return self._window.focusWidget() or self._window

    def _try(self, event: QKeyEvent, key: int) -> bool:
        """Whether the key is done with."""
        receiver = self._receiver
        if QApplication.activePopupWidget() is not None or QApplication.activeModalWidget() is not None:
            return False
        wish = _latin(QEvent.Type.ShortcutOverride, event, key)
        wish.ignore()
        QApplication.sendEvent(receiver, wish)
        if wish.isAccepted():  # the key is the widget's own: text, or Ctrl+C in it
            if is_command(event) and key != event.key():
                QApplication.sendEvent(receiver, _latin(QEvent.Type.KeyPress, event, key))
                return True
            return False
        shortcut = _find(receiver, self._window, _sequence(event, key))
        if shortcut is not None and not (event.isAutoRepeat() and not shortcut.autoRepeat()):
            shortcut.activated.emit()
        return shortcut is not None


def _latin(kind: QEvent.Type, event: QKeyEvent, key: int) -> QKeyEvent:
    return QKeyEvent(
        kind,
        key,
        event.modifiers(),
        event.nativeScanCode(),
        event.nativeVirtualKey(),
        event.nativeModifiers(),
        event.text(),
        event.isAutoRepeat(),
    )


def _sequence(event: QKeyEvent, key: int) -> QKeySequence:
    return QKeySequence(event.modifiers().value | key)


def _find(receiver: QWidget, window: QWidget, keys: QKeySequence) -> QShortcut | None:
    widget: QWidget | None = receiver
    while widget is not None:
        for shortcut in widget.findChildren(QShortcut, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if shortcut.isEnabled() and shortcut.key() == keys:
                return shortcut
        widget = None if widget is window else widget.parentWidget()
    return None
