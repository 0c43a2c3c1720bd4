"""Games that are unlike the others of the same player, or too much like one of them.

Lengths and scores are compared by the modified z-score (see `recorder.library.unusual_ticks`), with a MAD for each side
of the median. Scores are skewed, so the limit above the median is higher: of sessions of 12 to 50 games with
exponential scores, one in thirty is told of a game that is all right.

Near-duplicates are found as A. Z. Broder does it for documents (On the resemblance and containment of documents, 1997):
a game is the set of its shingles, eight holds in a row each with its length, and the share of them that another game
has, too, says how much of it is the same. Only those count that are equally far from each other in both games: a player
like CartPole's repeats its few patterns all the time, but in another order. A copy that begins a moment later is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recorder.library.findings import Finding, seconds_text
from recorder.library.names import session_name
from recorder.library.session_summary import SessionSummary
from recorder.library.unusual_ticks import FAR, MAD_TO_SD, NARROWEST, Holds, rest_code
from recorder.store.episode_table import RecordedGame
from recorder.store.session import Session
from recorder.system.texts import count

FEW_GAMES = 8  # fewer games say little about what is usual
FAR_ABOVE = 8.0  # modified z-score; below the median it is FAR
RATIO = 3.0  # a game is told only if it also is so many times the median, or less than one over so many
CUT_SHORT = ("stopped", "interrupted")  # outcomes
SHORT_SHARE, SHORT_S = 0.25, 10.0  # a game that was stopped is told below both: share of the usual length, seconds
NO_PLAY_S = 1.0  # shorter games without an action are told as cut short
SAME = 0.7  # share of a game's shingles
SHINGLE, FEW_SHINGLES, SKETCH = 8, 20, 64
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xBF58476D1CE4E5B9], np.uint64)


@dataclass(frozen=True)
class Shingles:
    """Hashes of each eight holds in a row of a game, unique and sorted, and at which hold each begins first."""

    hashes: npt.NDArray[np.uint64]
    places: npt.NDArray[np.int64]

    @classmethod
    def of(cls, holds: Holds, game: RecordedGame) -> Shingles:
        """The shingles of a game."""
        chosen = holds.within(game)
        mixed = (holds.code[chosen] + np.uint64(1)) * _MIX[0] ^ holds.ticks[chosen].astype(np.uint64) * _MIX[1]
        mixed = (mixed ^ (mixed >> np.uint64(31))) * _MIX[2]
        total = np.zeros(max(0, len(mixed) - SHINGLE + 1), np.uint64)
        for place in range(SHINGLE):
            total = total * _MIX[0] + mixed[place : place + len(total)]
        return cls(*np.unique(total, return_index=True))

    def share_in(self, other: Shingles) -> float:
        """The share of them that is in another game, as far from each other, 0 to 1; 0 where it is far below SAME."""
        if not len(other.hashes):
            return 0.0
        sketch = self.hashes[:SKETCH]  # the smallest hashes are a random sample
        at = np.minimum(np.searchsorted(other.hashes, sketch), len(other.hashes) - 1)
        if (other.hashes[at] == sketch).mean() < SAME / 2:
            return 0.0
        _, mine, theirs = np.intersect1d(self.hashes, other.hashes, assume_unique=True, return_indices=True)
        _, counts = np.unique(other.places[theirs] - self.places[mine], return_counts=True)
        return float(counts.max(initial=0)) / max(1, len(self.hashes))


@dataclass(frozen=True)
class EarlierGame:
    """A game that may have been played again: what it is called, and its shingles."""

    name: str
    shingles: Shingles


def without_play(session: Session, holds: Holds) -> Iterator[Finding]:
    """Games in which nothing was pressed at all."""
    rest = rest_code(session.spec)
    for game in session.recorded_games if rest is not None else ():
        if (holds.code[holds.within(game)] == rest).all() and game.ticks >= NO_PLAY_S * session.spec.rate_hz:
            yield _of_game("no play", game, f"Nothing was pressed in all of this game ({_time(game, session)}).", True)


def unlike(session: Session, lengths: Sequence[int], scores: Sequence[float]) -> Iterator[Finding]:
    """Games far from the others in length or score; those that are given belong to other sessions."""
    games = [game for game in session.recorded_games if game.outcome not in CUT_SHORT]
    all_lengths = np.array([*(game.ticks for game in games), *lengths], np.float64)
    all_scores = np.array([*(game.score for game in games), *scores], np.float64)
    for game in games:
        odd, words = is_far(game.ticks, all_lengths), []
        if odd:
            usual = seconds_text(float(np.median(all_lengths)) / session.spec.rate_hz)
            words.append(f"lasted {_time(game, session)}, the usual game {usual}")
        if is_far(game.score, all_scores):
            words.append(f"scored {game.score:,.0f}, the usual game {np.median(all_scores):,.0f}")
        if words:
            yield _of_game("length" if odd else "score", game, f"It {' and '.join(words)}.")


def is_far(value: float, values: npt.NDArray[np.float64]) -> bool:
    """Whether a value is far from the others, by the MAD of those on its side of the median."""
    if len(values) < FEW_GAMES:
        return False
    median, below = float(np.median(values)), value < float(np.median(values))
    if median > 0 and median / RATIO < value < median * RATIO:
        return False
    side = median - values[values <= median] if below else values[values >= median] - median
    spread = max(float(np.median(side)), NARROWEST * abs(median), 1.0)
    return MAD_TO_SD * abs(value - median) / spread > (FAR if below else FAR_ABOVE)


def cut_short(session: Session, lengths: Sequence[int]) -> Iterator[Finding]:
    """Games that were stopped when they had hardly begun."""
    rate, games = session.spec.rate_hz, session.recorded_games
    for game in games if len(games) + len(lengths) > 1 else ():
        others = [*(each.ticks for each in games if each is not game), *lengths]
        limit = min(SHORT_S * rate, SHORT_SHARE * float(np.median(others)))
        if game.outcome in CUT_SHORT and game.ticks < limit:
            yield _of_game("cut short", game, f"It was {game.outcome} after {_time(game, session)}.")


def near_duplicates(session: Session, holds: Holds, earlier: Sequence[EarlierGame]) -> Iterator[Finding]:
    """Games whose actions are those of an earlier game for the most part; the earlier one stays."""
    known = list(earlier)
    for game in session.recorded_games:
        mine = Shingles.of(holds, game)
        if len(mine.hashes) < FEW_SHINGLES:
            continue
        share, name = max(((mine.share_in(each.shingles), each.name) for each in known), default=(0.0, ""))
        if share >= SAME:
            text = f"{100 * share:.0f} % of its actions are those of {name}, to the tick."
            yield _of_game("near-duplicate", game, text, True)
        known.append(EarlierGame(f"game {game.number}", mine))


def copies(session: Session, held: Sequence[tuple[SessionSummary, range]]) -> Iterator[Finding]:
    """Stretches that lie in other sessions, too: `held` are each of these, and its stretch. Those that overlap are told
    as one, by the name of the session that has most of it.
    """
    stretches: list[tuple[range, list[tuple[SessionSummary, range]]]] = []
    for holder in sorted(held, key=lambda each: (each[1].start, -each[1].stop)):
        part = holder[1]
        if stretches and part.start < stretches[-1][0].stop:
            whole, holders = stretches.pop()
            stretches.append((range(whole.start, max(whole.stop, part.stop)), [*holders, holder]))
        else:
            stretches.append((part, [holder]))
    for part, holders in stretches:
        games = [game for game in session.recorded_games if game.start < part.stop and game.stop > part.start]
        if not games:
            continue
        first, last = games[0], games[-1]
        if first is not last:
            which = f"Games {first.number} to {last.number} are"
        else:  # lists say of which game as a whole something is told
            which = "It is" if range(first.start, first.stop) == part else f"Part of game {first.number} is"
        most, _ = max(holders, key=lambda each: len(each[1]))
        others = len({other.path for other, _ in holders}) - 1
        more = f" and {count(others, 'other session')}" if others else ""
        text = f"{which} also in {session_name(most)}{more}; train on only one of them."
        yield Finding("copy", first.number, part.start, part.stop, text)


def _of_game(kind: str, game: RecordedGame, text: str, grave: bool = False) -> Finding:
    return Finding(kind, game.number, game.start, game.stop, text, grave)


def _time(game: RecordedGame, session: Session) -> str:
    return seconds_text(game.ticks / session.spec.rate_hz)
