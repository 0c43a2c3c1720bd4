"""The commands about trainings: train, runs and policies; see `player.cli.commands`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import textwrap
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table

from player.cli.commands import check_output, describe_player
from player.cli.progress_bar import Meter
from player.cli.tables import print_table
from recorder.errors import TwinplayError, UsageError
from recorder.library.copies import without_copies
from recorder.library.library import Library, session_place
from recorder.store.places import Place, on_this_computer, place
from recorder.store.session import Session
from recorder.system.interrupts import Noted, exit_status
from recorder.system.priority import give_way
from recorder.system.texts import local_time
from trainer.config import TrainConfig
from trainer.errors import PolicyError, RunError, TrainingError
from trainer.policy.header import facts, read_header
from trainer.progress.records import Progress, training_note
from trainer.runs.library_edits import rename_twin, trash_twin
from trainer.runs.policy_library import Policies, PolicySummary
from trainer.runs.runs import CHECKPOINT, Run, Runs, RunState
from trainer.runs.sources import relocate
from trainer.settings import chosen_config, listed, used_games


def train(options: Namespace) -> int:
    """See the command's help."""
    if options.list_settings:
        return _list_settings(options)
    give_way()
    if options.resume:
        if options.sessions or options.no_run or options.parent or options.tag or options.only != "all":
            raise UsageError(
                "--resume continues a run as it is; do not give sessions, --tag, --only, --from or --no-run with it"
            )
        library = Library(options.library).path
        return _follow(_resumed(Runs(library), options), Runs(library), options)
    if options.moved_to is not None:
        raise UsageError("--sessions says where the sessions of a run are now; it needs --resume RUN")
    if not options.sessions and not options.tag:
        raise UsageError("no session is given; give one, or a run to resume: --resume RUN")
    given = [session_place(each, options.library) for each in options.sessions]
    opened = [Session.open(each) for each in dict.fromkeys([*given, *_tagged(options)])]
    for other in opened[1:]:
        if differences := opened[0].spec.differences(other.spec):
            raise TrainingError(
                f"{opened[0].place} and {other.place} cannot be trained on together ({'; '.join(differences)}); "
                "choose sessions of one environment"
            )
    if options.out is not None:
        _checked_policy(options.out)
    config = chosen_config(opened[0].spec.name, options)
    used = used_games(opened, options)
    opened = [session for session in opened if used.episodes.get(session.name, (0,))] or opened
    runs, run = Runs(_home(opened[0], options)), None
    if not options.no_run:
        try:
            run = runs.create(
                opened,
                config,
                preset=options.preset,
                episodes=used.episodes,
                policy=options.out,
                parent=options.parent,
                left_out=used.left_out,
            )
        except TwinplayError as error:
            if options.out is None:
                raise
            print(f"twinplay: {error}; this training stores no run and cannot be resumed", file=sys.stderr)
    if used.left_out:
        print(f"left out: {used.left_out}", file=sys.stderr)
    if run is not None:
        return _follow(run, runs, options)
    if options.out is None:
        raise UsageError("a training without a run needs --out POLICY")
    return _show(_plain(opened, config, options, used.episodes), options.out, options.json)


def _tagged(options: Namespace) -> list[Place]:
    """The sessions of the library with all the given tags, the earliest first. Raises UsageError if there are none."""
    if not options.tag:
        return []
    library = Library(options.library)
    tags = {tag.casefold() for tag in options.tag}
    found = [row for row in library.sessions() if row.ticks and tags <= {tag.casefold() for tag in row.tags}]
    if not found:
        raise UsageError(
            f"{library.place} has no session with the tag {' and '.join(options.tag)}; "
            "`twinplay edit SESSION --tag WORD` gives it to one"
        )
    return [row.place for row in reversed(without_copies(found))]


def _list_settings(options: Namespace) -> int:
    env = Session.open(session_place(options.sessions[0], options.library)).spec.name if options.sessions else None
    found = listed(env, options.preset)
    if options.json:
        print(json.dumps([dict(zip(("name", "default", "limits", "meaning"), each, strict=True)) for each in found]))
        return 0
    for name, default, limits, meaning in found:
        print(
            f"{name}={default}\n    {limits}\n{textwrap.fill(meaning, initial_indent='    ', subsequent_indent='    ')}"
        )
    return 0


