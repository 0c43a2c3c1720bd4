"""A cache of facts about each session of a library, so that listing a thousand sessions opens none of them.

    library/.index.json   {"format", "version", "sessions": {name: {"stamp": [mtime_ns, size], "facts": {…}}}}

Decision: the index is derived data and can always be made again. An entry is valid only while the session's
`zarr.json`, which every commit, certificate and edit replaces, still has the time and size that are stored in the
entry; any other entry is made again. Only complete sessions have one: sessions that are being recorded, were
interrupted or cannot be read are opened each time. An index that is damaged, too large or not a plain file is ignored,
and nothing depends on its being written. Alternative: a database, rejected because libraries are copied and shared as
folders.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recorder.system.files import replacing

FILE = ".index.json"
FORMAT, VERSION = "twinplay-index", 1
MAX_BYTES = 32 << 20  # forty thousand sessions
Stamp = tuple[int, int]
# The index as it was read last, by library, with (inode, mtime in ns, size): pages of a window list the same one again
# and again, and parsing a thousand entries holds it up for 80 ms.
_read: dict[Path, tuple[tuple[int, int, int], dict[str, Entry]]] = {}


@dataclass(frozen=True)
class Entry:
    """`facts` are valid while the session's `zarr.json` has this `stamp`: (mtime in ns, size in bytes).

    `made` caches the objects that were made from them, by the session's path.
    """

    stamp: Stamp
    facts: Any
    made: dict[Path, Any] = field(default_factory=dict, compare=False, repr=False)


def stamp_of(session: Path | str) -> Stamp | None:
    """The current stamp of a session; None if it has no `zarr.json`."""
    try:
        found = os.stat(f"{session}/zarr.json")
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def read_index(library: Path) -> dict[str, Entry]:
    """The entries by the name of the session's folder; empty without a valid index. `facts` are not checked."""
    try:
        descriptor = os.open(library / FILE, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
                return {}
            stamp, entries = _read.get(library, ((), {}))
            if stamp == (found.st_ino, found.st_mtime_ns, found.st_size):
                return dict(entries)
            document = json.loads(file.read(MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(document, dict) or (document.get("format"), document.get("version")) != (FORMAT, VERSION):
        return {}
    sessions = document.get("sessions")
    entries = {}
    for name, entry in sessions.items() if isinstance(sessions, dict) else ():
        match entry:
            case {"stamp": [int(mtime), int(size)], "facts": facts}:
                entries[name] = Entry((mtime, size), facts)
    _remember(library, found, entries)
    return entries


def _remember(library: Path, found: os.stat_result, entries: Mapping[str, Entry]) -> None:
    if len(_read) > 3:
        _read.clear()
    _read[library] = ((found.st_ino, found.st_mtime_ns, found.st_size), dict(entries))


def write_index(library: Path, entries: Mapping[str, Entry]) -> None:
    """Replace the index; failures are ignored."""
    sessions = {name: {"stamp": entry.stamp, "facts": entry.facts} for name, entry in entries.items()}
    content = json.dumps({"format": FORMAT, "version": VERSION, "sessions": sessions}, separators=(",", ":")).encode()
    if len(content) > MAX_BYTES:
        return
    with contextlib.suppress(OSError):
        with replacing(library / FILE) as part:
            part.write_bytes(content)
            found = part.stat()
        _remember(library, found, entries)
