"""Which sessions of a list hold play that others hold, too (recorder.library.lineage), so that it is counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from recorder.library.session_summary import SessionSummary


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
            return next(each for each in counted if _overlap(row, each)), row
    return None


def _overlap(one: SessionSummary, other: SessionSummary) -> bool:
    """Whether they hold some tick of the same original."""
    return any(
        digest == of and max(start, first) < min(stop, last)
        for digest, start, stop in one.origins
        for of, first, last in other.origins
    )


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
