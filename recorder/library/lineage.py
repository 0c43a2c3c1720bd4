"""What sessions were made of, so that play that lies in several of them is counted once.

    origins of a session    (digest, start, stop), …    the stretches of original sessions that its ticks come from

An original is its own origin. A merged session has the origins of its parts, a split one a share of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recorder.library.library import SessionSummary
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


def origins_within(origins: Iterable[Origin], ticks: range) -> list[Origin]:
    """The share of a session's origins that lies in `ticks` of it."""
    found, at = [], 0
    for digest, start, stop in origins:
        first, last = max(at, ticks.start), min(at + stop - start, ticks.stop)
        if first < last:
            found.append((digest, start + first - at, start + last - at))
        at += stop - start
    return found


def without_copies(rows: Sequence[SessionSummary]) -> list[SessionSummary]:
    """Sessions that hold all the play of `rows`, in their order, without those whose play lies in others among them.

    Where an original and what was made of it are both there, the original stays.
    """
    shared = _shared(rows)
    entangled = [row for row in rows if any(digest in shared for digest, _, _ in row.origins)]
    entangled.sort(key=lambda row: (_is_made(row), -row.ticks))
    kept: list[SessionSummary] = []
    for row in entangled:
        if not _is_made(row) or not _covered(row, kept):
            kept.append(row)
    for row in reversed(kept[:]):  # a merged session may hold more than the originals that are left of it
        rest = [each for each in kept if each is not row]
        if _covered(row, rest):
            kept = rest
    dropped = {id(row) for row in entangled} - {id(row) for row in kept}
    return [row for row in rows if id(row) not in dropped]


def first_copy(rows: Sequence[SessionSummary]) -> tuple[SessionSummary, SessionSummary] | None:
    """Two of these sessions that hold the same play, the one that counts first; None where all differ."""
    counted = without_copies(rows)
    for row in rows:
        if not any(each is row for each in counted):
            digests = {digest for digest, _, _ in row.origins}
            return next(each for each in counted if digests & {digest for digest, _, _ in each.origins}), row
    return None


def _parts(session: Session) -> list[dict[str, Any]]:
    parts = session.attributes.get("made_of")
    return [part for part in parts[:MOST] if isinstance(part, dict)] if isinstance(parts, list) else []


def _of_part(part: dict[str, Any]) -> list[Any]:
    """A stretch as `made_of` tells it, whose session may have been interrupted: then it has a name only."""
    ticks = part.get("ticks")
    start, stop = ticks if isinstance(ticks, list) and len(ticks) == 2 else (None, None)
    return [part.get("digest") or part.get("name"), start, stop]


def _is_made(row: SessionSummary) -> bool:
    return row.origins != ((row.digest or row.name, 0, row.ticks),)


def _shared(rows: Iterable[SessionSummary]) -> set[str]:
    """Digests of originals that more than one of the sessions hold something of."""
    holders: Counter[str] = Counter()
    for row in rows:
        holders.update({digest for digest, _, _ in row.origins})
    return {digest for digest, number in holders.items() if number > 1}


def _covered(row: SessionSummary, others: Iterable[SessionSummary]) -> bool:
    """Whether every tick of `row` lies in one of the `others`."""
    known: dict[str, list[tuple[int, int]]] = {}
    for other in others:
        for digest, start, stop in other.origins:
            known.setdefault(digest, []).append((start, stop))
    for digest, start, stop in row.origins:
        for first, last in sorted(known.get(digest, ())):
            if first <= start:
                start = max(start, last)
        if start < stop:
            return False
    return True
