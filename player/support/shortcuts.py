"""Every key of the window and what it does: the one list that the help is made from. A test holds it against the pages.

Keys that do the same are separated by a blank. Those that play the game are the player's own: they are in the bindings.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Shortcuts = tuple[tuple[str, str], ...]

SHORTCUTS: Mapping[str, Shortcuts] = MappingProxyType(
    {
        "window": (
            ("Ctrl+1", "Record"),
            ("Ctrl+2", "Library"),
            ("Ctrl+3", "Train"),
            ("Ctrl+4", "Watch"),
            ("F1", "These shortcuts"),
            ("F10", "The menu"),
        ),
        "record": (
            ("Ctrl+R", "Start a take (Space, too)"),
            ("P", "Pause, or go on"),
            ("Esc", "Stop and keep the take"),
            ("Ctrl+Backspace", "Discard the take"),
            ("Ctrl+Z", "Bring a discarded take back"),
            ("Ctrl+Shift+R", "Discard and start again"),
            ("Backspace", "Go back 3 seconds in the game"),
            ("Shift+Backspace", "Rewind but keep the discarded part"),
            (".", "Play a single tick, while paused"),
            ("-", "Slower"),
            ("+ =", "Faster"),
            ("G", "Mark the game as good"),
            ("B", "Mark the game as bad"),
            ("M", "Sound on or off"),
        ),
        "library": (
            ("Del", "Move to the trash"),
            ("Ctrl+Z", "Undo"),
            ("Ctrl+F", "Search"),
            ("X", "Mark a span to leave out"),
            ("Esc", "Step back"),
        ),
        "train": (
            ("Ctrl+Return", "Train"),
            ("F2", "Rename a twin"),
            ("Del", "Move a run or a twin to the trash"),
        ),
        "watch": (
            ("Space", "Play or pause"),
            ("R", "From the start"),
            ("Left", "One frame back"),
            ("Right", "One frame forward"),
            ("Shift+Left", "A second back"),
            ("Shift+Right", "A second on"),
            ("Home", "To the start"),
            ("-", "Slower"),
            ("+ =", "Faster"),
            ("N", "The next disagreement"),
            ("Shift+N", "The one before"),
            ("D", "All disagreements"),
            ("L", "What the clone looks at"),
            ("W", "What drives a clone that sees no screen"),
            ("S", "The scoreboard"),
            ("E", "Export video"),
        ),
    }
)
# What a game controller does, in the words of a hand on one.
CONTROLLER: Shortcuts = (
    ("Stick or D-pad", "Move left and right"),
    ("Buttons, triggers", "Serve the ball; begin a game that is waited for"),
    ("Start", "Begin, pause, go on"),
)
TITLES = {
    "controller": "Game controller",
    "window": "Everywhere",
    "record": "Record",
    "library": "Library",
    "train": "Train",
    "watch": "Watch",
}
