"""A keyboard on a virtual screen: keys are pressed by where they lie (X11 keycodes), and its layout can be changed."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

# X11's keycodes on every PC keyboard, named by what a US layout prints there.
KEYS = {
    "Esc": 9, "1": 10, "4": 13, "-": 20, "Tab": 23, "Q": 24, "R": 27, "O": 32, "P": 33, "Ctrl": 37, "A": 38, "D": 40,
    "F": 41, "G": 42, "K": 45, ";": 47, "Shift": 50, "X": 53, "B": 56, "M": 58, ",": 59, ".": 60, "Space": 65,
    "NumLock": 77, "KP4": 83, "AltGr": 108, "Up": 111, "Left": 113, "Right": 114,
}  # fmt: skip


class XKeyboard:
    """Presses keys on the X server `display`, through its XTest extension."""

    def __init__(self, display: str) -> None:
        self._name = display
        self._x11, self._xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x11.XOpenDisplay(display.encode()))
        assert self._display, f"no X server at {display}"

    def down(self, key: str) -> None:
        self._send(key, True)

    def up(self, key: str) -> None:
        self._send(key, False)

    def tap(self, *keys: str) -> None:
        """Press keys together, such as Shift and R, and let them go."""
        for key in keys:
            self.down(key)
        for key in reversed(keys):
            self.up(key)

    def layout(self, *names: str) -> None:
        """Switch to a layout, such as "us", "fr" or "ru"; several are groups, of which the first is on."""
        subprocess.run(["setxkbmap", "-display", self._name, "-layout", ",".join(names)], check=True)

    def group(self, index: int) -> None:
        """Switch to another group of the layout."""
        self._x11.XkbLockGroup(self._display, 0x100, index)
        self._x11.XSync(self._display, 0)

    def as_found(self) -> None:
        """Back to a US layout, with no key down."""
        for key in KEYS:
            self.up(key)
        self.layout("us")
        self.group(0)

    def close(self) -> None:
        self._x11.XCloseDisplay(self._display)

    def _send(self, key: str, down: bool) -> None:
        self._xtst.XTestFakeKeyEvent(self._display, KEYS[key], int(down), 0)
        self._x11.XSync(self._display, 0)


@contextmanager
def keyboard(display: str) -> Iterator[XKeyboard]:
    """A keyboard that is left as it was found: on a US layout, with no key down."""
    board = XKeyboard(display)
    try:
        yield board
    finally:
        board.as_found()
        board.close()
