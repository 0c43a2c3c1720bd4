"""How well a clone plays: many games from unseen starts, compared with its demonstrator and a random player.

    seeds ─▶ games in parallel processes ─▶ returns ─▶ mean and bootstrap interval over distinct games

Starts are varied as `recorder.envs.game.Game.reset` describes. Recordings begin at the plain start, so no training saw
these starts. A game ends by its own rules, at the environment's limit, or after too long without a point; the clone has
to serve by itself.

Only the processes that play a clone's games import torch, and those of the others come first: loading torch takes
seconds.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recorder.agents.agent import Agent, RandomAgent
from recorder.agents.experts import from_description
from recorder.envs.game import Game
from recorder.envs.registry import simulator_notes, stored_spec
from recorder.envs.spec import EnvSpec
from recorder.errors import UsageError
from recorder.store.places import Place
from recorder.store.session import Session
from recorder.system.cores import available_cores
from recorder.system.jobs import run_parallel
from trainer.evaluation.agreement import refuse_mismatch
from trainer.evaluation.demonstrator import Demonstrator
from trainer.evaluation.likeness import Actions, Likeness
from trainer.evaluation.scores import EvalProgress, EvalReport, GameResult, Score, in_order
from trainer.evaluation.table import Table, evaluation_seed
from trainer.policy.header import read_playable

if TYPE_CHECKING:
    from trainer.policy.action_selection import ActionSelection  # torch comes with it

PLAYERS = ("clone", "demonstrator", "random")

_GAMES_AT_ONCE = 8
_Results = dict[str, dict[int, GameResult]]  # by player and number of the game


def play_games(
    player: str,
    seeds: Sequence[int],
    policy_path: str,
    description: dict[str, Any] | None,
    sticky: float,
    selection: ActionSelection | None = None,
    alike: bool = False,
    *,
    spec: EnvSpec,
) -> Iterator[dict[int, GameResult]]:
    """Play games of one player, one per seed, in this process; worker processes run this function.

    Yields the results of the games that have ended since, by the number of their seed.
    """
    if player == "clone":
        from trainer.evaluation.games import play_clone  # torch comes with it

        yield from play_clone(policy_path, seeds, sticky=sticky, selection=selection, alike=alike)
        return
    with contextlib.closing(Game(spec, sticky=sticky)) as game:
        for number, seed in enumerate(seeds):
            agent: Agent = RandomAgent(spec, seed)
            if player == "demonstrator":
                assert description is not None
                agent = from_description(description, seed)
            table = Table(game, agent, seed, None)
            while table.playing:
                table.tick()
            yield {number: table.result()}


def play_timed(**arguments: Any) -> Iterator[tuple[dict[int, GameResult], float]]:
    """What `play_games` yields, and the seconds that it has taken so far."""
    began = time.monotonic()
    for results in play_games(**arguments):
        if results:
            yield results, time.monotonic() - began


def evaluate(
    policy: Path | str,
    *,
    episodes: int = 30,
    seed: int = 0,
    sticky: float = 0.0,
    players: Sequence[str] = PLAYERS,
    selection: ActionSelection | None = None,
    alike: bool = False,
    processes: int | None = None,
    recording: Session | Place | str | None = None,
) -> Generator[EvalProgress, None, None]:
    """Play `episodes` games of the clone, its demonstrator and a random player from the same unseen starts.

    The clone plays its best, with `alike` like its demonstrator, or as `selection` says. A demonstrator
    that cannot play again (a person, or several players) is represented by the recorded games, and labelled so. With a
    `recording`, its player is the demonstrator, and the recorded games are its games.

    Raises PolicyError for an unreadable policy or one for another environment than the recording's, SessionError for an
    unreadable recording, and UsageError for a number of games below one.
    """
    if episodes < 1:
        raise UsageError(f"nothing to evaluate: {episodes} episodes")
    path, name = str(policy), Path(policy).stem
    header = read_playable(Path(policy), alike=alike)
    spec = stored_spec(header["env"])
    notes = simulator_notes({name: spec})
    if recording is None:
        demonstrator = Demonstrator.of_policy(header)
    else:
        session = recording if isinstance(recording, Session) else Session.open(recording)
        refuse_mismatch(session, spec, path)
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
        "selection": selection,
        "alike": alike,
        "spec": spec,
    }
    seeds = [evaluation_seed(seed, k) for k in range(episodes)]
    clone = f"clone {name}{', like its player' if alike else ''}"
    labels = {"clone": clone, "demonstrator": demonstrator.label, "random": "random player"}
    workers = processes or available_cores()
    results = yield from _playing(played, seeds, labels, tuple(rows.values()), arguments, workers)
    for player in played:
        rows[player] = Score.of(player, labels[player], in_order(results[player]))
    likeness = _likeness(results, demonstrator, spec)
    ordered = tuple(rows[player] for player in PLAYERS if player in rows)
    report = EvalReport(path, spec.name, episodes, seed, sticky, ordered, notes, likeness)
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
        # A clone's games of one task share a forward pass: with half as many games it is a fifth slower. But there are
        # several tasks, so that figures come early.
        groups = min(len(seeds), max(2 * workers, -(-len(seeds) // _GAMES_AT_ONCE)))
        tasks += [(player, range(g, len(seeds), groups)) for g in range(groups)]
    # The players take turns, and the random player's short games come first.
    tasks.sort(key=lambda task: (task[1].start, -PLAYERS.index(task[0])))
    results: _Results = {player: {} for player in players}
    spent = [0.0] * len(tasks)  # seconds
    total = len(players) * len(seeds)
    yield EvalProgress(0, total, rows=recorded)
    jobs = [{"player": player, "seeds": [seeds[k] for k in games], **arguments} for player, games in tasks]
    with contextlib.closing(_outcomes(jobs, workers)) as played_games:
        for index, (outcome, seconds) in played_games:
            player, games = tasks[index]
            results[player] |= {games[number]: result for number, result in outcome.items()}
            spent[index] = seconds
            rows = recorded + tuple(
                Score.of(each, labels[each], in_order(found)) for each, found in results.items() if found
            )
            whole = _expected_s(tasks, spent, results, len(seeds))
            left = sum(whole.values()) - sum(spent) if len(whole) == len(players) else None
            yield EvalProgress(
                sum(map(len, results.values())),
                total,
                rows=rows,
                left_s=None if left is None else max(0.0, left) / workers,
                clone_s=whole["clone"] / workers if "clone" in whole else None,
            )
    return results


def _expected_s(
    tasks: Sequence[tuple[str, range]], spent: Sequence[float], results: _Results, games: int
) -> dict[str, float]:
    """About how long all games of each player take on one core, told from its finished tasks; absent if it has none."""
    expected: dict[str, float] = {}
    for player, found in results.items():
        over = [
            (len(numbers), seconds)
            for (who, numbers), seconds in zip(tasks, spent, strict=True)
            if who == player and all(number in found for number in numbers)
        ]
        if over:
            expected[player] = games * sum(seconds for _, seconds in over) / sum(count for count, _ in over)
    return expected


def _outcomes(jobs: Sequence[dict[str, Any]], workers: int) -> Generator[tuple[int, Any], None, None]:
    """Each job's index and what its `play_timed` yields, as it comes."""
    if workers == 1 and "torch" in sys.modules:  # another process would be no faster, and would load torch again
        yield from ((index, played) for index, job in enumerate(jobs) for played in play_timed(**job))
    else:
        yield from run_parallel("trainer.evaluation.evaluate:play_timed", jobs, workers)


def _likeness(results: _Results, demonstrator: Demonstrator, spec: EnvSpec) -> Likeness | None:
    """How much the clone played like its demonstrator; None if the actions of one of them are not known."""
    done_by_clone = _actions(results.get("clone", {}))
    done_by_it = demonstrator.actions or _actions(results.get("demonstrator", {}))
    return Likeness.of(done_by_clone, done_by_it, spec) if done_by_clone and done_by_it else None


def _actions(results: Mapping[int, GameResult]) -> list[Actions]:
    """The actions in the order of the games, not in the order in which they finished, since halves are compared."""
    games = in_order(results)
    return [game.actions for game in games if game.actions is not None and len(game.actions)]