def _checked_policy(out: Path) -> Path:
    """A path where a policy can be written. Raises UsageError, LibraryError, and PolicyError for any other file."""
    check_output(out, ".safetensors")
    if out.exists():
        read_header(out)  # only a policy may be replaced
    return out


def _home(first: Session, options: Namespace) -> Path:
    """The library of a run: the one given, or the sessions' own.

    For sessions at a URL it is the default library. Raises UsageError if the library is a URL.
    """
    if options.library is None and isinstance(first.place, Path):
        return first.place.parent
    library = Library(None if options.no_run else options.library).place
    return on_this_computer(library, "give sessions by their URLs and a folder with --library, or add --no-run")


def _resumed(runs: Runs, options: Namespace) -> Run:
    """The run to resume, queued. Raises RunError if that fails, UsageError for a policy outside the library."""
    run = runs.get(options.resume)
    policy = None
    if run.policy is not None and run.policy.parent != Library(runs.library).policies:
        gone = not os.path.isdir(run.policy.parent)
        if gone and options.out is None:
            raise UsageError(f"the folder {run.policy.parent} of the run {run.id} no longer exists; give --out POLICY")
        if options.out is None or (not gone and options.out.resolve() != run.policy):
            raise UsageError(f"the run {run.id} saves its policy outside the library; add --out {run.policy}")
        if gone:
            policy = _checked_policy(options.out)
    elif options.out is not None:
        raise UsageError(f"the run {run.id} already saves its policy as {run.policy}; omit --out")
    runs.settle()
    if options.moved_to is not None or policy is not None:
        moved_to = None if options.moved_to is None else place(options.moved_to)
        relocate(runs, run.id, sessions=moved_to, policy=policy)
    runs.enqueue(run.id)
    return runs.get(run.id)


def _follow(run: Run, runs: Runs, options: Namespace) -> int:
    """Train a run in this process and print its progress; returns the exit status."""
    from trainer.runs.work import perform

    assert run.policy is not None
    with Noted() as noted:
        _show(perform(runs, run.id, noted), None, options.json)
    found = runs.get(run.id)
    if found.status.state is RunState.FAILED:
        raise TrainingError(found.status.reason)
    again = f"twinplay train --resume {run.id}" + (f" --library {runs.library}" if options.library is None else "")
    if found.status.state is RunState.PAUSED:
        kept = f"; the best policy so far is {run.policy}" if run.policy.exists() else ""
        print(
            f"twinplay: paused after {found.status.batches:,} batches{kept}; resume with: {again}",
            file=sys.stderr,
        )
        return exit_status(noted.seen or signal.SIGINT)
    if not options.json:
        _conclude(run.policy, found.status.batches, found.status.seconds, found.status.score)
    return 0


def _plain(sessions: list[Session], config: TrainConfig, options: Namespace, episodes: Any) -> Iterator[Progress]:
    """`trainer.fit`, which on Ctrl-C keeps the best policy so far before the interrupt is passed on."""
    from trainer.learn.fit import fit

    steps = fit(sessions, config, out=options.out, episodes=episodes, parent=options.parent)
    with contextlib.closing(steps):
        yield from steps


def _show(records: Iterator[Progress], out: Path | None, as_json: bool) -> int:
    last = None
    with Meter("training", as_json) as meter:
        for progress in records:
            last = progress
            if as_json:
                print(json.dumps(progress.to_json()), flush=True)
            if progress.message:
                meter.say(progress.message)
            meter.show(progress.fraction, training_note(progress), progress.stage)
    if out is not None and last is not None and not as_json:
        _conclude(out, last.batch, last.seconds, last.score)
    return 0


def _conclude(policy: Path, batches: int, seconds: float, score: float | None) -> None:
    count = facts(read_header(policy)).training.operations
    operations = "" if count is None else f" and {count:.2g} floating-point operations"
    played = "" if score is None else f", mean score in test games {score:,.1f}"
    print(f"{policy}: trained on {batches:,} batches in {seconds:.0f} s{operations}{played}")


