"""The sessions that a run learns from, found again wherever they lie by now.

    where it lay ─▶ the run's own library, by name, then by digest ─▶ RunError: `relocate` is told where they are

A library may be renamed, or come back under another mount point. A session is the one that the run began with if its
digest says so; one that only has its name is never taken for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from recorder.errors import TwinplayError
from recorder.library.library import Library
from recorder.store.places import Place, place
from recorder.store.session import Session
from recorder.system.trash import FOLDER
from trainer.errors import RunError
from trainer.runs.runs import Runs
from trainer.runs.setup import Setup, Source


def open_sources(setup: Setup, library: Path) -> list[Session]:
    """The sessions of a run of `library`, in their order.

    Raises RunError when one has gone or has changed, TwinplayError when one is damaged.
    """
    return [_open(source, [library]) for source in setup.sources]


def relocate(runs: Runs, run: str, *, sessions: Place | None = None, policy: Path | None = None) -> None:
    """Write down that what a run learns from lies in the library `sessions`, and that it is to write `policy`.

    Sessions that are where they were stay noted there. Raises RunError when one is in neither place.
    """
    found = runs.get(run)
    if found.setup is None:
        raise RunError(found.problem)
    if runs.is_locked(run):
        raise RunError(f"the run {run} is being trained by another process; pause it first")
    setup = found.setup
    if sessions is not None:
        places = [_open(source, [runs.library, sessions]).place for source in setup.sources]
        moved = [replace(source, path=str(where)) for source, where in zip(setup.sources, places, strict=True)]
        setup = replace(setup, sources=tuple(moved))
    if policy is not None:
        setup = replace(setup, policy=str(policy.resolve()))
    runs.set_setup(run, setup)


def _open(source: Source, libraries: Sequence[Place]) -> Session:
    where = place(source.path)
    gone = isinstance(where, Path) and not os.path.isdir(where)
    problem: TwinplayError | None = None
    if not gone:
        try:
            session = Session.open(where)
            if not source.digest or _digest(session, source.digest) == source.digest:
                return session
        except TwinplayError as error:
            problem = error
    for candidate in _candidates(source, libraries) if source.digest else ():
        try:
            session = Session.open(candidate)
            if _digest(session, source.digest) == source.digest:
                return session
        except TwinplayError:  # it cannot be the one: its digest was taken when it could be read
            continue
    if problem is not None:
        raise problem
    if not gone:
        raise RunError(f"the session {where} has changed since this run started; start a new run")
    trashed = (library / FOLDER / f"{source.name}.zarr" for library in libraries)
    if any(isinstance(each, Path) and each.is_dir() for each in trashed):
        raise RunError(
            f"the session {where} is in the trash of its library; restore it there (`twinplay trash`, or Trash on the "
            "Library page), or start a new run without it"
        )
    raise RunError(
        f"the session {where} no longer exists, and it is not in {' or '.join(map(str, libraries))}; restore it, "
        "give the folder where it is now (twinplay train --resume RUN --sessions DIR), or start a new run without it"
    )


def _candidates(source: Source, libraries: Sequence[Place]) -> Iterator[Place]:
    """Where the session may be: what has its name, then what an index says has its digest."""
    for library in libraries:
        named = library / f"{source.name}.zarr"
        if not isinstance(named, Path) or os.path.isdir(named):
            yield named
        try:
            summaries = Library(library).sessions()
        except TwinplayError:
            continue
        yield from (each.place for each in summaries if each.digest == source.digest and each.place != named)


def _digest(session: Session, known: str) -> str:
    return str(session.attributes.get("digest") or session.digest(known))
