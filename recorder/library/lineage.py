"""What sessions were made of, so that play that lies in several of them is counted once.

    origins of a session    (digest, start, stop), …    the stretches of original sessions that its ticks come from

An original is its own origin. A merged session has the origins of its parts, a split one a share of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recorder.store.session import Session

Origin = tuple[str, int, int]
MOST = 10_000  # stretches in a session that are read; more are a stranger's doing


def origins_of(session: Session) -> tuple[Origin, ...]:
    """Where the ticks of a session come from, in order.

    Sessions that version 0.1 merged or split tell only the sessions they were made of directly.
    """
    attributes = session.attributes
    stored = attributes.get("origins")
    found = read_origins([_of_part(part) for part in _parts(session)] if stored is None else stored)
    if found and sum(stop - start for _, start, stop in found) == len(session):
        return found
    return ((str(attributes.get("digest") or session.name), 0, len(session)),)


def names_of_parts(session: Session) -> tuple[str, ...]:
    """The names of the sessions that a session was merged from or split from; none for an original."""
    return tuple(str(part.get("name", "")) for part in _parts(session))


def read_origins(stored: Any) -> tuple[Origin, ...]:
    """Stored origins, checked; none where they are anything else."""
    found = []
    for each in stored[:MOST] if isinstance(stored, list | tuple) else ():
        match each:
            case [str(digest), int(start), int(stop)] if 0 <= start < stop:
                found.append((digest, start, stop))
            case _:
                return ()
    return tuple(found)


def origins_within(origins: Sequence[Origin], ticks: Iterable[range]) -> list[Origin]:
    """The share of a session's origins that lies in `ticks` of it: ranges in rising order that do not overlap."""
    found, index, at = [], 0, 0
    for part in ticks:
        while index < len(origins):
            digest, start, stop = origins[index]
            first, last = max(at, part.start), min(at + stop - start, part.stop)
            if first < last:
                found.append((digest, start + first - at, start + last - at))
            if at + stop - start > part.stop:
                break
            index, at = index + 1, at + stop - start
    return found


def _parts(session: Session) -> list[dict[str, Any]]:
    parts = session.attributes.get("made_of")
    return [part for part in parts[:MOST] if isinstance(part, dict)] if isinstance(parts, list) else []


def _of_part(part: dict[str, Any]) -> list[Any]:
    """A stretch as `made_of` tells it, whose session may have been interrupted: then it has a name only."""
    ticks = part.get("ticks")
    start, stop = ticks if isinstance(ticks, list) and len(ticks) == 2 else (None, None)
    return [part.get("digest") or part.get("name"), start, stop]
