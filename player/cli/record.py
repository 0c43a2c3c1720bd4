"""The commands that record: record and practice; `options` are the parsed arguments of `build_parser`."""

from __future__ import annotations

import contextlib
import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from player.cli.argument_types import moment_tick
from player.cli.commands import describe_player
from player.cli.progress_bar import Meter
from player.cli.tables import print_table
from recorder.agents.agent import Agent, RandomAgent
from recorder.agents.experts import scripted
from recorder.envs.registry import get_spec
from recorder.envs.spec import EnvSpec
from recorder.errors import UsageError
from recorder.library.forks import fork_at, fork_of
from recorder.library.library import Library, session_place
from recorder.library.practice import PracticePoint, forks_of, practice_points
from recorder.play.fork import Fork
from recorder.recording.headless import recording
from recorder.store.session import Session
from recorder.system.texts import count, duration_text
from trainer.errors import PolicyError


def record(options: Namespace) -> int:
    """See the command's help."""
    forks = _forks(options)
    if not forks and options.env is None:
        raise UsageError("name an environment, or a session to play on from: --from SESSION --at 1:23")
    spec = forks[0].spec if forks else get_spec(options.env)
    if options.env not in (None, spec.name):
        raise UsageError(f"{options.origin} is a session of {spec.title}, not of {options.env}; omit the environment")
    agent, frame_skip = _player(options, spec)
    games = options.episodes if options.episodes or options.seconds or forks else 5
    session = _record(options, spec, agent, forks, games=games, seconds=options.seconds, frame_skip=frame_skip)
    return _tell(session, options.json)


def practice(options: Namespace) -> int:
    """See the command's help."""
    session = Session.open(session_place(options.session, options.library))
    more: list[PracticePoint] = []
    if options.policy is not None:
        from trainer.evaluation.weak_spots import weak_spots

        more = weak_spots(session, options.policy, most=options.most, before_s=options.before)
    points = practice_points(session, before_s=options.before, more=more)
    if options.game is not None:
        points = [point for point in points if point.game == session.game(options.game).number]
    if options.player is None:
        _list(session, points, options.json)
        return 0
    forks = forks_of(session, points)
    agent, _ = _player(options, forks[0].spec)
    return _tell(_record(options, forks[0].spec, agent, forks, seconds=options.seconds), options.json)


def _forks(options: Namespace) -> list[Fork]:
    """The moment to play on from, if one is given."""
    if options.origin is None:
        if options.at is not None or options.game is not None:
            raise UsageError("--at and --game say where in a session to play on; they need --from SESSION")
        return []
    if options.at is None:
        raise UsageError("--from needs the moment to play on from, such as --at 1:23")
    if options.frame_skip is not None:
        raise UsageError("--frame-skip is that of the session to play on from; omit it")
    session = Session.open(session_place(options.origin, options.library))
    tick = moment_tick(options.at, session.spec.rate_hz)
    return [fork_at(session, tick) if options.game is None else fork_of(session, session.game(options.game), tick)]


def _player(options: Namespace, spec: EnvSpec) -> tuple[Agent, int | None]:
    """Who plays, and with which frame skip, if not the environment's own."""
    style, frame_skip = getattr(options, "style", None), getattr(options, "frame_skip", None)
    if style is not None and options.player != "scripted":
        raise UsageError("--style works only with the scripted player; omit it, or use --player scripted")
    if options.player == "scripted":
        return scripted(spec.name, options.seed, style=style), frame_skip
    if options.player == "random":
        return RandomAgent(spec, options.seed), frame_skip
    if not Path(options.player).exists():
        raise UsageError(f"--player {options.player} is neither scripted, nor random, nor a policy file")
    from trainer.policy.policy import Policy

    policy = Policy.load(options.player, seed=options.seed)
    if policy.spec.name != spec.name:
        raise PolicyError(f"{options.player} plays {policy.spec.title}, not {spec.title}; choose another policy")
    own = policy.spec.frame_skip
    given = spec.frame_skip if getattr(options, "origin", None) is not None else frame_skip
    if given not in (None, own):
        raise PolicyError(f"{options.player} plays with a frame skip of {own}, not {given}")
    return policy, own


def _record(
    options: Namespace,
    spec: EnvSpec,
    agent: Agent,
    forks: Sequence[Fork],
    *,
    games: int | None = None,
    seconds: float | None = None,
    frame_skip: int | None = None,
) -> Session:
    session: Session | None = None
    steps = recording(
        spec.name,
        agent,
        library=Library(options.library).place,
        episodes=games,
        seconds=seconds,
        seed=options.seed,
        frame_skip=frame_skip,
        forks=forks,
    )
    with Meter(f"recording {spec.title}", options.json) as meter, contextlib.closing(steps):
        for step in steps:
            session = step.session
            meter.show(
                step.fraction, f"{step.ticks:,} ticks, {count(step.episodes, 'game')}, {step.ticks_per_second:,.0f}/s"
            )
    assert session is not None
    return session


def _tell(session: Session, as_json: bool) -> int:
    scores = session.scores
    if as_json:
        facts = {"path": str(session.path), "ticks": len(session), "scores": scores, "player": session.player}
        print(json.dumps(facts))
    else:
        print(
            f"{session.path}: {len(session):,} ticks in {count(len(scores), 'game')}, "
            f"played by {describe_player(session.player)}, "
            f"mean score {sum(scores) / len(scores):,.1f}, {session.size_bytes / len(session):.0f} bytes per tick"
        )
    return 0


def _list(session: Session, points: Sequence[PracticePoint], as_json: bool) -> None:
    rate = session.spec.rate_hz
    if as_json:
        rows: list[dict[str, Any]] = [vars(point) | {"seconds": point.start / rate} for point in points]
        print(json.dumps({"session": str(session.place), "points": rows}))
        return
    table = Table("game", "from", "to", "what happened", box=None, pad_edge=False)
    for point in points:
        begins, happens = (duration_text(tick / rate) for tick in (point.start, point.tick))
        table.add_row(str(point.game), begins, happens, point.why)
    print_table(table)
    if not points:
        print("No practice points: no lost life, and nothing marked or excluded.")
