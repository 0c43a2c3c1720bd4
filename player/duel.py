"""A recorded episode and a clone in the same game, on one clock.

    session ── episode k ──▶ replay of what was stored ──────▶ left  ┐
                    │ seed                                           ├─ DuelFrame (tick t)
    policy ───────▶ live Game from the same seed ────────────▶ right ┘

At tick t both sides show the game after t actions, with the last of them. Who is over waits; the other plays on, the
clone under the environment's own caps for games that nobody watches over. Either side may be missing.

Any tick can be looked at again (`seek`). The recording is there at once; of the clone's game the actions are kept, and
a state of it now and then, from which a second game is led to the tick. Ahead of where the clone has come it must
think first: it is `behind`, and `catch_up` lets it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recorder.agents import Agent, describe
from recorder.envs import EnvSpec, Game
from recorder.errors import UsageError
from recorder.experts.hopper import OBSERVATIONS
from recorder.rollout import Phase, Rollout
from recorder.session import Episode, Session
from trainer.errors import PolicyError

Picture = npt.NDArray[np.uint8]

_SNAPSHOT_TICKS = 30  # led from the last one, a game is at any tick within a few milliseconds

KIND_TITLES = {
    "person": "Person",
    "scripted": "Scripted player",
    "policy": "Clone",
    "random": "Random player",
    "mixed": "Several players",
}
_OUTCOMES = {
    "game over": "game over",
    "time limit": "time limit reached",
    "stalled": "stopped: no point for too long",
    "stopped": "recording stopped",
    "interrupted": "recording interrupted",
}


@dataclass(frozen=True)
class Side:
    """One player at one tick.

    `picture` is RGB uint8 (height, width, 3), None where nothing is drawn. `action` is the one just taken, as an index
    or as a vector in [-1, 1] (None before the first). `kind` is one of recorder.agents.PLAYER_KINDS. `distance` is how
    far forward it came, in metres, where there is a forward; `trace` are the vectors of the last second, oldest first.
    `drives` has a row for every component of the action: its gradient with respect to what was seen (Policy.drives).
    `points` and `losses` are the ticks of this game at which it scored and lost a life, as far as it is known: `length`
    ticks, the recording's whole one.
    """

    kind: str
    title: str
    subtitle: str
    picture: Picture | None
    score: float
    action: int | tuple[float, ...] | None
    action_label: str
    lives: int
    ticks: int
    over: bool
    ending: str = ""  # how the game ended, in words; empty while it goes on
    distance: float | None = None
    trace: tuple[tuple[float, ...], ...] = ()
    drives: tuple[tuple[float, ...], ...] = ()
    points: tuple[int, ...] = ()
    losses: tuple[int, ...] = ()
    length: int = 0


@dataclass(frozen=True)
class DuelFrame:
    """Both sides after `tick` ticks; `rate_hz` ticks are one second of play. `observation_names` are of what is seen,
    where that is a vector. `behind` is by how many ticks the clone has yet to come.
    """

    tick: int
    rate_hz: float
    env_title: str
    action_names: tuple[str, ...]
    discrete: bool
    has_lives: bool
    left: Side | None
    right: Side | None
    observation_names: tuple[str, ...] = ()
    behind: int = 0

    @property
    def seconds(self) -> float:
        """Seconds of play so far."""
        return self.tick / self.rate_hz

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides there are, left first."""
        return tuple(side for side in (self.left, self.right) if side is not None)

    @property
    def done(self) -> bool:
        """True once every side is over."""
        return all(side.over for side in self.sides)

    @property
    def verdict(self) -> str:
        """What came of it, in one sentence; empty until every side is over."""
        if not self.done:
            return ""
        if self.left is None or self.right is None:
            side = self.sides[0]
            seconds = side.ticks / self.rate_hz
            return f"{side.title} scored {score_text(side.score)} in {duration_text(seconds)} ({side.ending})."
        mine, theirs = self.right.score, self.left.score
        named = self.left.title not in KIND_TITLES.values()
        opponent = self.left.title if named else f"the {self.left.title.lower()}"
        if round(mine) == round(theirs):
            return f"A draw: the {self.right.title.lower()} and {opponent} both scored {score_text(mine)}."
        how = "beat" if mine > theirs else "lost to"
        return f"The {self.right.title.lower()} {how} {opponent}: {score_text(mine)} to {score_text(theirs)}."


