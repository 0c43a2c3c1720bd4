"""Shortcuts on layouts that lack what they are written with: P on a Russian keyboard, Ctrl+1 on a French one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget

from recorder.ui.keys import is_command, shortcut_key


class LatinShortcuts(QObject):
    """Watches the keys of a window that is shown; a key for which Qt found no shortcut is tried as a Latin one."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        window.windowHandle().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = shortcut_key(event)
            if key != event.key():
                return self._try(event, Qt.Key(key))
        return super().eventFilter(watched, event)

    def _try(self, event: QKeyEvent, key: Qt.Key) -> bool:
        """Whether the key is done with."""
        receiver = self._window.focusWidget() or self._window
        if QApplication.activePopupWidget() is not None or QApplication.activeModalWidget() is not None:
            return False
        wish = _latin(QEvent.Type.ShortcutOverride, event, key)
        wish.ignore()
        QApplication.sendEvent(receiver, wish)
        if wish.isAccepted():  # the key is the widget's own: text, or Ctrl+C in it
            if is_command(event):
                QApplication.sendEvent(receiver, _latin(QEvent.Type.KeyPress, event, key))
            return is_command(event)
        shortcut = _find(receiver, self._window, QKeySequence(QKeyCombination(event.modifiers(), key)))
        if shortcut is not None and not (event.isAutoRepeat() and not shortcut.autoRepeat()):
            shortcut.activated.emit()
        return shortcut is not None


def _latin(kind: QEvent.Type, event: QKeyEvent, key: Qt.Key) -> QKeyEvent:
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


def _find(receiver: QWidget, window: QWidget, keys: QKeySequence) -> QShortcut | None:
    widget: QWidget | None = receiver
    while widget is not None:
        for shortcut in widget.findChildren(QShortcut, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if shortcut.isEnabled() and shortcut.key() == keys:
                return shortcut
        widget = None if widget is window else widget.parentWidget()
    return None
