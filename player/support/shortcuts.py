"""All keys of the window and what they do. The help is made from this list; a test compares it with the pages.

Keys that do the same are separated by a space. The keys that play the game are not listed here: see the bindings.
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
            ("Ctrl+R", "Start a take (also Space)"),
            ("Ctrl+G", "Choose from all games"),
            ("P", "Pause or resume"),
            ("Esc", "Stop and save the take"),
            ("Ctrl+Backspace", "Delete the take"),
            ("Ctrl+Z", "Undo"),
            ("Ctrl+Shift+R", "Delete the take and start again"),
            ("Backspace", "Rewind 3 seconds"),
            ("Shift+Backspace", "Rewind but keep the discarded part"),
            (".", "One frame forward, while paused"),
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
            ("X", "Exclude a part or a finding from training"),
            ("Esc", "Cancel or go back"),
        ),
        "train": (
            ("Ctrl+Return", "Train"),
            ("Ctrl+Z", "Undo"),
            ("F2", "Rename a twin"),
            ("Del", "Move a run or a twin to the trash"),
        ),
        "watch": (
            ("Space", "Play or pause"),
            ("R", "Restart"),
            ("Left", "One frame back"),
            ("Right", "One frame forward"),
            ("Shift+Left", "One second back"),
            ("Shift+Right", "One second forward"),
            ("Home", "Go to the start"),
            ("-", "Slower"),
            ("+ =", "Faster"),
            ("N", "Next disagreement"),
            ("Shift+N", "Previous disagreement"),
            ("D", "All disagreements"),
            ("F", "Play on from here, or let the twin do so"),
            ("L", "What the twin looks at"),
            ("W", "What drives a twin that sees no screen"),
            ("S", "The scoreboard"),
            ("E", "Export video"),
        ),
    }
)
# What a game controller does, in the words of a hand on one.
CONTROLLER: Shortcuts = (
    ("Stick or D-pad", "Move"),
    ("Buttons, triggers", "Fire, serve; start a game"),
    ("Start", "Start, pause, resume"),
    ("Back", "Before a take, all games; pause; in a pause or after a game, stop and save"),
    ("Up, down", "Before a take, choose the game; after a game, mark it good or bad"),
)
TITLES = {
    "controller": "Game controller",
    "window": "Everywhere",
    "record": "Record",
    "library": "Library",
    "train": "Train",
    "watch": "Watch",
}
