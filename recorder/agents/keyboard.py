"""Where a key lies on the keyboard, whatever is printed on it: one table, with each platform's number for the place.

Places are named as in W3C's UI Events (`KeyA`: what prints A on a US keyboard). Their codes are `PLACE` plus the key's
USB HID usage (page 7), so that they are the same on every platform and never one of the toolkit's own key codes.
Here are the keys whose meaning depends on the layout or on NumLock; for all others the toolkit's key codes serve.
"""

from __future__ import annotations

from dataclasses import dataclass

PLACE = 1 << 30


@dataclass(frozen=True)
class Place:
    """A key's place: its name, what a US layout prints there, and its numbers.

    `usage` is that of USB HID, `evdev` Linux's number, `windows` the scan code of set 1 with 0x100 for an extended key,
    `mac` the virtual key code of macOS.
    """

    name: str
    text: str
    usage: int
    evdev: int
    windows: int
    mac: int

    @property
    def code(self) -> int:
        """As bindings and sessions store it."""
        return PLACE + self.usage

    @property
    def on_keypad(self) -> bool:
        """Whether it belongs to the keypad, where a layout changes nothing, but NumLock does."""
        return self.name.startswith("Numpad")


# name, US text, USB HID, evdev, macOS; the scan codes of Windows are evdev's but where _WINDOWS says otherwise.
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
_X11_OFFSET = 8  # X11's keycodes, and Wayland's as Qt tells them, begin there
# By the name of Qt's platform plugin. Others, such as a screen shared by VNC, tell no numbers.
_X11 = {place.evdev + _X11_OFFSET: place for place in PLACES}
_BY_NUMBER = {
    "xcb": _X11,
    "wayland": _X11,
    "windows": {place.windows: place for place in PLACES},
    "cocoa": {place.mac: place for place in PLACES},
}


def place_at(platform: str, number: int) -> Place | None:
    """The place that a platform, named as Qt's plugin is, has this native number for; None where that is not known."""
    return _BY_NUMBER.get(platform.partition("-")[0], {}).get(number)


def x11_keycode(place: Place) -> int:
    """X11's keycode of a place."""
    return place.evdev + _X11_OFFSET
