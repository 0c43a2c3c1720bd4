"""Recording any Agent without a window, at full speed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from recorder.agents.agent import Agent, describe
from recorder.agents.shared_control import SharedControl
from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.envs.spec import EnvSpec
from recorder.errors import UsageError
from recorder.play.fork import Fork
from recorder.play.latency import Latency
from recorder.play.rollout import Phase, Rollout
from recorder.store.places import Place, on_this_computer, place
from recorder.store.session import Session
from recorder.store.session_writer import SessionWriter
from recorder.system.interrupts import Interrupted, Noted

_REPORT_S = 0.2


@dataclass(frozen=True)
class RecordProgress:
    """How far a recording is. `fraction` of the whole is exact for `seconds`, by episodes otherwise."""

    ticks: int
    episodes: int
    score: float
    ticks_per_second: float
    fraction: float
    session: Session | None = None  # set in the last one


def recording(
    env: str,
    agent: Agent,
    *,
    library: Place | str,
    episodes: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    frame_skip: int | None = None,
    forks: Sequence[Fork] = (),
) -> Generator[RecordProgress, None, None]:
    """Record `agent` in `env` for so many `episodes`, or `seconds` of play at the environment's rate.

    With `forks` the games play on from these moments, in turn: as many as there are forks or `episodes`, each for
    `seconds` at most. What came before a fork is stored as a lead-in (see recorder.play.fork), and does not count. With
    a `frame_skip` of 1 to 8, a tick is so many frames, in which the same action is held.

    Yields a RecordProgress a few times a second; the last one has the finished Session. Closing the generator early
    keeps what was played. Ctrl-C waits for the end of a tick. After an error within a tick (no memory, a second Ctrl-C)
    what was played until then is kept as an interrupted session. Raises UsageError, UnknownEnvError, AgentError,
    LibraryError or SessionError.
    """
    spec = _checked(env, agent, episodes, seconds, frame_skip, forks)
    most = None if seconds is None else max(1, round(seconds * spec.rate_hz))
    limit, turn = (None, most) if forks else (most, None)  # ticks of the whole recording, of each game
    episodes = len(forks) if forks and episodes is None else episodes
    folder = on_this_computer(place(library), "record into a folder, then copy the session with `twinplay push`")
    with Game(spec) as game:
        shared = agent if isinstance(agent, SharedControl) else None
        writer = SessionWriter(folder, game, describe(agent), seed=seed, shared=shared)
        rollout = Rollout(game, agent, seed=seed, sink=writer)
        started = reported = time.monotonic()

        def progress(done: int, session: Session | None = None) -> RecordProgress:
            fraction = writer.ticks / limit if limit else done / (episodes or 1)
            rate = writer.ticks / max(time.monotonic() - started, 1e-9)
            return RecordProgress(writer.ticks, done, rollout.score, rate, fraction, session)

        with Noted() as signals:
            try:
                done = 0
                while done < episodes if episodes is not None else writer.ticks < (limit or 0):
                    rollout.begin(fork=forks[done % len(forks)] if forks else None)
                    led = rollout.ticks
                    while rollout.phase is Phase.PLAYING:
                        rollout.tick()
                        if signals.seen:
                            raise Interrupted(signals.seen)
                        if (limit is not None and writer.ticks >= limit) or (turn and rollout.ticks - led >= turn):
                            rollout.end()
                        elif rollout.ticks % 64 == 0 and time.monotonic() - reported >= _REPORT_S:
                            reported = time.monotonic()
                            signals.holding = False
                            yield progress(done)
                            signals.holding = True
                    done += 1
            finally:
                session = _finished_fork(rollout, writer) if forks else finished(rollout, writer)
        yield progress(done, session)


def _checked(
    env: str,
    agent: Agent,
    episodes: int | None,
    seconds: float | None,
    frame_skip: int | None,
    forks: Sequence[Fork],
) -> EnvSpec:
    """The environment to play, if all of this fits together. Raises UsageError or UnknownEnvError."""
    if (episodes is None) == (seconds is None) and not forks:
        raise UsageError("say how long to record, in either episodes or seconds")
    if any(amount is not None and amount <= 0 for amount in (episodes, seconds)):
        raise UsageError(f"nothing to record: {episodes if episodes is not None else seconds} is not above zero")
    if any(fork.spec != forks[0].spec or fork.spec.name != env for fork in forks):
        raise UsageError(f"not all of these moments belong to games of {env} with the same settings")
    if forks and isinstance(agent, SharedControl):
        raise UsageError("a clone and its supervisor play from the start of a game; give one of them alone")
    return forks[0].spec if forks else _skipping(get_spec(env), frame_skip)


def _skipping(spec: EnvSpec, frames: int | None) -> EnvSpec:
    try:
        return spec if frames is None else spec.skipping(frames)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _finished_fork(rollout: Rollout, writer: SessionWriter) -> Session | None:
    """As `finished`; None if nothing was played after a lead-in."""
    if writer.ticks:
        return finished(rollout, writer)
    writer.discard()
    return None


def finished(rollout: Rollout, writer: SessionWriter, latency: Latency | None = None) -> Session:
    """End a recording, with the `latency` of its keys if it was measured. Raises SessionError.

    Where the game may be ahead of what was written, it ends as an interrupted one, and without latency.
    """
    if not rollout.torn:
        with contextlib.suppress(MemoryError):  # the rollout is torn then
            rollout.end()
    if rollout.torn:
        writer.leave()
        return Session.open(writer.path)
    return writer.close(latency)


def record(
    env: str,
    agent: Agent,
    *,
    library: Place | str,
    episodes: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    frame_skip: int | None = None,
    forks: Sequence[Fork] = (),
) -> Session:
    """Record and return the finished Session; see `recording`."""
    session: Session | None = None
    steps = recording(
        env, agent, library=library, episodes=episodes, seconds=seconds, seed=seed, frame_skip=frame_skip, forks=forks
    )
    for progress in steps:
        session = progress.session
    assert session is not None
    return session
