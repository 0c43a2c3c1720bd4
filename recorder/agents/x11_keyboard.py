"""Asks the X server for the labels of the keys and for the keys that are down, through the libraries that Qt needs.

If that is not possible (Wayland, Windows, macOS, a missing library), `open_keyboard` returns None: the window then
learns the labels from the keys that are pressed, and believes every release.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from recorder.agents.keyboard import PLACES, x11_keycode

_CORE_KEYBOARD = 0x100
_NEW_KEYBOARD, _MAP, _STATE = 0, 1, 2  # XKB's event types; bit 1 << type selects one
_DEAD = {0xFE50: "`", 0xFE51: "´", 0xFE52: "^", 0xFE53: "~", 0xFE57: "¨", 0xFE58: "°", 0xFE59: "˝", 0xFE5B: "¸"}
_LEAST_EVENT_BYTES = 32
_KEYS_AT, _KEYS_BYTES = 8, 32  # in xcb_query_keymap_reply_t: a bit for each keycode


class X11Keyboard:
    """The X server's keyboard, over a separate connection.

    `descriptor` becomes readable when something may have changed; `changed` then says whether it did. Raises OSError if
    a library, the server or its keyboard extension is missing.
    """

    def __init__(self) -> None:
        self._xcb, self._xkb, self._x11 = (
            ctypes.CDLL(name) for name in ("libxcb.so.1", "libxkbcommon.so.0", "libxkbcommon-x11.so.0")
        )
        self._libc = ctypes.CDLL(None)
        events = ctypes.CDLL("libxcb-xkb.so.1")
        pointer = ctypes.c_void_p
        for library, name in (
            (self._xcb, "xcb_connect"),
            (self._xcb, "xcb_poll_for_event"),
            (self._xcb, "xcb_query_keymap_reply"),
            (self._xkb, "xkb_context_new"),
            (self._x11, "xkb_x11_keymap_new_from_device"),
            (self._x11, "xkb_x11_state_new_from_device"),
        ):
            getattr(library, name).restype = pointer
        self._connection = pointer(self._xcb.xcb_connect(None, None))
        self._context: Any = None
        if self._xcb.xcb_connection_has_error(self._connection) or not self._x11.xkb_x11_setup_xkb_extension(
            self._connection, ctypes.c_uint16(1), ctypes.c_uint16(0), 0, None, None, None, None
        ):
            self.close()
            raise OSError("the X server does not tell its keyboard's layout")
        no_files = 1 | 2  # neither the include path nor names from the environment: the server provides everything
        self._context = pointer(self._xkb.xkb_context_new(no_files))
        self._device = self._x11.xkb_x11_get_core_keyboard_device_id(self._connection)
        kinds = ctypes.c_uint16(1 << _NEW_KEYBOARD | 1 << _MAP | 1 << _STATE)
        full = ctypes.c_uint16(0xFF)
        core, none = ctypes.c_uint16(_CORE_KEYBOARD), ctypes.c_uint16(0)
        events.xcb_xkb_select_events.restype = ctypes.c_uint64  # a cookie, by value
        events.xcb_xkb_select_events(self._connection, core, kinds, none, kinds, full, full, None)
        self._xcb.xcb_flush(self._connection)
        self._group = -1

    @property
    def descriptor(self) -> int:
        """The file descriptor of the connection."""
        return int(self._xcb.xcb_get_file_descriptor(self._connection))

    def labels(self) -> dict[int, str]:
        """The labels by the code of the position, without positions that type nothing."""
        pointer = ctypes.c_void_p
        keymap = pointer(
            self._x11.xkb_x11_keymap_new_from_device(self._context, self._connection, self._device, 0) or None
        )
        if not keymap:
            return {}
        state = pointer(self._x11.xkb_x11_state_new_from_device(keymap, self._connection, self._device) or None)
        found = {}
        symbols = ctypes.POINTER(ctypes.c_uint32)()
        for place in PLACES:
            if place.on_keypad or not state:
                continue
            key = ctypes.c_uint32(x11_keycode(place))
            group = ctypes.c_uint32(self._xkb.xkb_state_key_get_layout(state, key))
            if self._xkb.xkb_keymap_key_get_syms_by_level(keymap, key, group, 0, ctypes.byref(symbols)) < 1:
                continue
            symbol = int(symbols[0])
            text = _DEAD.get(symbol) or chr(self._xkb.xkb_keysym_to_utf32(ctypes.c_uint32(symbol)) & 0x1FFFFF)
            if text.strip() and text.isprintable():
                found[place.code] = text if text == "ß" else text.upper()
        if state:
            self._xkb.xkb_state_unref(state)
        self._xkb.xkb_keymap_unref(keymap)
        return found

    def is_down(self, keycode: int) -> bool:
        """Whether a key is down now."""
        cookie = ctypes.c_uint(self._xcb.xcb_query_keymap(self._connection))
        reply = self._xcb.xcb_query_keymap_reply(self._connection, cookie, None)
        if not reply:
            return False
        keys = ctypes.string_at(reply + _KEYS_AT, _KEYS_BYTES)
        self._libc.free(ctypes.c_void_p(reply))
        return keycode < 8 * _KEYS_BYTES and bool(keys[keycode // 8] >> keycode % 8 & 1)

    def changed(self) -> bool:
        """Whether the layout, or its group, has changed since the last call. Raises OSError."""
        changed = False
        while event := self._xcb.xcb_poll_for_event(self._connection):
            content = ctypes.string_at(event, _LEAST_EVENT_BYTES)
            self._libc.free(ctypes.c_void_p(event))
            kind, group = content[1], content[13]
            changed = changed or kind != _STATE or group != self._group
            if kind == _STATE:
                self._group = group
        if self._xcb.xcb_connection_has_error(self._connection):
            raise OSError("the connection to the X server was lost")
        return changed

    def close(self) -> None:
        """Close the connection."""
        if self._context:
            self._xkb.xkb_context_unref(self._context)
        self._xcb.xcb_disconnect(self._connection)


def open_keyboard(platform: str) -> X11Keyboard | None:
    """The keyboard, if the platform (the name of Qt's plugin) is X11; otherwise None."""
    if platform != "xcb" or not sys.platform.startswith("linux"):
        return None
    try:
        return X11Keyboard()
    except (OSError, AttributeError):
        return None
