"""Controllers that SDL itself makes: plugged in, pressed and unplugged as real ones are, without a kernel's help."""

from __future__ import annotations

import ctypes
from pathlib import Path

# SDL's order of a mapped controller's buttons; PS4, PS5 and Switch Pro send the D-pad like this.
A, B, BACK, GUIDE, START, SHOULDER = 0, 1, 4, 5, 6, 9
DPAD_UP, DPAD_DOWN, DPAD_LEFT, DPAD_RIGHT = 11, 12, 13, 14
STICK, STICK_DOWN, TRIGGER = 0, 1, 5
_CONTROLLER, _UNKNOWN = 1, 0


class _Description(ctypes.Structure):
    """SDL_VirtualJoystickDesc, version 1."""

    _fields_ = (
        *((name, ctypes.c_uint16) for name in ("version", "type", "axes", "buttons", "hats", "vendor", "product")),
        ("padding", ctypes.c_uint16),
        ("button_mask", ctypes.c_uint32),
        ("axis_mask", ctypes.c_uint32),
        ("name", ctypes.c_char_p),
        ("userdata", ctypes.c_void_p),
        ("callbacks", ctypes.c_void_p * 6),
    )


def _sdl() -> ctypes.CDLL:
    """The SDL that pygame has loaded into this process."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    library = ctypes.CDLL(next(line.split()[-1] for line in maps if "libSDL2-2" in line))
    library.SDL_JoystickFromInstanceID.restype = ctypes.c_void_p
    return library


class VirtualPad:
    """A controller that SDL has a mapping for, or, with `hats`, a joystick that it knows nothing about.

    It is plugged in at once; it can be pressed once a Gamepads has polled.
    """

    def __init__(self, name: str, vendor: int = 0x1234, product: int = 1, *, hats: int = 0, buttons: int = 15) -> None:
        self._sdl = _sdl()
        kind = _UNKNOWN if hats else _CONTROLLER
        description = _Description(1, kind, 6, buttons, hats, vendor, product, 0, 0, 0, name.encode())
        index = self._sdl.SDL_JoystickAttachVirtualEx(ctypes.byref(description))
        assert index >= 0
        self._instance = self._sdl.SDL_JoystickGetDeviceInstanceID(index)

    def press(self, button: int) -> None:
        self._do("SDL_JoystickSetVirtualButton", button, ctypes.c_uint8(1))

    def release(self, button: int) -> None:
        self._do("SDL_JoystickSetVirtualButton", button, ctypes.c_uint8(0))

    def tap(self, button: int) -> None:
        self.press(button)
        self.release(button)

    def lean(self, axis: int, value: float) -> None:
        self._do("SDL_JoystickSetVirtualAxis", axis, ctypes.c_int16(round(32_767 * value)))

    def hat(self, across: int, up: int = 0) -> None:
        ways = {-1: 8, 0: 0, 1: 2}[across] | {-1: 4, 0: 0, 1: 1}[up]
        self._do("SDL_JoystickSetVirtualHat", 0, ctypes.c_uint8(ways))

    def unplug(self) -> None:
        count = self._sdl.SDL_NumJoysticks()
        for index in range(count):
            if self._sdl.SDL_JoystickGetDeviceInstanceID(index) == self._instance:
                assert self._sdl.SDL_JoystickDetachVirtual(index) == 0
                return

    def _do(self, what: str, *arguments: object) -> None:
        joystick = ctypes.c_void_p(self._sdl.SDL_JoystickFromInstanceID(self._instance))
        assert joystick, "not opened yet: poll first"
        assert getattr(self._sdl, what)(joystick, *arguments) == 0
        self._sdl.SDL_JoystickUpdate()  # makes events of it, as a driver does
