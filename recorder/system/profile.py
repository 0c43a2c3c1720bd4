"""The player's name, which is shown and stored with each session."""

from __future__ import annotations

MAX_NAME = 40


def clean_name(text: str) -> str:
    """The stored form of a name: one line of at most MAX_NAME printable characters; may be empty."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_NAME].strip()
