"""Writing a session during play: the Sink of a rollout.

    game thread                      queue (bounded)              writer's thread (see `writer_thread`)
    observe(), add() ─▶ block of ≤ 60 ticks ─▶ ░░░░ ─▶ GrowingArrays ─▶ commit (fsync, `ticks`)

The game thread only copies into preallocated blocks. A block is handed over when it is full or a quarter of a second
old, and at the end of each game. Commits follow closely enough that a crash costs less than one second of play.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recorder.agents.agent import KeyEvent
from recorder.agents.shared_control import SharedControl, undecided
from recorder.envs.game import Game
from recorder.play.fork import Fork
from recorder.play.latency import Latency
from recorder.play.rollout import Step
from recorder.store.corrections import put, shared_attribute
from recorder.store.episode_rows import EpisodeRows
from recorder.store.locks import release
from recorder.store.new_session import create_session, first_attributes, tick_columns
from recorder.store.places import on_this_computer, place
from recorder.store.schema import CHUNK_TICKS
from recorder.store.session import Session
from recorder.store.writer_thread import WriterThread
from recorder.store.zarr_store import Array

_HAND_OVER_NS = 250_000_000


class SessionWriter:
    """Creates one session in a library and streams a rollout into it.

    `player` is `recorder.agents.agent.describe(agent)`; `steps_hz` is not 0 if the game waits for the player. `shared`
    is the player if it is a clone with its supervisor, who hands back after `hand_back_ticks`, if not 0. `noted` are
    further attributes, which `note` replaces at the end. Raises LibraryError if the folder cannot be written, or
    is itself a session. After a write error every further call raises SessionError; earlier commits stay readable. If
    the game runs in `real_time`, the writer instead reports the error in `trouble`, keeps its data and tries again; the
    player should then wait. It also compresses more.
    """

    def __init__(
        self,
        library: Path,
        game: Game,
        player: dict[str, Any],
        *,
        seed: int = 0,
        key_names: dict[int, str] | None = None,
        steps_hz: float = 0.0,
        real_time: bool = False,
        shared: SharedControl | None = None,
        hand_back_ticks: int = 0,
        noted: Mapping[str, Any] | None = None,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        created = datetime.now(UTC)
        attributes = first_attributes(game, player, seed, created, now(), key_names or {})
        if steps_hz:
            attributes["steps_hz"] = steps_hz
        if shared is not None:
            attributes |= shared_attribute(hand_back_ticks)
        attributes |= noted or {}
        self._shared = shared
        new = create_session(on_this_computer(place(library)), game, created, attributes)
        self.path, self._lock = new.path, new.lock
        self._thread = WriterThread(new, {**game.storage(), **tick_columns(game.spec, shared is not None)}, real_time)
        self._block = self._thread.block()
        self._episodes = EpisodeRows()
        self._ticks = 0  # handed to the writer or in the open block
        self._led = 0  # those of lead-ins
        self._leading_in = False
        self._over = False  # the last tick ended its game
        self._finals: list[dict[str, Array]] = []  # of the game under way: a rewind may put one before others
        self._finals_put = 0
        self._closed = False
        self._keys: list[KeyEvent] = []
        self._noted: dict[str, Any] = {}

    @property
    def ticks(self) -> int:
        """Ticks played so far, without the lead-ins of forked games."""
        return self._ticks - self._led

    @property
    def trouble(self) -> str:
        """In real time, why it cannot write now, as a sentence; empty while it can."""
        return self._thread.trouble

    @property
    def label(self) -> str:
        """The label of the current or last episode."""
        return self._episodes.label

    def begin_episode(self, seed: int, *, leading_in: bool = False) -> None:
        """See Sink."""
        self._thread.check()
        self._episodes.begin(self._ticks, seed, leading_in=leading_in)
        self._leading_in = leading_in
        self._put_episodes()

    def branch(self, game: Game, observation: Array, fork: Fork) -> None:
        """See Sink."""
        self._thread.check()
        self._set_truncated(self._ticks - 1, True)
        self._hand_over()
        self._episodes.branch(self._ticks)
        self._leading_in = False
        self._finals.append(self._final(game, observation))
        self._thread.put_fork(fork.origin)
        self._put_episodes()

    def observe(self, game: Game, observation: Array) -> None:
        """See Sink."""
        game.capture(observation, self._block.rows, self._block.count)

    def add(self, step: Step) -> None:
        """See Sink. Raises SessionError once writing has failed."""
        block = self._block
        rows, index = block.rows, block.count
        rows["action"][index] = step.action
        rows["reward"][index] = step.reward
        rows["terminated"][index] = step.terminated
        rows["truncated"][index] = step.truncated
        rows["lives"][index] = step.lives
        rows["time_ns"][index] = step.time_ns
        rows["due_ns"][index] = step.due_ns
        rows["speed"][index] = step.speed
        if self._shared is not None:
            decision = None if self._leading_in else self._shared.decision
            put(decision or undecided(step.action), rows, index)
        if index == 0:
            block.started_ns = step.time_ns
        block.count = index + 1
        self._ticks += 1
        self._led += self._leading_in
        self._over = step.terminated or step.truncated
        self._episodes.earn(step.reward)
        if block.count == CHUNK_TICKS or step.time_ns - block.started_ns >= _HAND_OVER_NS:
            self._thread.check()
            self._hand_over()

    def rewind(self, game: Game, observation: Array, tick: int, score: float, keep: bool) -> None:
        """See Sink."""
        self._thread.check()
        self._hand_over()
        rewound = self._episodes.rewind(self._ticks, tick, score, keep)
        final = self._final(game, observation)
        for index in rewound.added:  # read of those alone that end at no tick which is stored
            self._finals.insert(index - self._finals_put, final)
        for end in rewound.no_ends:
            self._set_truncated(end, False)
        for end in rewound.ends:
            self._set_truncated(end, True)
        self._put_episodes()

    def mark(self, label: str) -> None:
        """Label the current or last episode, with one of LABELS."""
        self._thread.check()
        if len(self._episodes):
            self._episodes.mark(label)
            self._put_episodes()

    def note(self, attributes: Mapping[str, Any]) -> None:
        """Attributes that the session gets once it is complete."""
        self._noted |= attributes

    def key(self, event: KeyEvent) -> None:
        """Store a raw key transition."""
        self._keys.append(event)

    def end_episode(self, game: Game, observation: Array, outcome: str) -> None:
        """See Sink."""
        played = self._episodes.end(self._ticks, outcome)
        if played and not self._over:
            self._set_truncated(self._ticks - 1, True)
        self._hand_over()
        self._finals.append(self._final(game, observation))
        for final in self._finals:
            self._thread.put_final(final)
        self._finals_put += len(self._finals)
        self._finals.clear()
        self._put_episodes()

    def flush(self) -> None:
        """Hand everything to the writer's thread now, before a pause."""
        self._hand_over()

    def close(self, latency: Latency | None = None) -> Session:
        """Finish the session, and note `latency` with it. Open episodes must have been ended.

        Raises SessionError if writing has failed.
        """
        self._finish(partial(self._thread.close, latency, self._noted))
        self._thread.check()
        return Session.open(self.path)

    def discard(self) -> None:
        """Discard the take: remove its folder from the library."""
        self._finish(self._thread.abandon)
        shutil.rmtree(self.path, ignore_errors=True)

    def leave(self) -> None:
        """Write what was added and leave the session as one that was interrupted: its game has no end that is known.

        Raises SessionError if writing has failed.
        """
        self._finish(self._thread.leave)
        self._thread.check()

    def _finish(self, end: Callable[[], None]) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._hand_over()
        finally:
            end()
            release(self._lock)

    def _hand_over(self) -> None:
        if self._keys:
            keys, self._keys = self._keys, []
            self._thread.put_keys(keys)
        if self._block.count:
            self._block = self._thread.swap(self._block)

    def _put_episodes(self) -> None:
        self._thread.put_episodes(self._episodes.copy())

    def _set_truncated(self, tick: int, truncated: bool) -> None:
        """Set whether a recorded tick is the last of an episode that the game itself did not end."""
        first = self._ticks - self._block.count
        if tick >= first:
            self._block.rows["truncated"][tick - first] = truncated
        else:
            self._thread.put_truncated(tick, truncated)

    def _final(self, game: Game, observation: Array) -> dict[str, Array]:
        final = {name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in game.storage().items()}
        game.capture(observation, final, 0)
        return final
