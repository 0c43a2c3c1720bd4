"""The parts of a session that can be edited: descriptions and labels, never the recording itself.

    title, notes, tags, excluded_spans    attributes of the session
    excluded, label                       two columns of its table of episodes

The session's digest covers neither, so its replay certificate stays valid. The folder's name identifies a session; its
title is for people.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from filelock import Timeout

from recorder.errors import LibraryError, SessionError, UsageError
from recorder.store.annotations import MAX_NOTES, MAX_SPANS, MAX_TAG, MAX_TAGS, MAX_TITLE
from recorder.store.locks import release, session_lock
from recorder.store.places import on_this_computer, place
from recorder.store.schema import LABELS
from recorder.store.session import Session

_T = TypeVar("_T")
_A_MOMENT_S = 0.2  # another program may hold the lock only to see whether somebody holds it


def edit(
    path: Path,
    *,
    title: str | None = None,
    notes: str | None = None,
    tags: Collection[str] | None = None,
    excluded: Mapping[int, bool] | None = None,
    labels: Mapping[int, str] | None = None,
    spans: Iterable[range] | None = None,
) -> Session:
    """Change what is given, keep the rest, and return the changed session.

    `excluded` and `labels` map indices of episodes; `spans` are all ticks to exclude from now on, in any order.
    Raises UsageError for invalid values, SessionError for a session that cannot be read or is being recorded, and
    LibraryError if it cannot be written.
    """
    _check_words(title, notes, tags)
    path = on_this_computer(place(path))
    with alone(path):
        session = Session.open(path)
        columns = [column.copy() for column in session.episode_marks]
        known = {episode.index for episode in session.episodes}
        unknown = [index for index in (*(excluded or ()), *(labels or ())) if index not in known]
        if unknown:
            raise UsageError(f"{path} has no episode {unknown[0]}; {_range_of(known)}")
        for index, out in (excluded or {}).items():
            columns[0][index] = out
        for index, label in (labels or {}).items():
            if label not in LABELS:
                raise UsageError(f"{label!r} is not a label; choose one of: {', '.join(filter(None, LABELS))}")
            columns[1][index] = LABELS.index(label)
        try:
            session.annotate(
                title=session.title if title is None else " ".join(title.split()),
                notes=session.notes if notes is None else notes.strip(),
                tags=session.tags if tags is None else _tidy(tags),
                excluded=columns[0],
                labels=columns[1],
                spans=session.excluded_spans if spans is None else merge_spans(spans, len(session)),
            )
        except OSError as error:
            raise LibraryError(f"{path} cannot be changed: {os.strerror(error.errno or 0)}") from error
        return Session.open(path)


def merge_spans(spans: Iterable[range], ticks: int) -> tuple[range, ...]:
    """The same ticks as sorted spans that do not touch, within [0, `ticks`). Raises UsageError."""
    merged: list[range] = []
    for span in sorted(spans, key=lambda span: span.start):
        if span.step != 1 or span.start < 0 or span.stop > ticks or not len(span):
            raise UsageError(f"ticks {span.start} to {span.stop} are not a valid span of a session of {ticks:,} ticks")
        if merged and span.start <= merged[-1].stop:
            merged[-1] = range(merged[-1].start, max(merged[-1].stop, span.stop))
        else:
            merged.append(span)
    if len(merged) > MAX_SPANS:
        raise UsageError(f"{len(merged):,} spans are more than a session takes ({MAX_SPANS:,}); leave out whole games")
    return tuple(merged)


def without(spans: Iterable[range], hole: range) -> list[range]:
    """`spans` without the ticks of `hole`."""
    parts = (
        part
        for span in spans
        for part in (range(span.start, min(span.stop, hole.start)), range(max(span.start, hole.stop), span.stop))
    )
    return [part for part in parts if len(part)]


def of_games(session: Session, given: Mapping[int, _T], *, undone: bool = False) -> dict[int, _T]:
    """What is given by the numbers of games, by the indices of their episodes; also of the `undone` ones if wished.

    Raises UsageError for a game that the session does not have.
    """
    return {
        episode.index: value
        for number, value in given.items()
        for episode in (session.game(number).segments if undone else session.game(number).line)
    }


@contextlib.contextmanager
def alone(path: Path, patience_s: float = _A_MOMENT_S) -> Iterator[None]:
    """Lock the session against other writers. Raises SessionError or LibraryError."""
    if not path.is_dir():
        raise SessionError(f"{path} does not exist; `twinplay sessions` lists the sessions")
    try:
        lock = session_lock(path)
        lock.acquire(timeout=patience_s)
    except Timeout:
        raise SessionError(f"{path} is being recorded, or changed by another program; try again later") from None
    except OSError as error:
        raise LibraryError(f"{path.parent} cannot be written: {os.strerror(error.errno or 0)}") from error
    try:
        yield
    finally:
        release(lock)


def _check_words(title: str | None, notes: str | None, tags: Collection[str] | None) -> None:
    for what, text, limit in (("title", title, MAX_TITLE), ("note", notes, MAX_NOTES)):
        if text is not None and len(text.strip()) > limit:
            raise UsageError(f"a {what} can have at most {limit:,} characters, this one has {len(text.strip()):,}")
    if tags is not None and (len(tags) > MAX_TAGS or any(len(tag.strip()) > MAX_TAG for tag in tags)):
        raise UsageError(f"a session can have at most {MAX_TAGS} tags of at most {MAX_TAG} characters each")


def _tidy(tags: Collection[str]) -> list[str]:
    words = (" ".join(tag.replace(",", " ").split()) for tag in tags)
    return list(dict.fromkeys(word for word in words if word))


def _range_of(known: set[int]) -> str:
    return f"choose from {min(known)} to {max(known)}" if known else "it is empty"
