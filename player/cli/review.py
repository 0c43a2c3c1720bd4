"""The command review; see `player.cli.commands`."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from player.cli.progress_bar import Meter
from player.cli.tables import print_table
from recorder.library.findings import Finding, leave_out, still_used, whole_game
from recorder.library.library import session_place
from recorder.library.review import review as look_through
from recorder.store.places import Place, on_this_computer
from recorder.store.session import Session
from recorder.system.texts import duration_text


def review(options: Namespace) -> int:
    """See the command's help."""
    places = [session_place(given, options.library) for given in options.sessions]
    if options.leave_out:
        for where in places:
            on_this_computer(where, "copy the session into a library with `twinplay pull` to leave something out")
    for where in places:
        session = Session.open(where)
        found = look_through(session)
        if options.policy is not None:
            found = (*found, *_disagreements(session, options))
        found = still_used(found, session.recorded_games, session.excluded_spans)
        grave = [finding for finding in found if finding.grave] if options.leave_out else []
        if grave:
            leave_out(session.path, grave)
        if options.json:
            facts = {"session": str(where), "findings": [finding.to_json() for finding in found]}
            print(json.dumps(facts | ({"left_out": len(grave)} if options.leave_out else {})))
            continue
        _tell(where, session, found)
        if options.leave_out:
            _tell_left_out(session, grave)
    return 0


def _disagreements(session: Session, options: Namespace) -> tuple[Finding, ...]:
    from trainer.evaluation.unseen_games import disagreeing

    found: tuple[Finding, ...] = ()
    with Meter("comparing", options.json) as meter:
        for step in disagreeing(session, options.policy):
            found = step.findings
            meter.show(step.done / max(1, step.total), f"{step.done:,} of {step.total:,} ticks")
    return found


def _tell(where: Place, session: Session, found: Sequence[Finding]) -> None:
    if not found:
        print(f"{where}: nothing is worth a look")
        return
    print(f"{where}: {len(found)} worth a look")
    table = Table("", "at", "game", "finding", box=None, pad_edge=False)
    for finding in sorted(found, key=lambda each: each.start):
        at = duration_text(finding.start / session.spec.rate_hz)
        table.add_row("!" if finding.grave else "", at, str(finding.game), finding.text)
    print_table(table)


def _tell_left_out(session: Session, grave: Sequence[Finding]) -> None:
    if not grave:
        print("Nothing was left out.")
        return
    games = session.recorded_games
    numbers = sorted({number for each in grave if (number := whole_game(each, games)) is not None})
    parts = [f"--include {each.start}-{each.stop}" for each in grave if whole_game(each, games) is None]
    undo = [*([f"--include-games {','.join(map(str, numbers))}"] if numbers else []), *parts]
    print(f"Left out of training: {len(grave)}. To undo: twinplay edit {_quoted(session.path)} {' '.join(undo)}")


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
