"""How many hours of play fit on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from recorder.envs.registry import get_spec


def free_hours(library: Path, env: str) -> float:
    """Hours of play in `env` that fit on the disk of `library`, whose folder need not exist yet.

    Raises OSError if the disk cannot be queried, and UnknownEnvError for an unknown environment.
    """
    spec = get_spec(env)
    folder = library.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return free / (spec.tick_bytes * spec.rate_hz * 3_600)


def room_text(library: Path, env: str) -> str:
    """The same in words; empty if the disk cannot be queried. Raises UnknownEnvError."""
    try:
        hours = free_hours(library, env)
    except OSError:
        return ""
    return f"{hours:,.0f} h" if hours >= 2 else f"{60 * hours:,.0f} min"
