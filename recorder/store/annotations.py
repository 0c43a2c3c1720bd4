"""Title, notes, tags and excluded spans, as read from a session's attributes, and what they leave for training.

Sessions may come from anybody: texts are cut to their maximum length, and control characters are removed. Invalid spans
are refused, because excluded ticks must never be learned from by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recorder.store.schema import LABELS, Episode

if TYPE_CHECKING:
    from recorder.store.episode_table import RecordedGame

MAX_TITLE, MAX_NOTES, MAX_TAGS, MAX_TAG, MAX_SPANS = 120, 4_000, 24, 32, 1_000  # characters, or how many


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
