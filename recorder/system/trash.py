"""Trash folders: what is deleted moves into `.trash` beside it, and can be restored from there."""

from __future__ import annotations

import os
import time
from pathlib import Path

from recorder.system.files import LONGEST_NAME

FOLDER = ".trash"


def move_to_trash(path: Path) -> Path:
    """Move a file or folder into the trash of its folder; returns its new path. Raises OSError."""
    target = path.parent / FOLDER / path.name
    target.parent.mkdir(exist_ok=True)
    return _move(path, target)


def restore_from_trash(trashed: Path) -> Path:
    """Move a file or folder back to where it was deleted; returns its path. Raises OSError."""
    return _move(trashed, trashed.parents[1] / trashed.name)


def _move(path: Path, target: Path) -> Path:
    """To another name if that is taken."""
    if target.exists() or target.is_symlink():
        stem, ending = target.stem, f"-{time.time_ns()}{target.suffix}"
        while len(os.fsencode(stem + ending)) > LONGEST_NAME:
            stem = stem[:-1]
        target = target.with_name(stem + ending)
    path.rename(target)
    return target
