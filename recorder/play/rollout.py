"""One player in one game, advanced tick by tick; recordings, evaluations and side-by-side play use it.

             begin()                 tick() ends the game
    READY ───────────▶ PLAYING ───────────────────────────▶ OVER
                        ▲   │  end("stopped")                │
                        │   └───────────────────────────────▶│
                        └────────────── begin() ─────────────┘

A Rollout never sleeps and never draws; its owner decides when a tick happens. With a sink, each tick is captured
before the action is played: row i is what the player saw when choosing action i, and reward i is that action's reward.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from recorder.agents.agent import Agent, Informed
from recorder.envs.backend import Array
from recorder.envs.game import Game
from recorder.errors import SessionError
from recorder.play.fork import Fork

_SNAPSHOT_TICKS = 60
_SNAPSHOTS = 3_600  # an hour
WATCHED_TICKS = 120  # of a lead-in, which the player sees: more than any network looks back, unless it has a memory


class Phase(Enum):
    """The state of a Rollout; see the drawing in the module's docstring."""

    READY = "ready"
    PLAYING = "playing"
    OVER = "over"


class Step(NamedTuple):
    """One tick: the `observation` before the `action`, and the results of the action.

    `time_ns` is when the action was chosen, `due_ns` when it was due, both monotonic; `speed` is the clock's speed in
    percent of real time. `due_ns` and `speed` are 0 if no clock set the pace.
    """

    observation: Array
    action: Any
    reward: float
    terminated: bool
    truncated: bool
    lives: int
    time_ns: int
    due_ns: int
    speed: int


@runtime_checkable
class Watcher(Protocol):
    """An Agent that tells seeing how a game came about from acting in it."""

    def watch(self, observation: Any) -> None:
        """A moment of a lead-in, in place of `act`."""


class Sink(Protocol):
    """Receives the ticks of a rollout."""

    def begin_episode(self, seed: int, *, leading_in: bool = False) -> None:
        """A game starts; its first ticks may be the lead-in of a fork, which `branch` ends."""

    def branch(self, game: Game, observation: Array, fork: Fork) -> None:
        """The lead-in is over; play goes on from `observation`."""

    def observe(self, game: Game, observation: Array) -> None:
        """Capture the moment before an action."""

    def add(self, step: Step) -> None:
        """The action taken at the moment just observed, and its results."""

    def end_episode(self, game: Game, observation: Array, outcome: str) -> None:
        """The game is over; `observation` is its final one."""

    def rewind(self, game: Game, observation: Array, tick: int, score: float, keep: bool) -> None:
        """The game, whose latest observation is `observation`, is about to go back to tick `tick`, with `score`.

        `keep` says whether the undone ticks still count as play.
        """


