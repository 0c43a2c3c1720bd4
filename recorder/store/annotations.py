"""What somebody said of a session, and what that leaves for training. The recorded data are never changed here.

    attributes          title, notes, tags, spans that are excluded from training
    columns of games    label, excluded

Sessions may come from anybody: texts are cut to their maximum length, and control characters are removed. Invalid spans
are refused, because excluded ticks must never be learned from by mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.errors import SessionError
from recorder.store.episode_table import RecordedGame, read_columns, recorded_games
from recorder.store.head import Head
from recorder.store.places import Place
from recorder.store.schema import LABELS, Episode
from recorder.store.session_group import SessionGroup

MAX_TITLE, MAX_NOTES, MAX_TAGS, MAX_TAG, MAX_SPANS = 120, 4_000, 24, 32, 1_000  # characters, or how many


@dataclass(frozen=True)
class Annotations:
    """`excluded` bool and `labels` uint8 (an index into LABELS) have a row for every episode that was begun.

    `spans` are the ticks excluded from training, in order.
    """

    title: str
    notes: str
    tags: Sequence[str]
    excluded: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.uint8]
    spans: Sequence[range]


def read_title(attributes: Mapping[str, Any]) -> str:
    """The session's title, in one line."""
    return " ".join(_text(attributes.get("title"), MAX_TITLE).split())


def read_notes(attributes: Mapping[str, Any]) -> str:
    """The user's notes."""
    return _text(attributes.get("notes"), MAX_NOTES)


def read_tags(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """The user's tags."""
    tags = attributes.get("tags")
    found = (" ".join(_text(tag, MAX_TAG).split()) for tag in tags) if isinstance(tags, list) else ()
    return tuple(dict.fromkeys(tag for tag in found if tag))[:MAX_TAGS]


def read_spans(attributes: Mapping[str, Any], ticks: int) -> tuple[range, ...]:
    """The spans excluded from training, in order and not touching each other. Raises ValueError for anything else."""
    spans, last = attributes.get("excluded_spans", []), -1
    if not isinstance(spans, list) or len(spans) > MAX_SPANS:
        raise ValueError("not a list of spans")
    for span in spans:
        if not isinstance(span, list) or [type(tick) for tick in span] != [int, int]:
            raise ValueError("a span is not a pair of ticks")
        if not last < span[0] < span[1] <= ticks:
            raise ValueError(f"a span from {span[0]} to {span[1]} of {ticks} ticks")
        last = span[1]
    return tuple(range(start, stop) for start, stop in spans)


def cut_out(ticks: range, spans: Sequence[range]) -> list[range]:
    """The parts of `ticks` outside `spans`, which are in order."""
    left, kept = ticks.start, []
    for span in spans:
        if span.stop > left and span.start < ticks.stop:
            kept.append(range(left, span.start))
            left = span.stop
    kept.append(range(left, ticks.stop))
    return [part for part in kept if len(part)]


def to_learn(episode: Episode, spans: Sequence[range]) -> list[range]:
    """The ticks of an episode that training may use, in order; none of an excluded one, or of a lead-in."""
    return [] if episode.excluded or episode.leads_in else cut_out(range(episode.start, episode.stop), spans)


def summed_up(games: Sequence[RecordedGame], spans: Sequence[range]) -> dict[str, Any]:
    """How many games have each label, and how many ticks training may use."""
    episodes = [episode for game in games for episode in game.segments]
    return {
        "labels": {label: sum(game.label == label for game in games) for label in LABELS if label},
        "learn_ticks": sum(len(ticks) for episode in episodes for ticks in to_learn(episode, spans)),
    }


def _text(value: Any, limit: int) -> str:
    text = value[:limit] if isinstance(value, str) else ""
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")


def read_episode_marks(group: SessionGroup, head: Head) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint8]]:
    """`excluded` bool and `labels` uint8, a row for every episode that was begun. Raises SessionError."""
    columns = read_columns(group, head)
    return columns["excluded"], columns["label"]


def read_excluded(attributes: Mapping[str, Any], ticks: int, place: Place) -> tuple[range, ...]:
    """The spans excluded from training, in order and not touching each other; `ticks` is the session's length.

    Raises SessionError, naming the session's `place`, if they are invalid.
    """
    try:
        return read_spans(attributes, ticks)
    except ValueError:
        raise SessionError(
            f"{place}: its excluded spans are not an ordered list of [start, stop] ticks below {ticks}; "
            "set them again with `twinplay edit`"
        ) from None


def store_annotations(
    group: SessionGroup, head: Head, annotations: Annotations, table: Callable[[], Sequence[Episode]]
) -> None:
    """Store the annotations of a session that is not being written, and update its stored summary.

    `table` returns the episodes before the change; only a complete session needs them. Raises OSError or SessionError.
    """
    excluded, labels = annotations.excluded, annotations.labels
    for name, values in (read_columns(group, head) | {"excluded": excluded, "label": labels}).items():
        if not np.array_equal(values, group.read(f"episodes/{name}", (), str(values.dtype), head.episodes)):
            group.set_column(f"episodes/{name}", values)
    # All columns belong together now.
    changed: dict[str, Any] = {
        "last_game": None,
        "title": annotations.title,
        "notes": annotations.notes,
        "tags": list(annotations.tags),
    }
    changed["excluded_spans"] = [[span.start, span.stop] for span in annotations.spans]
    summary = group.attributes.get("summary")
    if head.complete and isinstance(summary, dict):
        episodes = [
            replace(episode, excluded=bool(excluded[episode.index]), label=LABELS[labels[episode.index]])
            for episode in table()
        ]
        changed["summary"] = summary | summed_up(recorded_games(episodes), annotations.spans)
    group.set_attributes(**changed)
