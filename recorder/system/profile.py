"""Who sits at the keyboard: the name that is shown, and stored with each session."""

from __future__ import annotations

import getpass

MAX_NAME = 40


def login_name() -> str:
    """The name the player goes by until another one is chosen: that of the account."""
    try:
        return clean_name(getpass.getuser())
    except (OSError, KeyError, ImportError):
        return ""


def clean_name(text: str) -> str:
    """A name as it is stored: one line of at most MAX_NAME printable characters; may be empty."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_NAME].strip()
