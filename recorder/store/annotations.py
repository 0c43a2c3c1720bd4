"""What is thought of a session, as its attributes tell it, and what that leaves for training.

Sessions come from anybody: texts are cut to their length and lose what a terminal or a window would obey. Spans that
make no sense are refused, since what somebody wanted left out must not be learned from by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recorder.store.schema import LABELS, Episode

MAX_TITLE, MAX_NOTES, MAX_TAGS, MAX_TAG, MAX_SPANS = 120, 4_000, 24, 32, 1_000  # characters, or how many


def read_title(attributes: Mapping[str, Any]) -> str:
    """What its owner calls it, in one line."""
    return " ".join(_text(attributes.get("title"), MAX_TITLE).split())


def read_notes(attributes: Mapping[str, Any]) -> str:
    """Whatever its owner wrote about it."""
    return _text(attributes.get("notes"), MAX_NOTES)


def read_tags(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Words to find it by."""
    tags = attributes.get("tags")
    found = (" ".join(_text(tag, MAX_TAG).split()) for tag in tags) if isinstance(tags, list) else ()
    return tuple(dict.fromkeys(tag for tag in found if tag))[:MAX_TAGS]


def read_spans(attributes: Mapping[str, Any], ticks: int) -> tuple[range, ...]:
    """The spans left out of training, in order and apart from each other. Raises ValueError for anything else."""
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
    """What `spans`, which are in order, leave of `ticks`."""
    left, kept = ticks.start, []
    for span in spans:
        if span.stop > left and span.start < ticks.stop:
            kept.append(range(left, span.start))
            left = span.stop
    kept.append(range(left, ticks.stop))
    return [part for part in kept if len(part)]


def to_learn(episode: Episode, spans: Sequence[range]) -> list[range]:
    """The ticks of an episode that training may use, in order: none of an excluded one."""
    return [] if episode.excluded else cut_out(range(episode.start, episode.stop), spans)


def summed_up(episodes: Sequence[Episode], spans: Sequence[range]) -> dict[str, Any]:
    """How many games have each label, and how many ticks training may use."""
    played = [episode for episode in episodes if episode.outcome != "rewound"]
    return {
        "labels": {label: sum(episode.label == label for episode in played) for label in LABELS if label},
        "learn_ticks": sum(len(ticks) for episode in episodes for ticks in to_learn(episode, spans)),
    }


def _text(value: Any, limit: int) -> str:
    text = value[:limit] if isinstance(value, str) else ""
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")
