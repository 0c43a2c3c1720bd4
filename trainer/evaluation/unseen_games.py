"""Where a clone disagrees most surely with games that it did not learn from.

A label that a network contradicts with confidence is often wrong, if the network has not seen it in training (C. G.
Northcutt, L. Jiang and I. L. Chuang: Confident Learning, 2021); here the labels are a player's actions. A policy says
which sessions and episodes it learned from; what was made of those by merging or splitting counts as learned, too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recorder.errors import TwinplayError
from recorder.library.findings import Finding, seconds_text
from recorder.library.library import Library
from recorder.library.lineage import Origin, origins_of, origins_within
from recorder.store.episode_table import RecordedGame
from recorder.store.session import Session
from trainer.errors import PolicyError
from trainer.evaluation.agreement import Agreement, comparing
from trainer.policy.header import LearnedFrom, facts, read_header

SURE = 0.9  # the probability of the clone's action, or the difference of continuous actions as a share of their range
LEAST_S = 0.2  # a shorter difference is one of timing
MOST = 5  # of a session


@dataclass(frozen=True)
class Comparing:
    """Ticks compared, out of all; the last record has the findings."""

    done: int
    total: int
    findings: tuple[Finding, ...] = ()


def disagreeing(session: Session, policy: Path) -> Iterator[Comparing]:
    """Find the ticks of a session at which a policy disagrees most surely, in games that it did not learn from.

    Raises PolicyError if there is no such game, and what `comparing` raises.
    """
    games = unseen_games(session, policy)
    if not games:
        raise PolicyError(
            f"{policy} learned from every game of {session.place}, so it says nothing about them; give a clone that "
            "was trained without some of them (twinplay train --games)"
        )
    from trainer.policy.policy import Policy  # imports torch

    clone = Policy.load(policy)
    total, before = sum(game.ticks for game in games), 0
    found: list[tuple[float, Finding]] = []
    for game in games:
        agreement: Agreement | None = None
        for step in comparing(session, clone, game=game.number):
            agreement = step.agreement
            yield Comparing(before + step.done, total)
        before += game.ticks
        assert agreement is not None
        found += _told(agreement, game)
    surest = sorted(found, key=lambda each: each[0], reverse=True)[:MOST]
    yield Comparing(total, total, tuple(sorted((finding for _, finding in surest), key=lambda each: each.start)))


def unseen_games(session: Session, policy: Path) -> list[RecordedGame]:
    """The games of a session that a policy did not learn from. Raises PolicyError for a file that is none."""
    learned = facts(read_header(policy)).sessions
    own = str(session.attributes.get("digest", ""))
    origins, made = origins_of(session), _origins_beside(session)

    def is_unseen(game: RecordedGame) -> bool:
        theirs = origins_within(origins, [range(game.start, game.stop)])
        return not any(
            _has_learned(source, game, theirs, own, made.get(source.digest, ())) for source in learned if source.digest
        )

    return [game for game in session.recorded_games if is_unseen(game)]


def _has_learned(
    source: LearnedFrom, game: RecordedGame, origins: list[Origin], own: str, made_of: tuple[Origin, ...]
) -> bool:
    """Whether a game is among those that a policy learned from in `source`, a session that was made of `made_of`."""
    if source.digest == own:
        return source.episodes is None or any(episode.index in source.episodes for episode in game.line)
    return any(
        digest == source.digest
        or any(digest == other and start < last and first < stop for other, first, last in made_of)
        for digest, start, stop in origins
    )


def _origins_beside(session: Session) -> dict[str, tuple[Origin, ...]]:
    """The origins of the sessions of the same library, by their digests."""
    if isinstance(session.place, Path):
        with contextlib.suppress(TwinplayError):
            return {row.digest: row.origins for row in Library(session.place.parent).sessions() if row.digest}
    return {}


def _told(agreement: Agreement, game: RecordedGame) -> Iterator[tuple[float, Finding]]:
    """The sure disagreements of a game that last, each with how sure it is."""
    ticks = game.line_ticks
    for each in agreement.disagreements:
        lasted = (each.stop - each.start) / agreement.rate_hz
        if each.sure >= SURE and lasted >= LEAST_S:
            text = (
                f"For {seconds_text(lasted)} the clone would have done otherwise: {each.clone} instead of "
                f"{each.recorded}, {100 * each.sure:.0f} % sure."
            )
            start, stop = int(ticks[each.start]), int(ticks[each.stop - 1]) + 1
            yield each.sure, Finding("disagreement", game.number, start, stop, text)
