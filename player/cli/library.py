"""The commands that manage a library; `options` are the parsed arguments of `build_parser`."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

from rich.table import Table

from player.cli.argument_types import moment_tick
from player.cli.commands import agreed, check_output, describe_player, may_write, session_path
from player.cli.progress_bar import Meter
from player.cli.tables import print_table
from recorder.envs.registry import get_spec
from recorder.errors import SessionError, UsageError
from recorder.library.edits import edit as change
from recorder.library.edits import of_games, without
from recorder.library.library import Library, session_place
from recorder.library.merging import ReshapeProgress, merging, splitting
from recorder.library.session_summary import SessionSummary, matches, sort_key, summarize
from recorder.library.tables import TableProgress, writing_table
from recorder.store.episode_table import RecordedGame
from recorder.store.origin import origins_of_forks
from recorder.store.places import place
from recorder.store.session import Session
from recorder.system.texts import clock, count


def sessions(options: Namespace) -> int:
    """See the command's help."""
    library = Library(options.library)
    everything = library.sessions()
    if options.env is not None:
        get_spec(options.env)  # refuses a name that no environment has
    found = [
        row
        for row in everything
        if matches(row, options.search)
        and options.env in (None, row.env)
        and options.player in (None, row.player.get("kind"))
    ]
    found.sort(key=lambda row: sort_key(row, options.sort), reverse=options.sort not in ("title", "player"))
    if options.csv is not None:
        return _write_table(options, found)
    if options.games:
        raise UsageError("--games says what is in the rows of a table; give --csv FILE with it")
    if options.json:
        print(json.dumps([_facts(row) for row in found]))
        return 0
    if not found:
        wanted = "none of them match; omit --search, --env or --player to see them"
        print(
            f"{library.place} has {len(everything)} sessions, but {wanted}"
            if everything
            else f"{library.place} has no sessions yet; `twinplay record` makes one"
        )
        return 0
    names = ("session", "player", "state", "games", "minutes", "mean", "best", "MB", "verified", "clock", "title, tags")
    table = Table(*names, box=None, pad_edge=False)
    for row in found:
        mean, best = row.mean_score, row.best_score
        table.add_row(
            row.name,
            describe_player(row.player),
            row.state,
            str(row.episodes),
            f"{row.seconds / 60:.1f}",
            "" if mean is None else f"{mean:,.1f}",
            "" if best is None else f"{best:,.0f}",
            f"{row.size_bytes / 1e6:.1f}",
            "✓" if row.verified else "",
            _clock_words(row),
            " ".join((row.title, *(f"#{tag}" for tag in row.tags))).strip(),
        )
    print_table(table)
    for row in found:
        if row.problem:
            print(row.problem, file=sys.stderr)
    return 0


def _clock_words(row: SessionSummary) -> str:
    timing = "" if row.timing is None else f"{row.timing.rate_hz:.2f} Hz, {row.timing.late_ticks:,} late"
    return timing if row.latency is None else f"{timing}, keys {row.latency.picture_p50_ms:.1f} ms"


def _write_table(options: Namespace, found: list[SessionSummary]) -> int:
    file: Path = options.csv
    if options.json:
        raise UsageError("choose one of --json and --csv")
    check_output(file, ".csv")
    if not may_write(file, options.yes):
        return 0
    last: TableProgress | None = None
    with Meter("writing the table") as meter:
        for last in writing_table(file, found, games=options.games):
            meter.show(last.done / max(1, last.total), f"{last.done:,} of {count(last.total, 'session')}")
    assert last is not None
    print(
        f"{file}: {count(last.rows, 'game')} of {count(last.total, 'session')}"
        if options.games
        else f"{file}: {count(last.rows, 'session')}"
    )
    for problem in last.left_out:
        print(f"left out: {problem}", file=sys.stderr)
    return 0