def episode_seed(seed: int, index: int) -> int:
    """The seed of episode `index` of a run seeded with `seed`: distinct for every pair, below 2**31."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1)[0]) & 0x7FFFFFFF


class Rollout:
    """See the module's docstring.

    `varied` starts Breakout's games as `Game.reset` describes. `unattended` ends a game after the spec's
    `episode_ticks` (outcome "time limit") or after `idle_ticks` without a reward ("stalled").
    `rewindable` remembers the last hour of the game, so that `rewind` can go back in it.
    `torn` says that an error (no memory, Ctrl-C) came between the game and the sink: the game may be a tick ahead of
    what the sink has of it. Nothing more is played then, and its present moment is not the end of what was recorded.
    """

    def __init__(
        self,
        game: Game,
        agent: Agent,
        *,
        seed: int = 0,
        sink: Sink | None = None,
        varied: bool = False,
        unattended: bool = True,
        rewindable: bool = False,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.game = game
        self.agent = agent
        self.seed = seed
        self.varied = varied
        self.phase = Phase.READY
        self.torn = False
        self.episode = -1
        self.episode_seed = 0
        self.ticks = 0
        self.score = 0.0
        self.lives = 0
        self.outcome = ""
        self.observation: Array = np.zeros(game.spec.observation_shape, game.spec.observation_dtype)
        self._informed = agent if isinstance(agent, Informed) else None
        self._sink = sink
        self._now = now
        self._idle = 0
        self._rewindable = rewindable
        self._snapshots: deque[tuple[int, Any]] = deque(maxlen=_SNAPSHOTS)
        self._actions: list[Any] = []  # of this episode, and what each earned
        self._rewards: list[float] = []
        self._episode_limit = game.spec.episode_ticks if unattended else None
        self._idle_limit = game.spec.idle_ticks if unattended else None

    def begin(self, seed: int | None = None, *, fork: Fork | None = None) -> None:
        """Start the next episode, with `seed` or with the next seed of this rollout, or play on from a `fork`.

        Raises SessionError if the lead-in of the fork does not lead to what was recorded there, or ends its game.
        """
        assert not self.torn, "begin() after an error"
        if self.phase is Phase.PLAYING:
            self.end()
        self.episode += 1
        self.episode_seed = episode_seed(self.seed, self.episode) if seed is None else seed
        if fork is not None:
            self.episode_seed = fork.seed
        self.torn = True
        self.observation = self.game.reset(self.episode_seed, varied=self.varied and fork is None)
        self.agent.reset(self.game.env)
        self.ticks, self.score, self.outcome, self._idle = 0, 0.0, "", 0
        self.lives = self.game.lives
        self.phase = Phase.PLAYING
        self._snapshots.clear()
        self._actions.clear()
        self._rewards.clear()
        if self._sink is not None:
            self._sink.begin_episode(self.episode_seed, leading_in=fork is not None)
        if fork is not None:
            self._lead_in(fork)
        self.torn = False

    def _lead_in(self, fork: Fork) -> None:
        """Play the actions of the fork; the player sees the last moments, so that it knows its past."""
        game, last = self.game, len(fork.actions) - 1
        see = self.agent.watch if isinstance(self.agent, Watcher) else self.agent.act
        for index, action in enumerate(fork.actions):
            if last - index < WATCHED_TICKS:
                see(self.observation)
            if self._sink is not None:
                self._sink.observe(game, self.observation)
            if self._rewindable and index == last:  # a rewind ends here: what comes before is another's play
                self._snapshots.append((index, game.snapshot()))
            step = self._advance(game.check_action(action), self._now())
            if step.terminated or step.truncated:
                raise SessionError(f"{fork.source}: that game is over before; choose an earlier moment")
            if self._sink is not None:
                self._sink.add(step)
        fork.check(game, self.observation)
        self._idle = 0
        if self._sink is not None:
            self._sink.branch(game, self.observation, fork)

    def tick(self, due_ns: int = 0, speed: int = 0) -> Step:
        """Let the player act once; `due_ns` and `speed` come from the clock (see Step).

        Raises AgentError if the player returns something that is not an action; the tick is then not played.
        """
        assert not self.torn, "tick() after an error"
        assert self.phase is Phase.PLAYING, f"tick() in phase {self.phase.name}"
        game, sink = self.game, self._sink
        time_ns = self._now()
        action = game.check_action(self.agent.act(self.observation))
        if sink is not None:
            sink.observe(game, self.observation)
        if self._rewindable and self.ticks % _SNAPSHOT_TICKS == 0:
            self._snapshots.append((self.ticks, game.snapshot()))
        self.torn = True
        step = self._advance(action, time_ns, due_ns, speed)
        outcome = "game over" if step.terminated else "time limit" if step.truncated else ""
        if not outcome and self._episode_limit is not None and self.ticks >= self._episode_limit:
            outcome = "time limit"
        if not outcome and self._idle_limit is not None and self._idle >= self._idle_limit:
            outcome = "stalled"
        if outcome and not step.terminated:
            step = step._replace(truncated=True)
        if sink is not None:
            sink.add(step)
        if outcome:
            self._close(outcome)
        self.torn = False
        return step

    def _advance(self, action: Any, time_ns: int, due_ns: int = 0, speed: int = 0) -> Step:
        """Play an action, and count what it earned."""
        seen = self.observation
        self.observation, reward, terminated, truncated = self.game.step(action)
        if self._informed is not None:
            self._informed.played(action)
        self.ticks += 1
        self.score += reward
        self.lives = self.game.lives
        self._idle = 0 if reward else self._idle + 1
        if self._rewindable:
            self._actions.append(action)
            self._rewards.append(reward)
        return Step(seen, action, reward, terminated, truncated, self.lives, time_ns, due_ns, speed)

    def rewind(self, ticks: int, *, keep: bool = False) -> int:
        """Undo the last `ticks` ticks of the open episode and continue from there; returns the number undone.

        That is fewer where they reach back over an hour, or to before the game's first tick or its fork. The past is
        not rewritten: a sink stores what was undone as segments of their own. The agent is reset: it goes on without a
        past.
        """
        assert not self.torn, "rewind() after an error"
        assert self.phase is Phase.PLAYING, f"rewind() in phase {self.phase.name}"
        if not self._snapshots or ticks < 1:
            return 0
        target = max(self.ticks - ticks, self._snapshots[0][0] + 1)
        if target >= self.ticks:
            return 0
        while self._snapshots[-1][0] >= target:
            self._snapshots.pop()
        undone = self.ticks - target
        score = float(sum(self._rewards[:target]))
        self.torn = True
        if self._sink is not None:
            self._sink.rewind(self.game, self.observation, target, score, keep)
        first, snapshot = self._snapshots[-1]
        self.game.go_back(snapshot)
        for action in self._actions[first:target]:
            self.observation, *_ = self.game.step(action)
        del self._actions[target:], self._rewards[target:]
        self.ticks, self.score, self.lives, self._idle = target, score, self.game.lives, 0
        self.agent.reset(self.game.env)
        self.torn = False
        return undone

    def end(self, outcome: str = "stopped") -> None:
        """Close the open episode early; without one, do nothing."""
        if self.phase is Phase.PLAYING:
            self.torn = True
            self._close(outcome)
            self.torn = False

    def _close(self, outcome: str) -> None:
        self.outcome = outcome
        self.phase = Phase.OVER
        if self._sink is not None:
            self._sink.end_episode(self.game, self.observation, outcome)
