"""The chosen episodes of some sessions, without their excluded parts, and how much play they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from recorder.envs.spec import EnvSpec
from recorder.library.lineage import origins_of, origins_within
from recorder.store.session import Session
from recorder.system.texts import count
from trainer.errors import TrainingError

_LEAST_TICKS = 2  # one to learn from, one to validate


def common_spec(sessions: Sequence[Session]) -> EnvSpec:
    """The environment of the sessions. Raises TrainingError for no sessions, or for several environments."""
    if not sessions:
        raise TrainingError("no session is chosen; choose at least one to train on")
    spec = sessions[0].spec
    for session in sessions[1:]:
        differences = spec.differences(session.spec)
        if differences:
            raise TrainingError(
                f"{sessions[0].place} and {session.place} cannot be trained on together "
                f"({'; '.join(differences)}); "
                "choose sessions of one environment"
            )
    return spec


def episodes_to_learn(
    sessions: Sequence[Session], chosen: Mapping[str, Collection[int]] | None
) -> list[tuple[Session, list[range]]]:
    """For each episode: its session, and the ranges of its ticks to learn from (at least one).

    `chosen` maps the name of a session to the indices of its chosen episodes; other sessions are used whole. Raises
    TrainingError when there is nothing to train on.
    """
    parts = [
        (session, session.to_learn(episode))
        for session in sessions
        for episode in session.episodes
        if not chosen or episode.index in chosen.get(session.name, (episode.index,))
    ]
    parts = [(session, ranges) for session, ranges in parts if ranges]
    ticks = sum(len(rows) for _, ranges in parts for rows in ranges)
    if ticks < _LEAST_TICKS:
        raise TrainingError(_too_little(sessions, ticks, bool(chosen)))
    return parts


def ticks_learned(sessions: Sequence[Session], chosen: Mapping[str, Collection[int]] | None) -> list[int]:
    """How many ticks of each session are learned from and are in none before it: copies of play count once."""
    found: list[int] = []
    counted: dict[str, list[tuple[int, int]]] = {}  # stretches of original sessions, in order and apart
    for session in sessions:
        parts = [
            rows
            for episode in session.episodes
            if not chosen or episode.index in chosen.get(session.name, (episode.index,))
            for rows in session.to_learn(episode)
        ]
        new: dict[str, list[tuple[int, int]]] = {}
        for digest, start, stop in origins_within(origins_of(session), parts):
            new.setdefault(digest, []).append((start, stop))
        ticks = 0
        for digest, stretches in new.items():
            known = counted.get(digest, [])
            counted[digest] = _joined([*known, *stretches])
            ticks += _length(counted[digest]) - _length(known)
        found.append(ticks)
    return found


def _joined(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same ticks in stretches that are in order and apart."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(stop, joined[-1][1])
        else:
            joined.append((start, stop))
    return joined


def _length(stretches: Iterable[tuple[int, int]]) -> int:
    return sum(stop - start for start, stop in stretches)


def _too_little(sessions: Sequence[Session], ticks: int, chosen: bool) -> str:
    """Why there is nothing to train on, and what to do."""
    names = ", ".join(str(session.place) for session in sessions)
    played = sum(map(len, sessions))
    if ticks or not played:
        left = f"{count(ticks, 'tick')} of {played:,}" if ticks < played else count(ticks, "tick")
        return f"{names}: {left} is too little to train on; record more play, or exclude less of it"
    if chosen and any(session.to_learn(episode) for session in sessions for episode in session.episodes):
        return f"{names}: nothing is left to learn from in the chosen episodes; choose others"
    return f"{names}: all of it is excluded from training; include some of it again, or choose another session"
