"""How well a clone plays: many games from unseen starts, compared with its demonstrator and a random player.

    seeds ─▶ games in parallel processes ─▶ returns ─▶ mean and bootstrap interval over distinct games

Starts are varied as `recorder.envs.game.Game.reset` describes. Recordings begin at the plain start, so no training saw
these starts. A game ends by its own rules, at the environment's limit, or after too long without a point; the clone has
to serve by itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec.structs import replace

from recorder.agents.agent import Agent, RandomAgent
from recorder.agents.experts import from_description
from recorder.envs.game import Game
from recorder.envs.registry import get_spec, simulator_notes
from recorder.envs.spec import EnvSpec
from recorder.errors import UsageError
from recorder.play.rollout import Phase, Rollout
from recorder.store.places import Place
from recorder.store.session import Session
from recorder.system.cores import available_cores
from recorder.system.jobs import run_parallel
from trainer.evaluation.agreement import refuse_mismatch
from trainer.evaluation.demonstrator import Demonstrator
from trainer.evaluation.likeness import Actions, Likeness
from trainer.evaluation.scores import EvalProgress, EvalReport, GameResult, Score
from trainer.policy.action_selection import ActionSelection
from trainer.policy.policy import Policy, act_together

PLAYERS = ("clone", "demonstrator", "random")
_EVALUATION = 0x0E7A1  # keeps evaluation seeds different from recording seeds
SIGN_OF_LIFE_TICKS = 50

_Results = dict[str, dict[int, GameResult]]  # by player and number of the game


def evaluation_seed(seed: int, game: int) -> int:
    """The seed of game `game` of an evaluation."""
    return int(np.random.SeedSequence([seed, game, _EVALUATION]).generate_state(1)[0]) & 0x7FFFFFFF


class _QueuedAgent:
    """An agent that takes the action it was given."""

    def __init__(self) -> None:
        self.action: Any = 0

    def reset(self, env: Any = None) -> None: ...

    def act(self, observation: Any) -> Any:
        return self.action


class _Table:
    """One game: a rollout, and the trace that identifies it."""

    def __init__(self, game: Game, agent: Agent, seed: int, max_ticks: int | None) -> None:
        self.game = game
        whole = get_spec(game.spec.name).episode_ticks
        game.spec = replace(game.spec, episode_ticks=whole if max_ticks is None else min(max_ticks, whole))
        self.rollout = Rollout(self.game, agent, varied=True)
        self.rollout.begin(seed)
        self._actions: list[Any] = []
        self._trace = hashlib.sha256(np.ascontiguousarray(self.rollout.observation).tobytes())

    def tick(self) -> None:
        step = self.rollout.tick()
        self._trace.update(np.asarray(step.action).tobytes())
        self._actions.append(step.action)

    @property
    def playing(self) -> bool:
        return self.rollout.phase is Phase.PLAYING

    def result(self) -> GameResult:
        rollout = self.rollout
        spec = self.game.spec
        actions = np.asarray(self._actions, spec.action_dtype).reshape(-1, *spec.action_shape)
        return GameResult(rollout.score, rollout.ticks, rollout.outcome, self._trace.hexdigest(), actions)


def play_together(
    players: Sequence[Policy],
    seeds: Sequence[int],
    *,
    sticky: float = 0.0,
    max_ticks: int | None = None,
    spare: list[Game] | None = None,
) -> Iterator[list[GameResult] | None]:
    """Play one game per player and seed, all at once; each network takes its players' screens as one batch.

    Simulators are taken from `spare` and returned to it, since creating one takes 200 ms; without `spare` they are
    closed. Now and then yields None, so that the caller can show progress, and finally the results.
    """
    feeders = [_QueuedAgent() for _ in seeds]
    spec = players[0].spec
    games = [spare.pop() if spare else Game(spec, sticky=sticky) for _ in seeds]
    tables = [_Table(game, feeder, seed, max_ticks) for game, feeder, seed in zip(games, feeders, seeds, strict=True)]
    tick = 0
    while open_games := [i for i, table in enumerate(tables) if table.playing]:
        actions = act_together([players[i] for i in open_games], [tables[i].rollout.observation for i in open_games])
        for i, action in zip(open_games, actions, strict=True):
            feeders[i].action = action
            tables[i].tick()
        tick += 1
        if tick % SIGN_OF_LIFE_TICKS == 0:
            yield None
    results = [table.result() for table in tables]
    if spare is None:
        for game in games:
            game.close()
    else:
        spare += games
    yield results


@dataclass(frozen=True)
class PlannedGame:
    """A game to be played: the policy file, the seed, and the manner (None: the policy's own)."""

    policy: str
    seed: int
    manner: ActionSelection | None = None


class GameWorker:
    """Plays games and caches the policies that it has read. Runs in a separate process."""

    def __init__(self) -> None:
        self._policies: dict[str, Policy] = {}
        self._games: Iterator[list[GameResult] | None] = iter(())
        self._spare: dict[tuple[str, float], list[Game]] = {}

    def sit_down(self, planned: Sequence[PlannedGame]) -> list[Policy]:
        """The players of these games. Raises PolicyError."""
        for plan in planned:
            if plan.policy not in self._policies:
                self._policies[plan.policy] = Policy.load(plan.policy)
        return [self._policies[plan.policy].fork(plan.seed, plan.manner) for plan in planned]

    def begin(self, planned: Sequence[PlannedGame], sticky: float = 0.0, max_ticks: int | None = None) -> None:
        """Start these games instead of any others. Raises PolicyError."""
        seeds = [plan.seed for plan in planned]
        players = self.sit_down(planned)
        spare = self._spare.setdefault((players[0].spec.name, sticky), []) if players else []
        self._games = play_together(players, seeds, sticky=sticky, max_ticks=max_ticks, spare=spare)

    def advance(self) -> list[GameResult] | None:
        """Play SIGN_OF_LIFE_TICKS more ticks; returns the results once all games are over."""
        return next(self._games)

    def use_one_core(self) -> None:
        """Leave the other cores to other processes."""
        torch.set_num_threads(1)


def play_games(
    player: str,
    seeds: Sequence[int],
    policy_path: str,
    description: dict[str, Any] | None,
    sticky: float,
    manner: ActionSelection | None = None,
) -> list[GameResult]:
    """Play games of one player, one per seed, in this process; worker processes run this function."""
    torch.set_num_threads(1)
    policy = Policy.load(policy_path)
    if player == "clone":
        *_, results = play_together([policy.fork(seed, manner) for seed in seeds], seeds, sticky=sticky)
        assert results is not None
        return results
    games = []
    game = Game(policy.spec, sticky=sticky)
    for seed in seeds:
        agent: Agent = RandomAgent(policy.spec, seed)
        if player == "demonstrator":
            assert description is not None
            agent = from_description(description, seed)
        table = _Table(game, agent, seed, None)
        while table.playing:
            table.tick()
        games.append(table.result())
    game.close()
    return games


def play_timed(**arguments: Any) -> tuple[list[GameResult], float]:
    """What `play_games` returns, and the seconds that it took."""
    began = time.monotonic()
    results = play_games(**arguments)
    return results, time.monotonic() - began


def evaluate(
    policy: Path | str,
    *,
    episodes: int = 30,
    seed: int = 0,
    sticky: float = 0.0,
    players: Sequence[str] = PLAYERS,
    manner: ActionSelection | None = None,
    alike: bool = False,
    processes: int | None = None,
    recording: Session | Place | str | None = None,
) -> Generator[EvalProgress, None, None]:
    """Play `episodes` games of the clone, its demonstrator and a random player from the same unseen starts.

    The clone plays its best, with `alike` like its demonstrator, or in a given `manner`. A demonstrator that cannot
    play again (a person, or several players) is represented by the recorded games, and labelled so. With a
    `recording`, its player is the demonstrator, and the recorded games are its games.

    Raises PolicyError for an unreadable policy or one for another environment than the recording's, SessionError for an
    unreadable recording, and UsageError for a number of games below one.
    """
    if episodes < 1:
        raise UsageError(f"nothing to evaluate: {episodes} episodes")
    path = str(policy)
    loaded = Policy.load(path, alike=alike)
    notes = simulator_notes({loaded.name: loaded.spec})
    if recording is None:
        demonstrator = Demonstrator.of_policy(loaded.header)
    else:
        session = recording if isinstance(recording, Session) else Session.open(recording)
        refuse_mismatch(session, loaded.spec, path)
        notes += simulator_notes({session.name: session.spec})
        demonstrator = Demonstrator.of_recording(session)
    rows: dict[str, Score] = {}
    played = [player for player in PLAYERS if player in players]
    if "demonstrator" in played and demonstrator.description is None:
        played.remove("demonstrator")
        if demonstrator.recorded is not None:
            rows["demonstrator"] = demonstrator.recorded
    arguments = {
        "policy_path": path,
        "description": demonstrator.description,
        "sticky": sticky,
        "manner": manner or loaded.manner,
    }
    seeds = [evaluation_seed(seed, k) for k in range(episodes)]
    way = ", like its player" if alike else ""
    labels = {"clone": f"clone {loaded.name}{way}", "demonstrator": demonstrator.label, "random": "random player"}
    recorded = tuple(rows.values())
    results = yield from _playing(played, seeds, labels, recorded, arguments, processes or available_cores())
    for player in played:
        rows[player] = Score.of(player, labels[player], [results[player][k] for k in range(episodes)])
    likeness = _likeness(results, demonstrator, loaded.spec)
    ordered = tuple(rows[player] for player in PLAYERS if player in rows)
    report = EvalReport(path, loaded.spec.name, episodes, seed, sticky, ordered, notes, likeness)
    total = len(played) * episodes
    yield EvalProgress(total, total, report, ordered)


def _playing(
    players: Sequence[str],
    seeds: Sequence[int],
    labels: Mapping[str, str],
    recorded: tuple[Score, ...],
    arguments: Mapping[str, Any],
    workers: int,
) -> Generator[EvalProgress, None, _Results]:
    """Let each player play each seed, in worker processes; `arguments` are further ones of `play_games`.

    Yields the `recorded` scores and those of the finished games; returns all results.
    """
    tasks: list[tuple[str, range]] = []
    for player in players:
        # A clone's games of one task share a forward pass, but there are several tasks, so that figures come early.
        groups = min(len(seeds), 4 * workers)
        tasks += [(player, range(g, len(seeds), groups)) for g in range(groups)]
    # The players take turns, and the random player's short games come first.
    tasks.sort(key=lambda task: (task[1].start, -PLAYERS.index(task[0])))
    results: _Results = {player: {} for player in players}
    spent = dict.fromkeys(players, 0.0)
    total, done = len(players) * len(seeds), 0
    yield EvalProgress(0, total, rows=recorded)
    jobs = [{"player": player, "seeds": [seeds[k] for k in games], **arguments} for player, games in tasks]
    with contextlib.closing(run_parallel("trainer.evaluation.games:play_timed", jobs, workers)) as played_games:
        for index, (outcome, seconds) in played_games:
            player, games = tasks[index]
            results[player].update(zip(games, outcome, strict=True))
            spent[player] += seconds
            done += len(games)
            rows = recorded + tuple(
                Score.of(each, labels[each], [found[k] for k in sorted(found)])
                for each, found in results.items()
                if found
            )
            whole = {each: spent[each] / len(found) * len(seeds) for each, found in results.items() if found}
            left = sum(whole.values()) - sum(spent.values()) if len(whole) == len(players) else None
            yield EvalProgress(
                done,
                total,
                rows=rows,
                left_s=None if left is None else left / workers,
                clone_s=whole["clone"] / workers if "clone" in whole else None,
            )
    return results


def _likeness(results: _Results, demonstrator: Demonstrator, spec: EnvSpec) -> Likeness | None:
    """How much the clone played like its demonstrator; None if the actions of one of them are not known."""
    done_by_clone = _actions(results.get("clone", {}))
    done_by_it = demonstrator.actions or _actions(results.get("demonstrator", {}))
    return Likeness.of(done_by_clone, done_by_it, spec) if done_by_clone and done_by_it else None


def _actions(results: Mapping[int, GameResult]) -> list[Actions]:
    """The actions in the order of the games, not in the order in which they finished, since halves are compared."""
    games = [results[number] for number in sorted(results)]
    return [game.actions for game in games if game.actions is not None and len(game.actions)]
