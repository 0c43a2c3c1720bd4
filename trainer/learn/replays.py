"""Games of the recording played again, in several processes, for the emulator's memory and for detours.

    parts, stretches ─▶ Replay, one for each game ─▶ processes ─▶ their memory, detours ─▶ all in the order of the games

A game does not depend on which process plays it. Does not import torch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from recorder.errors import TwinplayError
from recorder.library.replayed_memory import Clip, Memory, replaying_memory
from recorder.store.places import Place
from recorder.store.session import Session
from recorder.system.jobs import Jobs
from trainer.policy.preprocess import Preprocess

_WORTH_PROCESSES = 10_000  # ticks: playing them takes about as long as starting a process


@dataclass(frozen=True)
class NoSample:
    """Why there is no sample, as a text that follows "since"."""

    reason: str


@dataclass(frozen=True)
class Replay:
    """A game of a session, which is named by its place for another process. Its memory is wanted at `ticks`, in rising
    order. At `trials` every action is tried; `detours` leave the game there, for `detour_ticks` ticks
    (recorder.library.replayed_memory).
    """

    number: int
    session: Session | Place
    ticks: list[int]
    trials: list[int]
    detours: list[int]
    detour_ticks: int


@dataclass
class Replayed:
    """What came of a Replay, once it has been played. The detours' screens are preprocessed."""

    memory: Memory = field(init=False)
    detours: list[Clip] = field(default_factory=list)


class Replays:
    """Plays games again while something else is done: `poll` now and then; `close` at any time."""

    def __init__(self, replays: Sequence[Replay], preprocess: Preprocess, seed: int, processes: int) -> None:
        self.found = [Replayed() for _ in replays]
        self._ticks = sum(len(each.ticks) for each in replays)
        named = [replace(each, session=_place(each)) for each in replays]
        local = all(isinstance(each.session, Path) for each in named)  # other processes would fetch screens anew
        apart = processes > 1 and len(replays) > 1 and local and self._ticks >= _WORTH_PROCESSES
        shares = _shared_out(named, processes) if apart else [list(replays)]
        self._played = [0] * len(shares)
        calls = [{"replays": share, "preprocess": preprocess, "seed": seed} for share in shares]
        self._jobs = Jobs("trainer.learn.replays:replaying", calls, apart=apart)

    @property
    def running(self) -> bool:
        """Whether games are still being played."""
        return self._jobs.running

    def poll(self, timeout: float = 0.0) -> float | NoSample:
        """Take what has arrived, waiting up to `timeout` seconds for it.

        Returns the share that is done, or why there is no memory. Raises WorkerError.
        """
        for process, step in self._jobs.poll(timeout):
            if isinstance(step, NoSample):
                return step
            if isinstance(step, int):
                self._played[process] = step
                continue
            number, found = step
            if isinstance(found, Memory):
                self.found[number].memory = found
            else:
                self.found[number].detours.append(found)
        return sum(self._played) / max(1, self._ticks)

    def close(self) -> None:
        """End what is still running."""
        self._jobs.close()


def replaying(
    replays: Sequence[Replay], preprocess: Preprocess, seed: int
) -> Iterator[int | NoSample | tuple[int, Clip | Memory]]:
    """Yields the ticks played, and memory and detours with the number of their Replay; or why there are none."""
    before = 0
    try:
        for replay in replays:
            session = replay.session if isinstance(replay.session, Session) else Session.open(replay.session)
            wanted = replay.ticks, replay.trials, replay.detours, replay.detour_ticks
            for step in replaying_memory(session, *wanted, seed=(seed, replay.number)):
                if isinstance(step, int):
                    yield before + step
                elif isinstance(step, Clip):
                    shown = preprocess.pool(preprocess.from_stored(step.screens, session.palette))
                    yield replay.number, replace(step, screens=shown)
                else:
                    yield replay.number, step
            before += len(replay.ticks)
    except TwinplayError as error:
        yield NoSample(str(error))


def replays_of(
    parts: Sequence[tuple[Session, range]], trials: Sequence[set[int]], detours: Sequence[set[int]], detour_ticks: int
) -> list[Replay]:
    """One for each game that these parts of sessions, in order, belong to.

    `trials` and `detours` are ticks of each part.
    """
    found: list[Replay] = []
    game: tuple[Place, int] | None = None
    for (session, ticks), tried, left in zip(parts, trials, detours, strict=True):
        starts = sorted(episode.start for episode in session.episodes if len(episode))
        now = session.place, bisect_right(starts, ticks.start)
        if now != game:
            found.append(Replay(len(found), session, [], [], [], detour_ticks))
            game = now
        found[-1].ticks.extend(ticks)
        found[-1].trials.extend(sorted(tried))
        found[-1].detours.extend(sorted(left))
    return found


def _shared_out(replays: Sequence[Replay], processes: int) -> list[list[Replay]]:
    """The games for each process, longest first: each goes to the one that has the least to play."""
    shares: list[list[Replay]] = [[] for _ in range(min(processes, len(replays)))]
    ticks = np.zeros(len(shares), np.int64)
    for replay in sorted(replays, key=lambda each: -_span(each)):
        least = int(ticks.argmin())
        shares[least].append(replay)
        ticks[least] += _span(replay)
    return shares


def _place(replay: Replay) -> Place:
    return replay.session.place if isinstance(replay.session, Session) else replay.session


def _span(replay: Replay) -> int:
    return replay.ticks[-1] + 1 - replay.ticks[0]
