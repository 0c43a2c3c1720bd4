"""Reading and writing the files of a run: JSON that is replaced as a whole, and a log that grows."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from recorder.system.files import replacing

_MOST_BYTES = 4 << 20  # a configuration names its sessions, a few hundred bytes each
_MOST_LOG_BYTES = 64 << 10


def read_json(path: Path) -> Any:
    """The values in a file. Raises ValueError or RecursionError for one that cannot be meant, OSError."""
    if path.is_symlink() or not path.is_file():
        raise ValueError("there is no such file")
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError("it is too long")
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, values: Any) -> None:
    """Replace a file. Raises OSError."""
    with replacing(path) as part:
        part.write_text(json.dumps(values, indent=1), encoding="utf-8")


def update_json(path: Path, values: dict[str, Any]) -> None:
    """Replace a file, but keep what a later version has added to it. Raises OSError."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        values = _merged(read_json(path), values)
    write_json(path, values)


def add_to_log(path: Path, line: str) -> None:
    """Add a line, with the time of day. Raises OSError."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {line}\n")


def end_of_log(path: Path) -> str:
    """The end of a log, at most 64 kB of it. Raises OSError."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_LOG_BYTES))
        return file.read().decode("utf-8", errors="replace")


def _merged(before: Any, values: Any) -> Any:
    """Values, and of what was there before them what they do not name, also within them."""
    if not isinstance(before, dict) or not isinstance(values, dict):
        return values
    return before | {name: _merged(before.get(name), value) for name, value in values.items()}
