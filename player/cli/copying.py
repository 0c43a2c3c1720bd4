"""The commands that copy sessions between libraries: push and pull; see `player.cli.commands`."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence

from player.cli.progress_bar import Meter
from recorder.errors import SessionError
from recorder.library.copying import copying
from recorder.library.library import Library, session_place
from recorder.store.places import Place, Url, is_session, place


def push(options: Namespace) -> int:
    """See the command's help."""
    return _copy_all(_sessions(options.sessions, options.library), place(options.to), options.json)


def pull(options: Namespace) -> int:
    """See the command's help."""
    return _copy_all(_sessions(options.sessions, None), Library(options.library).path, options.json)


def _sessions(given: Sequence[str], library: str | None) -> list[Place]:
    """The given sessions; a library stands for all its sessions. Raises SessionError, LibraryError or UsageError."""
    found: list[Place] = []
    for text in given:
        where = place(text)
        folder = isinstance(where, Url) or (where.is_dir() and not is_session(where))
        if where.name.endswith(".zarr") or not folder:
            found.append(session_place(text, library))
        else:
            rows = Library(where).sessions()
            if not rows:
                raise SessionError(f"{where} has no sessions; give a library, or a session in one")
            found += [row.place for row in rows]
    return found


def _copy_all(sessions: Sequence[Place], library: Place, as_json: bool) -> int:
    """Copy all sessions; one that cannot be copied is reported, and the others are still copied."""
    refused = 0
    for source in sessions:
        made: Place | None = None
        was_there = False
        try:
            with Meter(f"copying {source.name}", as_json) as meter:
                for step in copying(source, library):
                    made, was_there = step.made, step.was_there
                    meter.show(step.done / max(1, step.total), f"of {step.total / 2e6:,.1f} MB")
        except SessionError as error:
            print(f"twinplay: {error}", file=sys.stderr)
            refused += 1
            continue
        assert made is not None
        if as_json:
            print(json.dumps({"session": str(source), "copy": str(made), "was_there": was_there}))
        else:
            print(f"{made}: {'already exists' if was_there else 'copied'}{_renamed(source, made)}")
    if refused:
        print(f"twinplay: {refused} of {len(sessions)} sessions could not be copied", file=sys.stderr)
    return 1 if refused else 0


def _renamed(source: Place, made: Place) -> str:
    return "" if made.name == source.name else f" under this name, because another session is named {source.name}"
