"""The user's opinions of a session in its files: labels and exclusions in columns, texts and spans in attributes.

The recorded data are never changed here; `recorder.store.annotations` describes the attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.errors import SessionError
from recorder.store.annotations import read_spans, summed_up
from recorder.store.episode_table import read_columns, recorded_games
from recorder.store.head import Head
from recorder.store.places import Place
from recorder.store.schema import LABELS, Episode
from recorder.store.session_group import SessionGroup


@dataclass(frozen=True)
class Opinions:
    """`excluded` bool and `labels` uint8 (an index into LABELS) have a row for every episode that was begun.

    `spans` are the ticks excluded from training, in order.
    """

    title: str
    notes: str
    tags: Sequence[str]
    excluded: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.uint8]
    spans: Sequence[range]


def read_opinions(group: SessionGroup, head: Head) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint8]]:
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


def store_opinions(group: SessionGroup, head: Head, opinions: Opinions, table: Callable[[], Sequence[Episode]]) -> None:
    """Store the opinions of a session that is not being written, and update its stored summary.

    `table` returns the episodes before the change; only a complete session needs them. Raises OSError or SessionError.
    """
    excluded, labels = opinions.excluded, opinions.labels
    for name, values in (read_columns(group, head) | {"excluded": excluded, "label": labels}).items():
        if not np.array_equal(values, group.read(f"episodes/{name}", (), str(values.dtype), head.episodes)):
            group.set_column(f"episodes/{name}", values)
    # All columns belong together now.
    changed: dict[str, Any] = {
        "last_game": None,
        "title": opinions.title,
        "notes": opinions.notes,
        "tags": list(opinions.tags),
    }
    changed["excluded_spans"] = [[span.start, span.stop] for span in opinions.spans]
    summary = group.attributes.get("summary")
    if head.complete and isinstance(summary, dict):
        episodes = [
            replace(episode, excluded=bool(excluded[episode.index]), label=LABELS[labels[episode.index]])
            for episode in table()
        ]
        changed["summary"] = summary | summed_up(recorded_games(episodes), opinions.spans)
    group.set_attributes(**changed)