def score_text(score: float) -> str:
    """A score as people write it: thousands apart, no decimals."""
    return f"{round(score):,}"


def duration_text(seconds: float) -> str:
    """Seconds as "m:ss"."""
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


class _Replay:
    """The stored side: everything is read by tick."""

    def __init__(self, session: Session, episode: Episode) -> None:
        self.session = session
        self.episode = episode
        self.scores = np.concatenate([[0.0], np.cumsum(session.rewards[episode.start : episode.stop])])
        rewards = np.asarray(session.rewards[episode.start : episode.stop], np.float64)
        lives = np.asarray(session.lives[episode.start : episode.stop], np.int64)
        self.start_lives = int(lives.max(initial=0))
        has_lives = session.spec.has_screen
        self.points = tuple((np.flatnonzero(rewards > 0) + 1).tolist()) if has_lives else ()
        before = np.concatenate([[self.start_lives], lives[:-1]])
        self.losses = tuple((np.flatnonzero(lives < before) + 1).tolist()) if has_lives else ()

    def observation(self, tick: int) -> Any:
        """The screen, or the simulator state, after `tick` actions."""
        last = self.episode.stop - 1
        if tick >= len(self.episode) and self.session.spec.has_screen:
            final = self.session.final_observation(self.episode.index)
            if final is not None:
                return final
        index = min(self.episode.start + tick, last)
        return self.session.frames[index] if self.session.spec.has_screen else self.session.states[index]

    def action(self, tick: int) -> Any:
        return self.session.actions[self.episode.start + tick - 1] if tick else None

    def trace(self, tick: int) -> npt.NDArray[Any]:
        """The actions of the last second."""
        first = max(0, tick - round(self.session.spec.rate_hz))
        return np.asarray(self.session.actions[self.episode.start + first : self.episode.start + tick])

    def lives(self, tick: int) -> int:
        return int(self.session.lives[self.episode.start + tick - 1]) if tick else self.start_lives


class _Past:
    """The clone's game so far: what it did and what came of it, tick by tick, and the means to see it again."""

    def __init__(self, spec: EnvSpec) -> None:
        self._spec = spec
        self._game: Game | None = None
        self._at = -1  # the tick that the second game has come to
        self.forget()

    def forget(self) -> None:
        """A new game begins."""
        self._at = -1
        self.actions: list[Any] = []
        self.scores: list[float] = [0.0]
        self.lives: list[int] = []
        self.points: list[int] = []  # ticks at which it scored, and lost a life
        self.losses: list[int] = []
        self._kept: list[Any] = []  # Breakout: a snapshot every so many ticks; Hopper: the state at every tick
        self._first: Picture | None = None

    def begin(self, game: Game, lives: int) -> None:
        """Remember how it began."""
        self.forget()
        self.lives.append(lives)
        if self._spec.has_screen:
            self._first = game.picture()
            self._kept.append(game.snapshot())
        else:
            self._kept.append(game.state())

    def add(self, game: Game, action: Any, score: float, lives: int) -> None:
        """One more tick."""
        self.actions.append(action)
        if self._spec.has_screen and score > self.scores[-1]:
            self.points.append(len(self.actions))
        if lives < self.lives[-1]:
            self.losses.append(len(self.actions))
        self.scores.append(score)
        self.lives.append(lives)
        if not self._spec.has_screen:
            self._kept.append(game.state())
        elif len(self.actions) % _SNAPSHOT_TICKS == 0:
            self._kept.append(game.snapshot())

    def moment(self, tick: int) -> Any:
        """The screen (RGB), or the simulator's state, after `tick` actions."""
        if not self._spec.has_screen:
            return self._kept[tick]
        if tick == 0:
            return self._first
        if self._game is None:
            self._game = Game(self._spec)
            self._game.reset(0)
        # The emulator draws nothing before the step that follows a restored state.
        start = (tick - 1) // _SNAPSHOT_TICKS
        if not start * _SNAPSHOT_TICKS <= self._at < tick:
            self._game.go_back(self._kept[start])
            self._at = start * _SNAPSHOT_TICKS
        for action in self.actions[self._at : tick]:
            self._game.step(action)
        self._at = tick
        return self._game.picture()

    def close(self) -> None:
        """Release the second game."""
        if self._game is not None:
            self._game.close()
        self._game = None


