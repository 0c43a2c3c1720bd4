"""How much play the disk still has room for."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from recorder.envs.game import get_spec

# Bytes that a tick takes on disk, measured on whole sessions: 34 to 45 of Breakout, by what happens on the screen, and
# 249 of Hopper, whose numbers hardly compress.
TICK_BYTES: Mapping[str, int] = MappingProxyType({"breakout": 45, "hopper": 250})


def free_hours(library: Path, env: str) -> float:
    """Hours of play in `env` that fit on the disk of `library`, whose folder need not exist yet.

    Raises OSError where the disk cannot be asked, and UnknownEnvError for an unknown environment.
    """
    spec = get_spec(env)
    folder = library.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return free / (TICK_BYTES[spec.name] * spec.rate_hz * 3_600)
