"""The position of a key on the keyboard, independent of its label: one table, with each platform's number for it.

Positions are named as in W3C's UI Events (`KeyA`: the key that types A on a US keyboard). Their codes are `PLACE` plus
the key's USB HID usage (page 7): the same on every platform, and never one of the toolkit's own key codes.

The table has the keys whose meaning depends on the layout or on NumLock; all others use the toolkit's key codes.
"""

from __future__ import annotations

from dataclasses import dataclass

PLACE = 1 << 30


@dataclass(frozen=True)
class Place:
    """A key's position: its name, its label on a US layout, and its numbers.

    `usage` is the USB HID usage, `evdev` Linux's number, `windows` the scan code of set 1 (plus 0x100 for an extended
    key), `mac` the virtual key code of macOS.
    """

    name: str
    text: str
    usage: int
    evdev: int
    windows: int
    mac: int

    @property
    def code(self) -> int:
        """The code that bindings and sessions store."""
        return PLACE + self.usage

    @property
    def on_keypad(self) -> bool:
        """Whether it belongs to the keypad, which NumLock changes but the layout does not."""
        return self.name.startswith("Numpad")


# name, US label, USB HID, evdev, macOS; the scan codes of Windows equal evdev's, except those in _WINDOWS.
_ROWS = (
    *((f"Key{letter}", letter, 4 + index) for index, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
    *((f"Digit{digit}", digit, 30 + index) for index, digit in enumerate("1234567890")),
    ("Minus", "-", 45),
    ("Equal", "=", 46),
    ("BracketLeft", "[", 47),
    ("BracketRight", "]", 48),
    ("Backslash", "\\", 49),
    ("Semicolon", ";", 51),
    ("Quote", "'", 52),
    ("Backquote", "`", 53),
    ("Comma", ",", 54),
    ("Period", ".", 55),
    ("Slash", "/", 56),
    ("NumpadDivide", "/", 84),
    ("NumpadMultiply", "*", 85),
    ("NumpadSubtract", "-", 86),
    ("NumpadAdd", "+", 87),
    *((f"Numpad{digit}", digit, 89 + index) for index, digit in enumerate("1234567890")),
    ("NumpadDecimal", ".", 99),
    ("IntlBackslash", "\\", 100),
    ("IntlRo", "\\", 135),
    ("IntlYen", "\\", 137),
)
# In the order of _ROWS.
# fmt: off
_EVDEV = (
    30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44,
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    12, 13, 26, 27, 43, 39, 40, 41, 51, 52, 53,
    98, 55, 74, 78, 79, 80, 81, 75, 76, 77, 71, 72, 73, 82, 83,
    86, 89, 124,
)
_MAC = (
    0, 11, 8, 2, 14, 3, 5, 4, 34, 38, 40, 37, 46, 45, 31, 35, 12, 15, 1, 17, 32, 9, 13, 7, 16, 6,
    18, 19, 20, 21, 23, 22, 26, 28, 25, 29,
    27, 24, 33, 30, 42, 41, 39, 50, 43, 47, 44,
    75, 67, 78, 69, 83, 84, 85, 86, 87, 88, 89, 91, 92, 82, 65,
    10, 94, 93,
)
# fmt: on
_WINDOWS = {"NumpadDivide": 0x135, "IntlRo": 0x73, "IntlYen": 0x7D}
PLACES = tuple(
    Place(name, text, usage, evdev, _WINDOWS.get(name, evdev), mac)
    for (name, text, usage), evdev, mac in zip(_ROWS, _EVDEV, _MAC, strict=True)
)
BY_NAME = {place.name: place for place in PLACES}
BY_CODE = {place.code: place for place in PLACES}
_X11_OFFSET = 8  # X11's keycodes, and Wayland's as Qt reports them, begin here
# By the name of Qt's platform plugin. Others, such as a screen shared by VNC, report no numbers.
_X11 = {place.evdev + _X11_OFFSET: place for place in PLACES}
_BY_NUMBER = {
    "xcb": _X11,
    "wayland": _X11,
    "windows": {place.windows: place for place in PLACES},
    "cocoa": {place.mac: place for place in PLACES},
}


def place_at(platform: str, number: int) -> Place | None:
    """The position with this native number on a platform (the name of Qt's plugin); None if unknown."""
    return _BY_NUMBER.get(platform.partition("-")[0], {}).get(number)


def x11_keycode(place: Place) -> int:
    """X11's keycode of a position."""
    return place.evdev + _X11_OFFSET
