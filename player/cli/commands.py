"""The commands; `options` are the parsed arguments of `build_parser`."""

from __future__ import annotations

import contextlib
import json
import sys
from argparse import Namespace
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

from player.cli.progress_bar import Meter
from recorder.agents.agent import player_title
from recorder.errors import TwinplayError, UsageError
from recorder.library.library import Library, ensure_writable, session_place
from recorder.library.verify import verifying
from recorder.store.places import Place, on_this_computer
from recorder.store.session import Session


def session_path(given: str, library: Place | str | None) -> Path:
    """A session given as a path, or by its name in the library.

    Raises SessionError if there is none, UsageError for a URL.
    """
    return on_this_computer(session_place(given, library))


def check_output(path: Path, *suffixes: str) -> None:
    """Refuse a path that cannot be written, before any work is done. Raises UsageError or LibraryError."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file ending in {' or '.join(suffixes)}")
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: the folder {path.parent} does not exist; create it first")
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{path} must end in {' or '.join(suffixes)}")
    ensure_writable(path.parent)


def agreed(question: str, what: str) -> bool:
    """Ask on the terminal before something is lost; `what` says what needs it. Raises UsageError without a terminal."""
    if not sys.stdin.isatty():
        raise UsageError(f"{what} needs a confirmation, but there is no terminal; use --yes to confirm")
    return input(question).strip().lower() in ("y", "yes")


def may_write(path: Path, yes: bool) -> bool:
    """Whether a file may be written: it is new, or may be replaced (`yes`, or the user agrees). Raises UsageError."""
    if yes or not path.exists() or agreed(f"{path} exists. Replace it? (y/n) ", f"replacing {path}"):
        return True
    print("Nothing was written.")
    return False


def describe_player(player: dict[str, Any]) -> str:
    """The player with its kind, so that a scripted player is never taken for a person."""
    title = player_title(player)
    text = f"{player.get('kind', '?')} {player.get('name', '')}".strip()
    return f"{title}: {text}" if title else text


def verify(options: Namespace) -> int:
    """See the command's help."""
    failures = 0
    for given in options.sessions:
        path = session_place(given, options.library)
        certificate = None
        with Meter(f"verifying {path.name}", options.json) as meter:
            for step in verifying(Session.open(path)):
                certificate = step.certificate
                meter.show(step.ticks / max(1, step.total), f"{step.ticks:,} of {step.total:,} ticks")
        assert certificate is not None
        failures += not certificate.ok
        if options.json:
            facts = {"path": str(path), "ok": certificate.ok, "ticks": certificate.ticks}
            print(json.dumps({**facts, "difference": certificate.difference, "digest": certificate.digest}))
        elif certificate.ok:
            notes = "".join(f" ({note})" for note in certificate.notes)
            print(f"{path}: verified, {certificate.ticks:,} ticks bit for bit in {certificate.seconds:.1f} s{notes}")
        else:
            print(f"{path}: NOT verified: {certificate.difference}")
    if failures:
        print(f"twinplay: {failures} of {len(options.sessions)} sessions could not be verified", file=sys.stderr)
    return 1 if failures else 0


def study(options: Namespace) -> int:
    """See the command's help."""
    from player.report.figures import draw
    from trainer.studies.catalogue import STUDIES
    from trainer.studies.runner import run_study

    chosen = STUDIES[options.name]
    if options.episodes:
        chosen = replace(chosen, episodes=options.episodes)
    overrides = {"max_batches": options.max_batches} if options.max_batches else {}
    table: Path | None = None
    with (
        Meter(f"study {chosen.name}") as meter,
        contextlib.closing(
            run_study(chosen, options.out, jobs=options.jobs, only=options.only, overrides=overrides)
        ) as steps,
    ):
        for step in steps:
            table = step.table
            if step.message:
                meter.say(step.message)
            meter.show(step.done / step.total, f"{step.done} of {step.total} cells")
    assert table is not None
    print(table.read_text(encoding="utf-8"), end="")
    for figure in draw(chosen, table.parent):
        print(figure)
    return 0


def evaluate(options: Namespace) -> int:
    """See the command's help."""
    report: Any = None
    recording = None if options.session is None else session_place(options.session, options.library)
    with (
        Meter("evaluating", options.json) as meter,
        contextlib.closing(
            evaluation(options.policy, options.episodes, options.seed, options.sticky, recording, alike=options.alike)
        ) as steps,
    ):
        for step in steps:
            report = step.report
            meter.show(step.done / step.total, f"{step.done} of {step.total} games")
    if options.json:
        print(json.dumps(report.to_json()))
        return 0
    for row in report.rows:
        print(
            f"{row.label:<40} mean {row.mean:9,.1f}   95 % interval {row.low:9,.1f} to {row.high:9,.1f}   "
            f"{len(row.returns)} games, {row.distinct} distinct"
        )
    if report.ratio is not None:
        print(f"clone / demonstrator {report.ratio:.2f}")
    if report.likeness is not None:
        _print_likeness(report.likeness)
    for note in report.notes:
        print(f"note: {note}")
    return 0


def _print_likeness(likeness: Any) -> None:
    from rich.table import Table

    from player.cli.tables import print_table

    table = Table("habit", box=None, header_style="")
    for title in ("clone", "demonstrator", "difference between its halves"):
        table.add_column(title, justify="right")
    for habit in likeness.habits:
        table.add_row(habit.name, *(f"{value:,.2f}" for value in (habit.clone, habit.demonstrator, habit.spread)))
    print_table(table)
    print(likeness.sentence)


def evaluation(
    policy: Path,
    episodes: int,
    seed: int,
    sticky: float = 0.0,
    recording: Place | None = None,
    *,
    alike: bool = False,
) -> Generator[Any, None, None]:
    """`trainer.evaluate`."""
    from trainer.evaluation.evaluate import evaluate as run

    return run(policy, episodes=episodes, seed=seed, sticky=sticky, recording=recording, alike=alike)


def sample(options: Namespace) -> int:
    """See the command's help."""
    from player.support.sample import SAMPLE

    pair = SAMPLE.add(Library(options.library).path)
    if options.json:
        print(json.dumps({"session": str(pair.session), "policy": str(pair.policy), "about": SAMPLE.about}))
    else:
        print(f"{SAMPLE.sentence()}\n{pair.session}\n{pair.policy}")
    return 0


def doctor(options: Namespace) -> int:
    """See the command's help."""
    from player.support.diagnostics import diagnostics

    print(diagnostics(Library(options.library).path), end="")
    return 0


def demo(options: Namespace) -> int:
    """See the command's help."""
    from player.report.demo import run

    if options.out.exists() and not options.out.is_dir():
        raise UsageError(f"{options.out} is a file; give a folder for the results")
    ensure_writable(options.out)
    for line in run(options.out, quick=options.quick):
        print(line.text, flush=True)
        if line.failed:
            raise TwinplayError(line.failed)
    return 0
