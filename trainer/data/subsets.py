"""Which games of some sessions a training uses, and what it leaves out, in words.

    all          every game
    good         those that their player marked good
    best-half    the better half by score; to clone only the best share of a data set is a baseline that is hard to beat
                 (percentile behavioural cloning in L. Chen and others: Decision Transformer, 2021)
    tag:WORD     those of sessions with a tag

Games that are excluded in the library, or were not chosen by hand, are left out before that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from recorder.store.episode_table import RecordedGame
from recorder.store.session import Session
from recorder.system.texts import count

ALL, GOOD, BEST_HALF = "all", "good", "best-half"
SUBSETS = {ALL: "All games", GOOD: "Games marked good", BEST_HALF: "Best half"}
_TAG = "tag:"
_REASONS = {ALL: "", GOOD: "not marked good", BEST_HALF: "by score"}


class Judged(NamedTuple):
    """What a game is chosen by: its score and label, and the tags of its session."""

    score: float
    label: str
    tags: Collection[str] = ()


@dataclass(frozen=True)
class UsedGames:
    """`episodes` are the indices of the episodes to take, by the name of each session that is not taken as a whole.

    `left_out` tells what is not used, like "6 of 12 games, by score"; empty where all is.
    """

    episodes: Mapping[str, tuple[int, ...]]
    left_out: str = ""


def with_tag(tag: str) -> str:
    """The subset of the games of sessions with a tag."""
    return f"{_TAG}{tag}"


def tag_of(only: str) -> str:
    """The tag of such a subset; empty for another."""
    return only.removeprefix(_TAG) if only.startswith(_TAG) else ""


def has_tag(tags: Collection[str], tag: str) -> bool:
    """Whether a tag is among these, in capitals or not."""
    return tag.casefold() in {each.casefold() for each in tags}


def in_subset(games: Sequence[Judged], only: str) -> list[bool]:
    """Which of these games are in a subset.

    An odd number of games has the larger half; of equal scores the earlier ones come first.
    """
    if only == GOOD:
        return [game.label == "success" for game in games]
    if only == BEST_HALF:
        order = sorted(range(len(games)), key=lambda index: -games[index].score)
        best = set(order[: (len(games) + 1) // 2])
        return [index in best for index in range(len(games))]
    tag = tag_of(only)
    return [not tag or has_tag(game.tags, tag) for game in games]


def choose_games(
    sessions: Sequence[Session], by_hand: Mapping[str, Collection[int]] | None = None, only: str = ALL
) -> UsedGames:
    """The games to use of these sessions: `by_hand` has the numbers of those chosen, by the name of each session of
    which not all are. Raises SessionError for excluded spans that cannot be read.
    """
    games = [(session, game) for session in sessions for game in session.recorded_games]
    usable = [(session, game) for session, game in games if _learn_ticks(session, game)]
    chosen = [
        (session, game)
        for session, game in usable
        if by_hand is None or session.name not in by_hand or game.number in by_hand[session.name]
    ]
    kept = in_subset([Judged(game.score, game.label, session.tags) for session, game in chosen], only)
    used = [each for each, keep in zip(chosen, kept, strict=True) if keep]
    numbers = {(session.name, game.number) for session, game in used}
    partly = {session.name for session, game in usable if (session.name, game.number) not in numbers}
    episodes: dict[str, tuple[int, ...]] = {
        session.name: tuple(
            episode.index
            for other, game in used
            if other is session
            for episode in game.segments
            if not episode.excluded
        )
        for session in sessions
        if session.name in partly or session.name in (by_hand or ())
    }
    counts = {
        "excluded in the library": len(games) - len(usable),
        "not selected": len(usable) - len(chosen),
        _REASONS.get(only) or f"not tagged {tag_of(only)}": len(chosen) - len(used),
    }
    cut = sum((game.ticks - _learn_ticks(session, game)) / session.spec.rate_hz for session, game in used)
    return UsedGames(episodes, _in_words(len(games), counts, cut))


def _learn_ticks(session: Session, game: RecordedGame) -> int:
    return sum(len(part) for episode in game.line for part in session.to_learn(episode))


def _in_words(total: int, counts: Mapping[str, int], cut_s: float) -> str:
    """What is left out of `total` games, for each reason how many, and how many seconds of the others."""
    counts = {reason: number for reason, number in counts.items() if number}
    parts = []
    if counts:
        reasons = [reason if len(counts) == 1 else f"{number} {reason}" for reason, number in counts.items()]
        parts.append(f"{sum(counts.values())} of {count(total, 'game')}, {', '.join(reasons)}")
    if cut_s >= 0.5:
        parts.append(f"{cut_s:.0f} s of the games that are used")
    return "; ".join(parts)
