"""Two players in the same game, on one clock.

    session ── game k ─────▶ RecordedPlayback ─┐
         or another policy ▶ LivePlayback  ──┤ left
                    │ seed              ├──▶ DuelFrame (tick t)
    policy ───────▶ LivePlayback, same seed ─┘ right

At tick t both sides show the game after t actions, with the last action. A finished side waits while the other plays
on; a clone's game ends at the latest at the environment's time limits. Either side may be missing.

Any tick can be shown again (`seek`). The recording is available at once. Of a clone's game, all actions and some
states are kept, from which a second game replays up to the tick. For a tick that the clone has not reached yet, it is
`behind` and must play first (`catch_up`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from player.watch.frames import DuelFrame, Picture
from player.watch.sides import LivePlayback, RecordedPlayback
from recorder.agents.agent import Agent
from recorder.envs.game import Game
from recorder.envs.registry import simulator_notes
from recorder.envs.spec import EnvSpec
from recorder.errors import UsageError
from recorder.store.episode_table import RecordedGame
from recorder.store.places import Place
from recorder.store.session import Session
from trainer.errors import PolicyError
from trainer.evaluation.agreement import choose_game, refuse_mismatch
from trainer.runs.policy_library import summarize

_REST = 2.0  # after a look at what the clone sees, so many times as long goes to playing alone


class Duel:
    """See the module's docstring.

    `session`, `policy` and `against` are given as paths, or opened; `game` is the number of a recorded game, from 1
    (None: the best one). `against` is a second policy, for the left side, in place of a session. Policies alone play a
    game drawn from `seed`, which also seeds how they sample, each in its own way. `alike` lets `policy`, given as a
    path, play like its demonstrator rather than its best. `render=False` draws nothing.
    Raises UsageError when there is nothing to show, SessionError or PolicyError for unreadable files and for two that
    do not belong together, and SystemLibraryError where pictures cannot be drawn.
    """

    def __init__(
        self,
        session: Session | Place | str | None = None,
        policy: Agent | Path | str | None = None,
        *,
        against: Agent | Path | str | None = None,
        game: int | None = None,
        seed: int = 0,
        alike: bool = False,
        render: bool = True,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        if session is None and policy is None and against is None:
            raise UsageError("nothing to watch: give a session, a policy, or both")
        if session is not None and against is not None:
            raise UsageError("both a session and a second policy are given for the left side; give only one of them")
        if session is not None and not isinstance(session, Session):
            session = Session.open(session)
        given = (policy, against)
        agents = [_load(policy, seed, alike), _load(against, seed + 1, False)]
        self.spec = _common_spec(session, agents, given)
        self._recording = None if session is None else RecordedPlayback(session, choose_game(session, game))
        specs = {} if session is None else {session.name: session.spec}
        known: list[Any] = [agent for agent in agents if hasattr(agent, "spec")]
        specs |= {getattr(agent, "name", "the policy"): agent.spec for agent in known}
        self.note = "; ".join(simulator_notes(specs))
        self._seed = seed
        # A policy alone starts from a drawn game; beside a recording, from the recording's own seed.
        self._start = seed if self._recording is None else self._recording.game.line[0].seed
        # What is known by its state is drawn by one further simulator, put into each side's in turn: one renderer.
        self._renderer = Game(self.spec, render=True) if render and self.spec.drawn_from_state else None
        self._render = render
        self._now = now
        self._tick = 0
        self._looking = False
        self._rest_until = 0.0
        twice = policy is not None and str(policy) == str(against) and not alike
        playbacks: list[LivePlayback | None] = [None, None]
        for number, agent in enumerate(agents):
            if agent is not None:
                name = _name(given[number], seed + number, twice)
                name += " · like its player" if alike and number == 0 and name else ""
                playbacks[number] = LivePlayback(
                    self.spec, agent, seed=seed + number, varied=session is None, name=name
                )
        self._right, self._left = playbacks[0], self._recording or playbacks[1]
        self._playbacks = [playback for playback in playbacks if playback is not None]
        self._twin = (
            self._recording is not None
            and self._right is not None
            and self._right.learned_from(self._recording.session.player)
        )
        self.restart()

    def __enter__(self) -> Duel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def replay_ticks(self) -> int | None:
        """Length of the recorded game; None without one."""
        return None if self._recording is None else self._recording.length

    @property
    def game(self) -> RecordedGame | None:
        """The recorded game on the left."""
        return None if self._recording is None else self._recording.game

    @property
    def done(self) -> bool:
        """True once every side is over."""
        return all(side is None or side.over_at(self._tick) for side in (self._left, self._right))

    def restart(self) -> DuelFrame:
        """Back to tick 0; a clone starts a new game from the same seed."""
        self._tick = 0
        for playback in self._playbacks:
            playback.begin(self._start)
        self._attend()
        return self.frame()

    def play_on(self, tick: int) -> DuelFrame:
        """Let the clone on the right play on from a tick of the recorded game (0: from its start), and go there.

        It plays the recorded actions up to there, which brings its game into the very same state.
        """
        if self._recording is not None and self._right is not None:
            self._right.lead(self._recording.before(tick))
            self.restart()
            self._tick = min(tick, self._recording.length)
        return self.frame()

    def tick(self, count: int = 1) -> DuelFrame:
        """Advance by up to `count` ticks, fewer at the end, and draw once."""
        for _ in range(count):
            if self.done:
                break
            self._tick += 1
            self._think(1)
        self._attend()
        return self.frame()

    def seek(self, tick: int) -> DuelFrame:
        """Go to a tick of the recording or, if that is longer, of the known part of a clone's game."""
        known = max(0 if side is None else side.length for side in (self._left, self._right))
        self._tick = min(max(tick, 0), known)
        self._attend(always=True)
        return self.frame()

    def catch_up(self, count: int) -> DuelFrame:
        """Let clones that are behind play up to `count` ticks."""
        self._think(count)
        self._attend(always=True)
        return self.frame()

    def look(self, wanted: bool) -> DuelFrame:
        """Show or hide what the clones look at, as often as time allows."""
        self._looking = wanted
        self._attend(always=True)
        return self.frame()

    def _think(self, count: int) -> None:
        """The clones play up to `count` ticks, but not beyond the current one."""
        for playback in self._playbacks:
            playback.think(count, self._tick)

    def _attend(self, *, always: bool = False) -> None:
        """Compute what the clones look at, unless that was slow and happened just before."""
        began = self._now()
        if not self._looking or not self._render or (began < self._rest_until and not always):
            return
        for playback in self._playbacks:
            playback.attend(self._tick)
        ended = self._now()
        self._rest_until = ended + _REST * (ended - began)

    def frame(self) -> DuelFrame:
        """The current moment."""
        spec, draw = self.spec, self._draw if self._render else None
        left, right = (None if side is None else side.show(self._tick, draw) for side in (self._left, self._right))
        if right is not None and self._twin:
            right = replace(right, twin=True)
        if not self._looking:
            left, right = (None if side is None else replace(side, looks=None) for side in (left, right))
        return DuelFrame(
            tick=self._tick,
            rate_hz=spec.rate_hz,
            env_title=spec.title,
            action_names=spec.action_names,
            discrete=spec.discrete,
            has_lives=spec.lives,
            left=left,
            right=right,
            observation_names=spec.observation_names,
            pixel_aspect=spec.pixel_aspect,
            controls=tuple(spec.controls),
            chords=spec.chords,
            serve_action=spec.serve_action,
            behind=max((playback.behind_at(self._tick) for playback in self._playbacks), default=0),
            can_look=any(playback.can_look for playback in self._playbacks),
            note=self.note,
            seed=self._start,
        )

    def close(self) -> None:
        """Release the simulators."""
        for playback in self._playbacks:
            playback.close()
        if self._recording is not None:
            self._recording.close()
        if self._renderer is not None:
            self._renderer.close()
        self._playbacks, self._renderer = [], None

    def _draw(self, moment: Any) -> Picture:
        if self._renderer is None:
            return np.asarray(moment, np.uint8)
        self._renderer.restore(moment)
        return self._renderer.picture()


