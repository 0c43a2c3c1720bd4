"""The demonstrator that a clone is compared with: a player that can play again, or the recorded games."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recorder.agents.experts import from_description
from recorder.errors import AgentError
from recorder.store.origin import from_the_start
from recorder.store.session import Session
from trainer.evaluation.likeness import Actions
from trainer.evaluation.scores import GameResult, Score
from trainer.policy.header import facts

_CUT_SHORT = ("stopped", "interrupted")


@dataclass(frozen=True)
class Demonstrator:
    """`description` is that of a player that can play again; otherwise `recorded` is the score of the recorded games.

    `actions` are those of the recorded games, a row for each tick, if they were read.
    """

    description: dict[str, Any] | None
    recorded: Score | None
    actions: Sequence[Actions] = ()

    @classmethod
    def of_policy(cls, header: Mapping[str, Any]) -> Demonstrator:
        """Who played the sessions that a policy file names in its header, but not those of a corrected clone."""
        sessions = [session for session in facts(header).sessions if not session.corrections]
        return cls(*_playing_again([(session.player, session.total_rewards) for session in sessions]))

    @classmethod
    def of_recording(cls, session: Session) -> Demonstrator:
        """Who played a session, with its games. Raises SessionError."""
        again = _playing_again([(session.player, scores_from_the_start(session))])
        own = [each for each in session.episodes if len(each) and not each.leads_in]
        return cls(*again, [session.actions[each.start : each.stop] for each in own])

    @property
    def label(self) -> str:
        """The name of a player that can play again; empty for others."""
        return _label(self.description) if self.description is not None else ""


def _playing_again(
    sessions: Sequence[tuple[dict[str, Any], Sequence[float]]],
) -> tuple[dict[str, Any] | None, Score | None]:
    """A description to rebuild the player of all sessions from, or the score of their recorded games, from the player
    and the scores of each session.
    """
    found: list[dict[str, Any]] = []
    for player, _ in sessions:
        if player not in found:
            found.append(player)
    if len(found) == 1:
        try:
            from_description(found[0])
            return found[0], None
        except AgentError:
            pass
    games = [
        GameResult(float(score), 0, "recorded", f"{index} {game}")
        for index, (_, scores) in enumerate(sessions)
        for game, score in enumerate(scores)
    ]
    label = " and ".join(_label(player) for player in found) + ", as recorded"
    return None, Score.of("demonstrator", label, games) if games else None


def scores_from_the_start(session: Session) -> list[float]:
    """The score of each game of a session, without those that play on from a moment of another."""
    return [game.score for game in from_the_start(session.attributes, session.recorded_games)]


def scores_learned_from(
    sessions: Sequence[Session], chosen: Mapping[str, Sequence[int]], ticks: int
) -> tuple[float, ...]:
    """The scores of the games that a clone learned from, of each as far as its first `ticks` ticks.

    Games that were stopped before are left out, forked ones, and those of a clone that was corrected. `chosen` are
    the chosen episodes by session name. Raises SessionError.
    """
    scores = []
    for session in (each for each in sessions if each.corrections is None):
        rewards = np.asarray(session.rewards, np.float64)
        for game in from_the_start(session.attributes, session.recorded_games):
            whole = game.outcome not in _CUT_SHORT or game.ticks >= ticks
            used = [each for each in game.line if each.index in chosen.get(session.name, (each.index,))]
            if whole and any(session.to_learn(each) for each in used):
                scores.append(float(rewards[game.line_ticks[:ticks]].sum()))
    return tuple(scores)


def _label(description: Mapping[str, Any]) -> str:
    return f"{description.get('kind', '')} {description.get('name', '')}".strip()
