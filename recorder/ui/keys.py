"""Keys as Qt's events tell them: which one it is, whatever it means at the moment."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication, QKeyEvent

_WITHOUT_NUMBER = 1 << 32  # sets apart keys that are told by their meaning only


def physical(event: QKeyEvent) -> int:
    """The platform's own number of the key: the same at its press and at its release.

    What a key means may change while it is held: with Shift, NumLock, AltGr or another layout.
    """
    # macOS has no scan codes, but its virtual key codes are places already.
    number = event.nativeVirtualKey() if QGuiApplication.platformName() == "cocoa" else event.nativeScanCode()
    return number or _WITHOUT_NUMBER + int(event.key())