class Duel:
    """See the module's docstring.

    `session` and `policy` are given as paths, or opened; `episode` is an index into `session.episodes` (None: the best
    one). A policy alone plays a game drawn from `seed`, which also seeds how it samples. `render=False` draws nothing.
    Raises UsageError when there is nothing to show, SessionError or PolicyError for unreadable files and for two that
    do not belong together, and SystemLibraryError where pictures cannot be drawn.
    """

    def __init__(
        self,
        session: Session | Path | str | None = None,
        policy: Agent | Path | str | None = None,
        *,
        episode: int | None = None,
        seed: int = 0,
        render: bool = True,
    ) -> None:
        if session is None and policy is None:
            raise UsageError("nothing to watch: give a session, a policy, or both")
        if isinstance(session, (str, Path)):
            session = Session.open(session)
        policy_path = Path(policy) if isinstance(policy, (str, Path)) else None
        player: Agent | None = _load(Path(policy), seed) if isinstance(policy, (str, Path)) else policy
        self._replay = None if session is None else _Replay(session, _choose(session, episode))
        self._policy = player
        self._policy_name = policy_path.stem if policy_path is not None else ""
        self._drives: Callable[[Any], Any] | None = getattr(player, "drives", None)
        self._seed = seed
        self._render = render
        spec: EnvSpec | None = getattr(player, "spec", None)
        if session is not None:
            _refuse_mismatch(session, spec, str(policy_path or "the policy"))
            spec = session.spec
        if spec is None:
            raise UsageError("this policy does not say which environment it plays; give a session with it")
        self.spec = spec
        self._rollout: Rollout | None = None
        self._game: Game | None = None
        # Hopper is drawn by one further simulator that is put into each side's state in turn: one renderer, not two.
        self._stage = Game(spec, render=True) if render and not spec.has_screen else None
        self._past = _Past(spec)
        self._tick = 0
        if player is not None:
            self._game = Game(spec)
            alone = self._replay is None
            self._rollout = Rollout(self._game, player, seed=seed, varied=alone)
        self.restart()

    def __enter__(self) -> Duel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def replay_ticks(self) -> int | None:
        """Length of the recorded episode; None without one."""
        return None if self._replay is None else len(self._replay.episode)

    @property
    def episode(self) -> Episode | None:
        """The recorded episode on the left."""
        return None if self._replay is None else self._replay.episode

    @property
    def done(self) -> bool:
        """True once every side is over."""
        return self._left_over and self._right_over

    def restart(self) -> DuelFrame:
        """Back to tick 0; the clone starts a new game from the same seed."""
        self._tick = 0
        if self._rollout is not None and self._game is not None:
            # A policy alone starts from a drawn game; beside a replay, from the replay's own seed.
            self._rollout.begin(self._seed if self._replay is None else self._replay.episode.seed)
            self._past.begin(self._game, self._rollout.lives)
        return self.frame()

    def tick(self, count: int = 1) -> DuelFrame:
        """Advance by up to `count` ticks, fewer where everything is over, and draw once."""
        for _ in range(count):
            if self.done:
                break
            self._tick += 1
            self._think(1)
        return self.frame()

    def seek(self, tick: int) -> DuelFrame:
        """Go to a tick: of the recording, or, where that is longer, of what is known of the clone's game."""
        known = [len(self._replay.episode) if self._replay else 0, self._rollout.ticks if self._rollout else 0]
        self._tick = min(max(tick, 0), max(known))
        return self.frame()

    def catch_up(self, count: int) -> DuelFrame:
        """Let a clone that is behind play on by up to `count` ticks."""
        self._think(count)
        return self.frame()

    def _think(self, count: int) -> None:
        """The clone plays up to `count` ticks, but not beyond the present one."""
        rollout, game = self._rollout, self._game
        for _ in range(count):
            if rollout is None or game is None or not self._behind:
                return
            step = rollout.tick()
            self._past.add(game, step.action, rollout.score, step.lives)

    @property
    def _behind(self) -> int:
        rollout = self._rollout
        return 0 if rollout is None or rollout.phase is Phase.OVER else max(0, self._tick - rollout.ticks)

    def frame(self) -> DuelFrame:
        """The present moment."""
        spec = self.spec
        return DuelFrame(
            tick=self._tick,
            rate_hz=spec.rate_hz,
            env_title=spec.title,
            action_names=spec.action_names,
            discrete=spec.discrete,
            has_lives=spec.has_screen,
            left=self._left(),
            right=self._right(),
            observation_names=() if spec.has_screen else OBSERVATIONS,
            behind=self._behind,
        )

    def close(self) -> None:
        """Release the simulators."""
        for game in (self._game, self._stage, self._past):
            if game is not None:
                game.close()
        self._game = self._stage = None

    @property
    def _left_over(self) -> bool:
        return self._replay is None or self._tick >= len(self._replay.episode)

    @property
    def _right_over(self) -> bool:
        rollout = self._rollout
        return rollout is None or (rollout.phase is Phase.OVER and self._tick >= rollout.ticks)

    def _left(self) -> Side | None:
        replay = self._replay
        if replay is None:
            return None
        tick = min(self._tick, len(replay.episode))
        player = replay.session.player
        kind = str(player.get("kind", "scripted"))
        name = str(player.get("name", "")).strip()
        action = replay.action(tick)
        moment = replay.observation(tick)
        return Side(
            kind=kind,
            title=name if kind == "person" and name else KIND_TITLES.get(kind, kind),
            subtitle=f"{replay.session.name} · episode {replay.episode.index + 1}",
            picture=self._draw(moment) if self._render else None,
            score=float(replay.scores[tick]),
            action=_plain(action),
            action_label=action_label(self.spec, action),
            lives=replay.lives(tick),
            ticks=tick,
            over=self._left_over,
            ending=_OUTCOMES.get(replay.episode.outcome, replay.episode.outcome) if self._left_over else "",
            distance=None if self.spec.has_screen else Game.distance(moment),
            trace=() if self.spec.discrete else _vectors(replay.trace(tick)),
            points=replay.points,
            losses=replay.losses,
            length=len(replay.episode),
        )

    def _right(self) -> Side | None:
        rollout, game = self._rollout, self._game
        if rollout is None or game is None or self._policy is None:
            return None
        kind = str(describe(self._policy)["kind"])
        past, live = self._past, self._tick >= rollout.ticks
        tick = rollout.ticks if live else self._tick
        over = rollout.phase is Phase.OVER and live
        moment: Any = None
        if not self.spec.has_screen or (self._render and not live):
            moment = past.moment(tick)
        elif self._render:
            moment = game.picture()
        move = past.actions[tick - 1] if tick else None
        drives: tuple[tuple[float, ...], ...] = ()
        if self._drives is not None and live and not self.spec.has_screen:
            drives = _vectors(self._drives(rollout.observation))
        last = past.actions[max(0, tick - round(self.spec.rate_hz)) : tick]
        return Side(
            kind=kind,
            title=KIND_TITLES.get(kind, kind),
            subtitle=self._policy_name,
            picture=self._draw(moment) if self._render else None,
            score=past.scores[tick],
            action=_plain(move),
            action_label=action_label(self.spec, move),
            lives=past.lives[tick],
            ticks=tick,
            over=over,
            ending=_OUTCOMES.get(rollout.outcome, rollout.outcome) if over else "",
            distance=None if self.spec.has_screen else Game.distance(moment),
            trace=() if self.spec.discrete else _vectors(last),
            drives=drives,
            points=tuple(past.points),
            losses=tuple(past.losses),
            length=rollout.ticks,
        )

    def _draw(self, moment: Any) -> Picture:
        if self._stage is None:
            return np.asarray(moment, np.uint8)
        self._stage.restore(moment)
        return self._stage.picture()


