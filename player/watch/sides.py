"""The two kinds of side in a duel: a recording, read by tick, and a clone's game, played and remembered.

    RecordedPlayback   everything is known from the start
    LivePlayback       rollout ──tick──▶ History: every action, and some states from which a second game can replay

Both can show any tick up to their `length`; a LivePlayback that has not reached it is `behind` and must `think`
first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
import numpy.typing as npt

from player.watch.frames import OUTCOMES, Picture, Side, action_label
from recorder.agents.agent import Agent, describe, tell
from recorder.envs.game import Game
from recorder.envs.spec import EnvSpec
from recorder.library.players import kind_texts
from recorder.play.rollout import WATCHED_TICKS, Phase, Rollout
from recorder.store.episode_table import RecordedGame
from recorder.store.session import Session
from recorder.system.texts import duration_text

Draw = Callable[[Any], Picture]

_SNAPSHOT_TICKS = 30  # led from the last one, a game is at any tick within a few milliseconds
_LOOK_S = 0.25  # for how long of play a look at what the clone sees may be shown


class RecordedPlayback:
    """The side that shows a recording."""

    def __init__(self, session: Session, game: RecordedGame) -> None:
        self.session = session
        self.game = game
        self.length = game.ticks
        self.seed = game.line[0].seed
        self._ticks = game.line_ticks
        rewards = np.asarray(session.rewards[self._ticks], np.float64)
        self._scores = np.concatenate([[0.0], np.cumsum(rewards)])
        lives = np.asarray(session.lives[self._ticks], np.int64)
        self._start_lives = int(lives.max(initial=0))
        self._points = tuple((np.flatnonzero(rewards > 0) + 1).tolist()) if session.spec.points else ()
        before = np.concatenate([[self._start_lives], lives[:-1]])
        self._losses = tuple((np.flatnonzero(lives < before) + 1).tolist()) if session.spec.lives else ()
        self._actions = np.asarray(session.actions[self._ticks])
        self._history: History | None = None  # where it can only be drawn by playing it again

    def before(self, tick: int) -> npt.NDArray[Any]:
        """The first `tick` actions."""
        return self._actions[:tick]

    def over_at(self, tick: int) -> bool:
        """Whether the recording ends at or before a tick."""
        return tick >= self.length

    def show(self, tick: int, draw: Draw | None) -> Side:
        """This side after `tick` actions, or at its end."""
        over = self.over_at(tick)
        tick = min(tick, self.length)
        session, spec = self.session, self.session.spec
        kind = str(session.player.get("kind", "scripted"))
        name = str(session.player.get("name", "")).strip()
        action = self._actions[tick - 1] if tick else None
        moment: Any = self._moment(tick) if draw is not None or spec.drawn_from_state else None
        lives = session.lives[self._ticks[tick - 1]] if tick else self._start_lives
        return Side(
            kind=kind,
            title=name if kind == "person" and name else kind_texts(kind).title,
            subtitle=f"{session.name} · game {self.game.number}",
            picture=None if draw is None else draw(moment),
            score=float(self._scores[tick]),
            action=plain(action),
            action_label=action_label(spec, action),
            lives=int(lives),
            ticks=tick,
            over=over,
            ending=OUTCOMES.get(self.game.outcome, self.game.outcome) if over else "",
            distance=spec.distance(moment) if spec.drawn_from_state else None,
            trace=() if spec.discrete else _vectors(self._actions[max(0, tick - round(spec.rate_hz)) : tick]),
            points=self._points,
            losses=self._losses,
            actions=self._actions,
            length=self.length,
            final=float(self._scores[-1]),
        )

    def _moment(self, tick: int) -> Any:
        """The screen, or the simulator state, after `tick` actions; or a picture if neither is stored."""
        session = self.session
        if session.spec.drawn_live:
            return self._played_again().moment(tick)
        if tick >= self.length and session.spec.sees_screen:
            final = session.final_observation(self.game.line[-1].index)
            if final is not None:
                return final
        index = int(self._ticks[min(tick, self.length - 1)])
        return session.frames[index] if session.spec.sees_screen else session.states[index]

    def _played_again(self) -> History:
        if self._history is None:
            self._history = History(self.session.spec)
            with Game(self.session.spec) as game:
                game.reset(self.game.line[0].seed)
                self._history.begin(game, 0)
            self._history.actions = [*self._actions]
        return self._history

    def close(self) -> None:
        """Release the simulator."""
        if self._history is not None:
            self._history.close()


@runtime_checkable
class HasDrives(Protocol):
    """A player that can say what drives it."""

    def drives(self, observation: Any) -> Any:
        """See `trainer.policy.policy.Policy.drives`."""


@runtime_checkable
class HasAttention(Protocol):
    """A player that can say what it looks at."""

    def attention(self, screen: Any, before: Sequence[Any] | None = None) -> Any:
        """See `trainer.policy.policy.Policy.attention`."""


class History:
    """A clone's game so far: its actions and rewards by tick, and states to show any tick again.

    Of screens in RGB it keeps all, compressed without loss: most simulators with such screens have no state to go back
    to, and draw too slowly to play a game again.
    """

    def __init__(self, spec: EnvSpec) -> None:
        self._spec = spec
        self._game: Game | None = None
        self._keeps_screens = spec.sees_screen and spec.colours == "rgb"
        if not (spec.drawn_from_state or self._keeps_screens):
            # Now, because it may load a ROM: whoever scrubs would wait for it.
            self._game = Game(spec, render=spec.drawn_live)
            self._game.reset(0)
        self._at = -1  # the tick that the second game has come to
        self.forget()

    def forget(self) -> None:
        """Forget the game, before a new one."""
        self._at = -1
        self.actions: list[Any] = []
        self.scores: list[float] = [0.0]
        self.lives: list[int] = []
        self.points: list[int] = []  # ticks at which it scored, and lost a life
        self.losses: list[int] = []
        self._kept: list[Any] = []  # the state or the screen at every tick, or else a snapshot every so many ticks
        self._first: Picture | None = None

    def begin(self, game: Game, lives: int) -> None:
        """Remember the first state."""
        self.forget()
        self.lives.append(lives)
        self._first = game.picture() if self._spec.sees_screen else None
        self._keep(game)

    def add(self, game: Game, action: Any, score: float, lives: int) -> None:
        """Add a tick."""
        self.actions.append(action)
        if self._spec.points and score > self.scores[-1]:
            self.points.append(len(self.actions))
        if lives < self.lives[-1]:
            self.losses.append(len(self.actions))
        self.scores.append(score)
        self.lives.append(lives)
        self._keep(game)

    def _keep(self, game: Game) -> None:
        if self._spec.drawn_from_state:
            self._kept.append(game.state())
        elif self._keeps_screens:
            self._kept.append(cv2.imencode(".png", game.picture())[1])  # red for blue, and back
        elif len(self.actions) % _SNAPSHOT_TICKS == 0:
            self._kept.append(game.snapshot())

    def moment(self, tick: int) -> Any:
        """The simulator's state after `tick` actions, or else a picture (RGB)."""
        if self._spec.drawn_from_state:
            return self._kept[tick]
        if tick == 0 and self._first is not None:
            return self._first
        if self._keeps_screens:
            return np.asarray(cv2.imdecode(self._kept[tick], cv2.IMREAD_COLOR), np.uint8)
        assert self._game is not None, "moment() after close()"
        if tick != self._at:
            # An emulator draws nothing before the step that follows a restored state.
            start = min(max(0, tick - 1) // _SNAPSHOT_TICKS, len(self._kept) - 1)
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


class _Led:
    """A player that begins with given actions; it sees the last moments of these, so that it knows its past."""

    def __init__(self, player: Agent) -> None:
        self.actions: npt.NDArray[Any] | tuple[()] = ()
        self._player = player
        self._at = 0

    def reset(self, env: Any = None) -> None:
        self._at = 0
        self._player.reset(env)

    def act(self, observation: Any) -> Any:
        at, self._at = self._at, self._at + 1
        own = self._player.act(observation) if len(self.actions) - at <= WATCHED_TICKS else None
        return own if at >= len(self.actions) else self.actions[at]

    def played(self, action: Any) -> None:
        tell(self._player, action)


class LivePlayback:
    """A clone, or any agent, playing a live game. `learned_from` describes the players it was trained on.

    Its game may begin with the actions of a recorded one, from which it plays on (`lead`).
    """

    def __init__(self, spec: EnvSpec, player: Agent, *, seed: int, varied: bool, name: str = "") -> None:
        self.spec = spec
        self.player = player
        self._name = name
        self._kind = str(describe(player)["kind"])
        self._drives = player.drives if isinstance(player, HasDrives) else None
        self._attention = player.attention if isinstance(player, HasAttention) and spec.sees_screen else None
        self._heat: tuple[int, npt.NDArray[np.uint8]] | None = None
        self._game = Game(spec, render=spec.drawn_live)
        self._led = _Led(player)
        self._rollout = Rollout(self._game, self._led, seed=seed, varied=varied)
        self._history = History(spec)

    @property
    def can_look(self) -> bool:
        """Whether this player can show what it looks at."""
        return self._attention is not None

    @property
    def length(self) -> int:
        """Ticks played so far."""
        return self._rollout.ticks

    def learned_from(self, player: dict[str, Any]) -> bool:
        """Whether this is a clone of the player with this description."""
        header: dict[str, Any] = getattr(self.player, "header", {})
        return any(session.get("player") == player for session in header.get("sessions", []))

    def lead(self, actions: npt.NDArray[Any]) -> None:
        """Let the games to come begin with these actions."""
        self._led.actions = actions

    @property
    def led(self) -> int:
        """With how many actions of another its game begins."""
        return len(self._led.actions)

    def begin(self, seed: int) -> None:
        """Start a new game from this seed."""
        self._rollout.begin(seed)
        self._history.begin(self._game, self._rollout.lives)
        self._heat = None

    def behind_at(self, tick: int) -> int:
        """How many ticks must still be played before a tick can be shown."""
        return 0 if self._rollout.phase is Phase.OVER else max(0, tick - self._rollout.ticks)

    def think(self, count: int, tick: int) -> None:
        """Play up to `count` ticks, but not beyond `tick`."""
        rollout = self._rollout
        for _ in range(min(count, self.behind_at(tick))):
            if rollout.phase is Phase.OVER:
                break
            step = rollout.tick()
            self._history.add(self._game, step.action, rollout.score, step.lives)

    def over_at(self, tick: int) -> bool:
        """Whether the game is known to be over by a tick."""
        return self._rollout.phase is Phase.OVER and tick >= self._rollout.ticks

    def attend(self, tick: int) -> None:
        """Compute what the player looks at after `tick` actions, for `show`."""
        if self._attention is None or self.behind_at(tick) or (self._heat is not None and self._heat[0] == tick):
            return
        if tick >= self._rollout.ticks:
            tick = self._rollout.ticks
            self._heat = (tick, self._attention(self._rollout.observation))
        else:
            reach: int = getattr(self.player, "reach", 0)
            *before, now = (self._history.moment(each) for each in range(max(0, tick - reach), tick + 1))
            self._heat = (tick, self._attention(now, before))

    def show(self, tick: int, draw: Draw | None) -> Side:
        """This side after `tick` actions, or at the last tick played."""
        rollout, past, spec = self._rollout, self._history, self.spec
        live, over = tick >= rollout.ticks, self.over_at(tick)
        tick = min(tick, rollout.ticks)
        moment: Any = None
        if spec.drawn_from_state or (draw is not None and not live):
            moment = past.moment(tick)
        elif draw is not None:
            moment = self._game.picture()
        move = past.actions[tick - 1] if tick else None
        drives: tuple[tuple[float, ...], ...] = ()
        if self._drives is not None and live and not (spec.sees_screen or spec.discrete):
            drives = _vectors(self._drives(rollout.observation))
        looks = None
        if self._heat is not None and 0 <= tick - self._heat[0] <= _LOOK_S * spec.rate_hz:
            looks = self._heat[1]
        dtype = "uint8" if spec.discrete else "float32"
        return Side(
            kind=self._kind,
            title=kind_texts(self._kind).title,
            subtitle=self._name if not self.led else f"{self._name} · from {duration_text(self.led / spec.rate_hz)}",
            led=self.led,
            picture=None if draw is None else draw(moment),
            score=past.scores[tick],
            action=plain(move),
            action_label=action_label(spec, move),
            lives=past.lives[tick],
            ticks=tick,
            over=over,
            ending=OUTCOMES.get(rollout.outcome, rollout.outcome) if over else "",
            distance=spec.distance(moment) if spec.drawn_from_state else None,
            trace=() if spec.discrete else _vectors(past.actions[max(0, tick - round(spec.rate_hz)) : tick]),
            drives=drives,
            looks=looks,
            points=tuple(past.points),
            losses=tuple(past.losses),
            actions=np.array(past.actions, dtype).reshape(-1, *spec.action_shape),
            length=rollout.ticks,
            final=rollout.score if rollout.phase is Phase.OVER else None,
        )

    def close(self) -> None:
        """Release the simulators."""
        self._history.close()
        self._game.close()


def plain(action: Any) -> int | tuple[float, ...] | None:
    """An action as Python numbers."""
    if action is None:
        return None
    array = np.asarray(action)
    return int(array) if array.ndim == 0 else tuple(float(value) for value in array)


def _vectors(actions: Any) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in action) for action in actions)