class DuelWorker:
    """Shows one duel after another in a separate process, so that torch is loaded only once.

    The network sees one screen at a time: one thread takes 0.7 ms per tick; two took up to 7 ms on two busy cores.
    """

    def __init__(self) -> None:
        os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is first imported, which is later
        self._duel: Duel | None = None

    def open(
        self,
        session: str | None,
        policy: str | None,
        game: int | None = None,
        seed: int = 0,
        against: str | None = None,
        look: bool = False,
        alike: bool = False,
    ) -> DuelFrame:
        """Close the duel shown so far and open another; see `Duel`."""
        self.close()
        self._duel = Duel(session, policy, game=game, seed=seed, against=against, alike=alike)
        return self._duel.look(look)

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

    def look(self, wanted: bool) -> DuelFrame:
        """See `Duel.look`."""
        assert self._duel is not None, "look() before open()"
        return self._duel.look(wanted)

    def play_on(self, tick: int) -> DuelFrame:
        """See `Duel.play_on`."""
        assert self._duel is not None, "play_on() before open()"
        return self._duel.play_on(tick)

    def restart(self) -> DuelFrame:
        """See `Duel.restart`."""
        assert self._duel is not None, "restart() before open()"
        return self._duel.restart()

    def close(self) -> None:
        """Release the duel shown."""
        if self._duel is not None:
            self._duel.close()
        self._duel = None


def _load(given: Agent | Path | str | None, seed: int, alike: bool) -> Agent | None:
    if not isinstance(given, (str, Path)):
        return given
    from trainer.policy.policy import Policy  # torch comes with it, and only for whoever watches a clone

    policy: Agent = Policy.load(given, seed=seed, alike=alike)
    return policy


def _name(given: Agent | Path | str | None, seed: int, twice: bool) -> str:
    """What the policy is called, with a number if both players are from the same file."""
    name = summarize(Path(given)).title if isinstance(given, (str, Path)) else ""
    return f"{name} · seed {seed}".strip(" ·") if twice else name


def _common_spec(
    session: Session | None, agents: Sequence[Agent | None], given: Sequence[Agent | Path | str | None]
) -> EnvSpec:
    """The common environment. A clone plays only the environment that it learned."""
    known: list[tuple[EnvSpec, str]] = []
    for agent, one in zip(agents, given, strict=True):
        spec = getattr(agent, "spec", None)
        if spec is not None:
            known.append((spec, str(one) if isinstance(one, (str, Path)) else "the policy"))
    if session is not None:
        for spec, name in known:
            refuse_mismatch(session, spec, name)
        return session.spec
    if not known:
        raise UsageError("this policy does not say which environment it plays; give a session as well")
    (first, name), (last, other) = known[0], known[-1]
    if first.name != last.name:
        raise PolicyError(
            f"{name} plays {first.title}, but {other} plays {last.title}; choose two of the same environment"
        )
    return first