def action_label(spec: EnvSpec, action: Any) -> str:
    """An action in words: its name, or the components of a vector with their names."""
    if action is None:
        return ""
    if spec.discrete:
        return spec.action_names[int(action)]
    values = np.asarray(action, float).tolist()
    return "  ".join(f"{name} {value:+.2f}" for name, value in zip(spec.action_names, values, strict=True))


def _load(path: Path, seed: int) -> Agent:
    from trainer.policy import Policy  # torch comes with it, and only for whoever watches a clone

    policy: Agent = Policy.load(path, seed=seed)
    return policy


class Booth:
    """Shows one duel after another in a process of its own, so that torch is loaded once.

    The clone thinks about one screen at a time: one thread takes 0.7 ms a tick; two took up to 7 ms on two busy cores.
    """

    def __init__(self) -> None:
        os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is first imported, which is later
        self._duel: Duel | None = None

    def open(self, session: str | None, policy: str | None, episode: int | None = None, seed: int = 0) -> DuelFrame:
        """Close the duel shown so far and open another; see `Duel`."""
        self.close()
        self._duel = Duel(session, policy, episode=episode, seed=seed)
        return self._duel.frame()

    def tick(self, count: int) -> DuelFrame:
        """See `Duel.tick`."""
        assert self._duel is not None, "tick() before open()"
        return self._duel.tick(count)

    def seek(self, tick: int) -> DuelFrame:
        """See `Duel.seek`."""
        assert self._duel is not None, "seek() before open()"
        return self._duel.seek(tick)

    def catch_up(self, count: int) -> DuelFrame:
        """See `Duel.catch_up`."""
        assert self._duel is not None, "catch_up() before open()"
        return self._duel.catch_up(count)

    def restart(self) -> DuelFrame:
        """See `Duel.restart`."""
        assert self._duel is not None, "restart() before open()"
        return self._duel.restart()

    def close(self) -> None:
        """Release the duel shown."""
        if self._duel is not None:
            self._duel.close()
        self._duel = None


def _plain(action: Any) -> int | tuple[float, ...] | None:
    if action is None:
        return None
    array = np.asarray(action)
    return int(array) if array.ndim == 0 else tuple(float(value) for value in array)


def _vectors(actions: Any) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in action) for action in actions)


def _choose(session: Session, index: int | None) -> Episode:
    episodes = session.openings
    if not episodes:
        raise UsageError(f"{session.path} holds no episode to watch; record a longer session")
    if index is None:
        return max(episodes, key=lambda episode: episode.total_reward)
    for episode in episodes:
        if episode.index == index:
            return episode
    known = f"0 to {episodes[-1].index}"
    raise UsageError(f"{session.path} has no episode {index}; choose one from {known}")


def _refuse_mismatch(session: Session, policy_spec: EnvSpec | None, policy_name: str) -> None:
    """A clone only ever plays the environment it learned."""
    if policy_spec is None or policy_spec.name == session.spec.name:
        return
    raise PolicyError(
        f"{policy_name} plays {policy_spec.title}, but {session.path} is a session of {session.spec.title}; "
        "choose two of the same environment"
    )
