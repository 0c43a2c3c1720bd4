"""The replay certificate: proof that a session's actions, screens and settings belong together.

Each episode is simulated again from its seed and its stored actions, and every moment is compared with the recording,
bit for bit: the screen, or MuJoCo's observation and physics state with its warm start. A complete session stores that
it passed, and for which digest.

The simulator's version does not decide: if it differs from the recording's, the comparison shows whether that matters.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recorder.envs.game import Game
from recorder.envs.registry import installed_spec, other_simulator
from recorder.errors import SessionError, TwinplayError
from recorder.library.edits import alone
from recorder.library.replay import depends_on_chance, replay_to
from recorder.store.schema import CHUNK_TICKS, Episode
from recorder.store.session import Session

_SIMULATED_AGAIN = 5_000  # ticks, to find out whether chance decides
_PATIENCE_S = 5.0  # while somebody changes what is thought of the session


@dataclass(frozen=True)
class Certificate:
    """The result of a verification: `ok`, or the first `difference` in words. `seconds` is the time it took."""

    ok: bool
    ticks: int
    difference: str
    digest: str
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VerifyProgress:
    """Ticks compared so far, of `total`; the last one has the certificate."""

    ticks: int
    total: int
    certificate: Certificate | None = None


class _DifferenceError(Exception):
    """The first difference from the recording; `stop` is the tick after it, where it is one of play."""

    def __init__(self, told: str, stop: int = -1) -> None:
        super().__init__(told)
        self.stop = stop


def verifying(session: Session) -> Iterator[VerifyProgress]:
    """Verify `session`; yields about once per second of play, and the certificate at the end."""
    started = time.monotonic()
    done, difference, digest = 0, "", ""
    total = sum(len(episode) for episode in session.episodes) if _readable(session) else 0
    try:
        changes = session.spec.differences(installed_spec(session.spec))
        if changes:
            raise _DifferenceError(f"recorded with another environment ({'; '.join(changes)})")
        with Game(session.spec, fresh=True) as game:
            for episode in session.episodes:
                try:
                    for ticks in _replay(game, session, episode):
                        yield VerifyProgress(done + ticks, total)
                except _DifferenceError as found:
                    raise _DifferenceError(f"{found}{_why(session, episode, found.stop)}") from None
                done += len(episode)
        # Last, since a difference in play says more: where it is.
        digest = session.digest()
        stored = session.attributes.get("digest")
        if session.complete and stored != digest:
            raise _DifferenceError(
                f"the simulation agrees with the recording, but its digest is {digest[:12]}… instead of "
                f"{str(stored)[:12]}…: something else was changed, such as a seed, a time or the player"
            )
    except (_DifferenceError, TwinplayError) as found:
        difference = str(found)
    if not difference and session.complete and not session.verified:
        with contextlib.suppress(OSError, TwinplayError), alone(session.path, _PATIENCE_S):  # where it can be written
            session.certify(digest)
    seconds = time.monotonic() - started
    notes = () if session.complete else ("the session was interrupted; everything saved by then was verified",)
    yield VerifyProgress(done, total, Certificate(not difference, done, difference, digest, seconds, notes))


def verifying_each(paths: Sequence[str]) -> Iterator[tuple[str, VerifyProgress]]:
    """Verify several sessions, one after the other; yields (path, progress). See `verifying`. Raises SessionError."""
    for path in paths:
        for progress in verifying(Session.open(path)):
            yield path, progress


def verify(session: Session) -> Certificate:
    """Verify `session`; see `verifying`."""
    certificate: Certificate | None = None
    for progress in verifying(session):
        certificate = progress.certificate
    assert certificate is not None
    return certificate


def _readable(session: Session) -> bool:
    try:
        return session.episodes is not None
    except SessionError:
        return False


def _replay(game: Game, session: Session, episode: Episode) -> Iterator[int]:
    observation = replay_to(game, session, episode, episode.start)
    live = {name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in game.storage().items()}
    for start in range(episode.start, episode.stop, CHUNK_TICKS):
        stop = min(start + CHUNK_TICKS, episode.stop)
        stored = session.moments(start, stop)
        for tick in range(start, stop):
            game.capture(observation, live, 0)
            for name, rows in stored.items():
                if rows[tick - start].tobytes() != live[name][0].tobytes():
                    raise _DifferenceError(
                        _describe(session, episode, tick, name, rows[tick - start], live[name][0]), tick
                    )
            observation, reward, terminated, _ = game.step(game.check_action(session.actions[tick]))
            for name, here, there in (
                ("reward", reward, float(session.rewards[tick])),
                ("terminated", terminated, bool(session.terminated[tick])),
                ("lives", game.lives, int(session.lives[tick])),
            ):
                if here != there:
                    raise _DifferenceError(
                        f"{_where(session, episode, tick)}: {name} is {here} in simulation, but {there} as recorded",
                        tick + 1,
                    )
        yield stop - episode.start
    final = session.final_observation(episode.index)
    if final is not None and not np.array_equal(final, observation):
        raise _DifferenceError(f"game {_game(session, episode)}: the final observation differs", episode.stop)


def _why(session: Session, episode: Episode, stop: int) -> str:
    """What a difference in play may come from, as the rest of a sentence."""
    if other := other_simulator([session.spec]):
        return f"; recorded with {other}"
    led = sum(map(len, session.lead_in(episode)))
    near = stop >= 0 and led + stop - episode.start <= _SIMULATED_AGAIN
    with contextlib.suppress(TwinplayError):
        if near and depends_on_chance(session, episode, min(stop + CHUNK_TICKS, episode.stop)):
            return "; two simulations differ, too: what happens there is not drawn from the seed alone"
    drawn = session.spec.sees_screen and session.spec.observation_from == "render"
    return "; another graphics driver may draw it differently" if drawn else ""


def _where(session: Session, episode: Episode, tick: int) -> str:
    game = _game(session, episode)
    second = (sum(map(len, session.lead_in(episode))) + tick - episode.start) / session.spec.rate_hz
    return f"tick {tick} (game {game}, second {second:.2f})"


def _game(session: Session, episode: Episode) -> int:
    """The number of the game that an episode is a segment of."""
    return next(game.number for game in session.recorded_games if episode in game.segments)


def _describe(session: Session, episode: Episode, tick: int, name: str, stored: Any, live: Any) -> str:
    count = int(np.count_nonzero(stored != live))
    unit = "pixels" if name == "screen" else "values"
    return f"{_where(session, episode, tick)}: {name} differs in {count} {unit}"
