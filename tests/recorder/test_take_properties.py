"""Whatever is done in a take, in whatever order: hypothesis makes up the orders, and the promises must hold.

Play, rewind, label, end a game, begin another, and an end of every kind.

`python -m tests.benchmarks properties` tries many more.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from recorder import RandomAgent, Session, get_spec
from recorder.agents.agent import KeyEvent, describe
from recorder.envs.game import Game
from recorder.play.rollout import Phase, Rollout
from recorder.store.schema import LABELS
from recorder.store.session_writer import SessionWriter
from recorder.store.zarr_store import DurableStore
from tests.disk.take import Played, in_step, verified
from tests.recorder.orders import FEW, game


@dataclass
class PlayedGame:
    """What its player knows of a game: its ticks, as the session counts them, and its label."""

    line: list[int] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    label: str = ""


class Take(RuleBasedStateMachine):
    """One take in real time, on a disk that may be full for a while; at the end it is closed, left, or killed."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="twinplay-take-"))
        self.stack = ExitStack()
        self.played = Played()
        self.queues = self.stack.enter_context(in_step(self.played))
        write, machine = DurableStore.write, self

        def write_if_there_is_room(store: DurableStore, key: str, content: Any) -> None:
            if machine.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(store, key, content)

        self.full = False
        self.stack.enter_context(patch.object(DurableStore, "write", write_if_there_is_room))
        agent = RandomAgent(game().spec, 1)
        self.writer = SessionWriter(self.home, game(), describe(agent), seed=1, real_time=True, now=self.played.now)
        self.rollout = Rollout(
            game(), agent, seed=1, sink=self.writer, unattended=False, rewindable=True, now=self.played.now
        )
        self.games: list[PlayedGame] = []
        self.rewards: list[float] = []
        self.times: list[int] = []
        self.kept_undone = False

    @initialize(ticks=st.integers(1, 12))
    def begin(self, ticks: int) -> None:
        self.play(ticks)

    @precondition(lambda self: not self.full)
    @rule(ticks=st.integers(1, 12))
    def play(self, ticks: int) -> None:
        for _ in range(ticks):
            if self.rollout.phase is not Phase.PLAYING:
                self.rollout.begin()
                self.games.append(PlayedGame())
            self.played.sleep(0.008)
            self.games[-1].line.append(len(self.rewards))
            self.times.append(self.played.now_ns)
            self.rewards.append(self.rollout.tick(self.played.now_ns, 100).reward)
            self.writer.key(KeyEvent(self.played.now_ns, 1, True))

    @precondition(lambda self: self.rollout.phase is Phase.PLAYING)
    @rule(ticks=st.integers(1, 20), keep=st.booleans())
    def rewind(self, ticks: int, keep: bool) -> None:
        if undone := self.rollout.rewind(ticks, keep=keep):
            last = self.games[-1]
            last.line, gone = last.line[:-undone], last.line[-undone:]
            last.undone += gone
            self.kept_undone = self.kept_undone or keep

    @rule(label=st.sampled_from(LABELS))
    def mark(self, label: str) -> None:
        self.writer.mark(label)
        self.games[-1].label = label

    @precondition(lambda self: self.rollout.phase is Phase.PLAYING)
    @rule()
    def end_game(self) -> None:
        self.rollout.end()

    @rule(full=st.booleans())
    def pause(self, full: bool) -> None:
        """Meanwhile the disk becomes full, or gets room again."""
        self.full = full
        self.writer.flush()
        for _ in range(3):
            self.played.sleep(0.25)
            for each in self.queues:
                each.pass_time()
        assert full or self.writer.trouble == ""

    def teardown(self) -> None:
        try:
            if self.games:
                self.check_killed()
                self.end()
        finally:
            self.stack.close()
            shutil.rmtree(self.home)

    def check_killed(self) -> None:
        """As if the recorder were killed now."""
        copy = shutil.copytree(self.writer.path, self.home / "killed" / self.writer.path.name)
        session = Session.open(copy)
        if not self.full:
            lost = self.times[len(session) :]
            assert not lost or lost[0] > self.played.now_ns - 1_000_000_000
        assert session.rewards.tolist() == self.rewards[: len(session)]
        certificate = verified(session, self.other_game())
        assert certificate.ok, certificate.difference
        assert certificate.ticks == len(session)

    @staticmethod
    @cache
    def other_game() -> Game:
        """For what is verified while the first one is being played."""
        return Game(get_spec("hopper"))

    def end(self) -> None:
        self.full = False
        self.rollout.end()
        session = self.writer.close()
        assert session.rewards.tolist() == self.rewards
        assert session.keys["time_ns"].tolist() == self.times
        games = session.recorded_games
        assert len(games) == len(self.games)
        for found, known in zip(games, self.games, strict=True):
            assert found.line_ticks.tolist() == known.line
            assert sorted(tick for each in found.undone for tick in range(each.start, each.stop)) == sorted(
                known.undone
            )
            assert found.score == pytest.approx(sum(self.rewards[tick] for tick in known.line))
            assert {each.label for each in found.segments} == {known.label}
            assert not any(each.excluded for each in found.line)
            assert self.kept_undone or all(each.excluded for each in found.undone)
        ends = {each.stop - 1 for each in session.episodes}
        stored = session._group.read("truncated", (), "bool", len(session))
        assert set(np.flatnonzero(stored | session.terminated)) == ends
        certificate = verified(session, game())
        assert certificate.ok, certificate.difference
        assert certificate.ticks == len(session) == len(self.rewards)


TestTake = Take.TestCase
TestTake.settings = settings(FEW, max_examples=20)
