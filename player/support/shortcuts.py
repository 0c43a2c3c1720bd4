"""The list of all keys: its headings, and what a controller does. What the keys do, the pages say."""

from __future__ import annotations

ListedKeys = tuple[tuple[str, str], ...]  # keys, separated by spaces where several do the same, and what they do

# What a game controller does, in the words of a hand on one.
CONTROLLER: ListedKeys = (
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