def _facts(row: SessionSummary) -> dict[str, Any]:
    return {
        "path": str(row.place),
        "title": row.title,
        "notes": row.notes,
        "tags": row.tags,
        "labels": dict(row.labels),
        "env": row.env,
        "player": row.player,
        "created": row.created,
        "state": row.state,
        "ticks": row.ticks,
        "learn_ticks": row.learn_ticks,
        "seconds": row.seconds,
        "scores": row.total_rewards,
        "bytes": row.size_bytes,
        "timing": None if row.timing is None else row.timing.to_json(),
        "latency": None if row.latency is None else row.latency.to_json(),
        "verified": row.verified,
        "problem": row.problem,
    }


def show(options: Namespace) -> int:
    """See the command's help."""
    where = session_place(options.session, options.library)
    session = Session.open(where)
    summary = summarize(where)
    if summary.state == "unreadable":
        raise SessionError(summary.problem)
    if options.json:
        games = [
            {
                "game": game.number,
                "start": game.start,
                "stop": game.stop,
                "ticks": game.ticks,
                "score": game.score,
                "outcome": game.outcome,
                "label": game.label,
                "excluded": game.excluded,
                "learn_ticks": _learn_ticks(session, game),
            }
            for game in session.recorded_games
        ]
        spans = [[span.start, span.stop] for span in session.excluded_spans]
        print(json.dumps(_facts(summary) | {"episodes": games, "excluded_spans": spans}))
        return 0
    _describe(session, summary)
    table = Table("game", "from", "time", "score", "ended by", "label", "training", box=None, pad_edge=False)
    for game in session.recorded_games:
        kept = _learn_ticks(session, game)
        used = "left out" if not kept else "" if kept == game.ticks else f"{clock(kept / session.spec.rate_hz)} of it"
        table.add_row(
            str(game.number),
            clock(game.start / session.spec.rate_hz),
            clock(game.ticks / session.spec.rate_hz),
            f"{game.score:,.0f}",
            game.outcome,
            game.label,
            used,
        )
    print_table(table)
    return 0


def edit(options: Namespace) -> int:
    """See the command's help."""
    path = session_path(options.session, options.library)
    session = Session.open(path)
    excluded = dict.fromkeys(options.exclude_games or (), True) | dict.fromkeys(options.include_games or (), False)
    labels = dict.fromkeys(options.good or (), "success") | dict.fromkeys(options.bad or (), "failure")
    labels |= dict.fromkeys(options.unlabel or (), "")
    given = (options.title, options.notes, options.tag, options.untag, options.exclude, options.include)
    if all(option is None for option in given) and not excluded and not labels:
        raise UsageError("no change is given; `twinplay edit --help` lists the options")
    spans: list[range] | None = None
    if options.exclude or options.include:
        everything = range(len(session))
        fresh = any(first == "all" for first, _ in options.include or ())
        spans = [] if fresh else list(session.excluded_spans)
        for span in options.include or ():
            spans = without(spans, _ticks(span, session, everything))
        spans += [_ticks(span, session, everything) for span in options.exclude or ()]
    tags = [tag for tag in (*session.tags, *(options.tag or ())) if tag not in (options.untag or ())]
    changed = change(
        path,
        title=options.title,
        notes=options.notes,
        tags=tags if options.tag or options.untag else None,
        excluded=of_games(session, excluded),
        labels=of_games(session, labels, undone=True),
        spans=spans,
    )
    _describe(changed, summarize(path))
    return 0


def merge(options: Namespace) -> int:
    """See the command's help."""
    paths = [session_path(given, options.library) for given in options.sessions]
    made = _make(merging(paths, _home(paths[0], options), title=options.title), "merging")
    print(f"{made[0]}: {len(Session.open(made[0])):,} ticks of {len(paths)} sessions")
    _trash_originals(paths, options)
    return 0


def split(options: Namespace) -> int:
    """See the command's help."""
    path = session_path(options.session, options.library)
    for made in _make(splitting(path, options.at, _home(path, options)), "splitting"):
        session = Session.open(made)
        print(f"{made}: {len(session):,} ticks, {count(len(session.scores), 'game')}")
    _trash_originals([path], options)
    return 0