def runs(options: Namespace) -> int:
    """See the command's help."""
    kept = Runs(Library(options.library).path)
    kept.settle()
    if options.run is None:
        if options.pause or options.stop or options.delete:
            raise UsageError("give the run; `twinplay runs` lists them")
        return _list_runs(kept, options.json)
    run = kept.get(options.run)
    if options.delete:
        print(f"moved to {kept.trash(run.id)}")
    elif options.pause or options.stop:
        kept.request(run.id, "pause" if options.pause else "stop")
        print(f"{run.id} is asked to {'pause' if options.pause else 'stop'}")
    elif options.json:
        print(json.dumps(_run_facts(run)))
    else:
        if run.setup is None:
            raise RunError(run.problem)
        print(f"{run.id}: {run.status.state.value}{': ' if run.status.reason else ''}{run.status.reason}")
        for source in run.setup.sources:
            print(f"  learns from {source.name} ({source.amount})")
        if run.setup.left_out:
            print(f"  left out: {run.setup.left_out}")
        print(f"  writes {run.policy}")
        print(f"  settings {json.dumps(run.setup.config.to_json())}")
        print(kept.read_log(run.id), end="")
    return 0


def _list_runs(kept: Runs, as_json: bool) -> int:
    found = kept.all()
    if as_json:
        print(json.dumps([_run_facts(run) for run in found]))
        return 0
    if not found:
        print(f"{kept.library} has no runs yet; `twinplay train SESSION` makes one")
        return 0
    table = Table("run", "state", "preset", "minutes", "batches", "loss", "accuracy", "score", box=None, pad_edge=False)
    for run in found:
        status = run.status
        table.add_row(
            run.id,
            status.state.value,
            run.setup.preset if run.setup else "",
            f"{status.seconds / 60:.1f}",
            f"{status.batches:,}",
            "" if status.val_loss is None else f"{status.val_loss:.4f}",
            "" if status.val_accuracy is None else f"{100 * status.val_accuracy:.1f} %",
            "" if status.score is None else f"{status.score:,.1f}",
        )
    print_table(table)
    for run in found:
        if run.problem or run.status.reason:
            print(run.problem or f"{run.id}: {run.status.reason}", file=sys.stderr)
    return 0


def _run_facts(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        **run.status.to_json(),
        "policy": None if run.policy is None else str(run.policy),
        "resumable": run.resumable,
        "checkpoint": (run.folder / CHECKPOINT).exists(),
        "setup": None if run.setup is None else run.setup.to_json(),
        "problem": run.problem,
    }


def policies(options: Namespace) -> int:
    """See the command's help."""
    library = Library(options.library).path
    kept, runs = Policies(library), Runs(library)
    if options.rename:
        old, new = options.rename
        print(rename_twin(runs, kept, old, lambda: kept.rename(old, new)))
    elif options.delete:
        print(f"moved to {trash_twin(runs, kept, options.delete)}; restore it with --restore {options.delete}")
    elif options.restore:
        name = options.restore.removesuffix(".safetensors")
        thrown = next((path for path in kept.trashed() if path.stem == name), None)
        if thrown is None:
            raise PolicyError(f"the trash has no policy named {name!r}")
        print(kept.restore(thrown))
    elif options.take_over:
        print(kept.take_over(options.take_over))
    else:
        _list_policies(kept.all(), kept.folder, options.json)
    return 0


def _list_policies(found: list[PolicySummary], folder: Path, as_json: bool) -> None:
    if as_json:
        print(json.dumps([_policy_facts(each) for each in found]))
        return
    if not found:
        print(f"{folder} has no policies yet; `twinplay train SESSION` makes one")
        return
    table = Table("policy", "game", "made", "score", "learned from", "minutes", "MB", box=None, pad_edge=False)
    for each in found:
        players = ", ".join(dict.fromkeys(describe_player(player) for player in each.players))
        score = "" if each.score is None else f"{each.score:,.1f}"
        megabytes = f"{each.size_bytes / 1e6:.1f}"
        table.add_row(
            each.name, each.env_title, local_time(each.created), score, players, f"{each.minutes:.1f}", megabytes
        )
    print_table(table)
    for each in found:
        if each.problem or each.note:
            print(each.problem or f"note: {each.note}", file=sys.stderr)


def _policy_facts(each: PolicySummary) -> dict[str, Any]:
    return {
        "name": each.name,
        "path": str(each.path),
        "env": each.env,
        "created": each.created,
        "score": each.score,
        "batches": each.batches,
        "seconds": each.seconds,
        "learned_from": each.learned_from,
        "players": each.players,
        "minutes": each.minutes,
        "run": each.run,
        "problem": each.problem,
        "note": each.note,
    }
