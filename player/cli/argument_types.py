"""Argument types for argparse. All raise ArgumentTypeError, saying what is expected."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable

_MOMENT = re.compile(r"\d{1,9}|\d{1,7}(\.\d{1,3})?s|(\d{1,3}:)?\d{1,3}:\d{2}(\.\d{1,3})?")  # ticks, seconds, or a clock


def _whole(text: str, low: int, high: int, what: str) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return int(text)


def _real(text: str, fits: Callable[[float], bool], what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not fits(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value


def positive(text: str) -> int:
    """A whole number above zero."""
    return _whole(text, 1, 10**9, "a whole number above zero")


def seed(text: str) -> int:
    """A seed, from 0 to 2147483647."""
    return _whole(text, 0, 2**31 - 1, "a seed; give a whole number from 0 to 2147483647")


def seconds(text: str) -> float:
    """A number of seconds above zero."""
    return _real(text, lambda value: 0 < value < 1e7, "a number of seconds above zero")


def minutes(text: str) -> float:
    """A number of minutes above zero."""
    return _real(text, lambda value: 0 < value < 1e5, "a number of minutes above zero")


def moment(text: str) -> float:
    """A number of seconds from zero."""
    return _real(text, lambda value: 0 <= value < 1e7, "a number of seconds, 0 or larger")


def delays(text: str) -> tuple[int, ...]:
    """Ticks from 0 to 60, such as 0,6,12."""
    return tuple(_whole(part, 0, 60, "a list of ticks from 0 to 60, such as 0,6,12") for part in text.split(","))


def index(text: str) -> int:
    """The number of a game in its session, from 1."""
    return _whole(text, 1, 10**9, "the number of a game, as `twinplay show` lists them")


def indices(text: str) -> tuple[int, ...]:
    """Numbers of games, such as 1,3."""
    return tuple(index(part) for part in text.split(","))


def span(text: str) -> tuple[str, str]:
    """The ends of a span, each in ticks, in seconds or as a clock shows it; ("all", "") for all spans."""
    first, dash, last = text.partition("-")
    if text != "all" and not (dash and all(_MOMENT.fullmatch(part) for part in (first, last))):
        raise argparse.ArgumentTypeError(f"{text!r} is not a span; give one such as 10s-25s, 1:10-1:25 or 600-1500")
    return first, last


def moment_of_play(text: str) -> str:
    """A moment of a recording, in ticks, in seconds or as a clock shows it; `moment_tick` reads it."""
    if not _MOMENT.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a moment; give one such as 1:23, 83.5s or, in ticks, 4980")
    return text


def moment_tick(text: str, rate_hz: float) -> int:
    """The tick that a moment means: a number, seconds ("12.5s"), or minutes and seconds ("1:10")."""
    if text.endswith("s"):
        return round(float(text[:-1]) * rate_hz)
    if ":" in text:
        seconds = 0.0
        for part in text.split(":"):
            seconds = 60 * seconds + float(part)
        return round(seconds * rate_hz)
    return int(text)


def games(text: str) -> tuple[str, tuple[int, ...]]:
    """A session, and numbers of its games, such as NAME=1,3."""
    name, _, listed = text.rpartition("=")
    what = "a session and numbers of its games, such as 2026-11-21T10-14-03-breakout=1,3"
    if not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return name, tuple(_whole(part, 1, 10**6, what) for part in listed.split(","))


def probability(text: str) -> float:
    """A probability from 0 to below 1."""
    return _real(text, lambda value: 0 <= value < 1, "a probability from 0 to below 1")