def trash(options: Namespace) -> int:
    """See the command's help."""
    library = Library(options.library)
    lying = library.trashed()
    if options.empty:
        if options.sessions:
            raise UsageError("--empty deletes the whole trash; do not give sessions with it")
        size = sum(each.size_bytes for each in lying) / 1e6
        question = f"Permanently delete {count(len(lying), 'session')} ({size:.1f} MB)? [y/N] "
        if lying and not options.yes and not agreed(question, "emptying the trash"):
            print("Nothing was deleted.")
            return 0
        deleted, size_bytes = library.empty_trash()
        print(f"Deleted {count(deleted, 'session')}, {size_bytes / 1e6:.1f} MB.")
        return 0
    if options.restore:
        by_name = {each.name: each for each in lying}
        if not options.sessions:
            raise UsageError("name the sessions to restore; `twinplay trash` lists them")
        for given in options.sessions:
            name = place(given).name.removesuffix(".zarr")
            if name not in by_name:
                raise SessionError(f"{name} is not in the trash of {library.path}; `twinplay trash` lists the trash")
            print(f"{library.restore(by_name[name].path)}: restored")
        return 0
    for path in [session_path(given, options.library) for given in options.sessions]:
        print(
            f"{Library(path.parent).trash(path.name)}: in the trash; `twinplay trash --restore {path.stem}` undoes it"
        )
    if not options.sessions:
        for each in lying:
            print(f"{each.name}  {each.size_bytes / 1e6:.1f} MB")
        if not lying:
            print(f"The trash of {library.path} is empty.")
    return 0


def _learn_ticks(session: Session, game: RecordedGame) -> int:
    return sum(len(part) for episode in game.segments for part in session.to_learn(episode))


def _describe(session: Session, summary: SessionSummary) -> None:
    kept, whole = summary.learn_ticks, max(1, len(session))
    lines = [str(session.place)]
    lines.append(f"{session.spec.title}, played by {describe_player(session.player)}, {summary.created}")
    lines += [f"title: {session.title}"] if session.title else []
    lines += [f"tags: {', '.join(session.tags)}"] if session.tags else []
    lines += [f"notes: {session.notes}"] if session.notes else []
    lines.append(
        f"{count(summary.episodes, 'game')}, {clock(len(session) / session.spec.rate_hz)}; "
        f"{clock(kept / session.spec.rate_hz)} ({100 * kept / whole:.0f} %) used in training"
    )
    origins = origins_of_forks(session.attributes, session.recorded_games)
    lines += [f"game {number} plays on from {each.told(session.spec.rate_hz)}" for number, each in origins.items()]
    spans = ", ".join(
        f"{clock(s.start / session.spec.rate_hz)}-{clock(s.stop / session.spec.rate_hz)}"
        for s in session.excluded_spans
    )
    lines += [f"excluded: {spans}"] if spans else []
    lines += [f"timing: {summary.timing}"] if summary.timing is not None else []
    lines += [f"key to picture: {summary.latency}"] if summary.latency is not None else []
    print("\n".join(lines))


def _make(steps: Generator[ReshapeProgress, None, None], title: str) -> tuple[Path, ...]:
    made: tuple[Path, ...] = ()
    with Meter(title) as meter:
        for step in steps:
            made = step.made
            if step.note:
                meter.say(f"note: {step.note}")
            meter.show(step.ticks / max(1, step.total), f"{step.ticks:,} of {step.total:,} ticks")
    return made


def _home(path: Path, options: Namespace) -> Path:
    """The library for a new session: the one given, or the original session's."""
    return Library(options.library).path if options.library is not None else path.parent


def _trash_originals(paths: Iterable[Path], options: Namespace) -> None:
    for path in paths if options.trash else ():
        print(f"{Library(path.parent).trash(path.name)}: in the trash")


def _ticks(span: tuple[str, str], session: Session, everything: range) -> range:
    if span[0] == "all":
        return everything
    start, stop = (moment_tick(text, session.spec.rate_hz) for text in span)
    if not start < stop <= len(session):
        raise UsageError(
            f"{'-'.join(span)} is not a valid span of {session.path}, which has {len(session):,} ticks "
            f"({clock(len(session) / session.spec.rate_hz)})"
        )
    return range(start, stop)
