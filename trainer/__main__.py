"""`python -m trainer SESSION... --out POLICY`: train without a run; `torchrun -m trainer …` uses several processes.

    torchrun --nproc-per-node 4 -m trainer SESSION... --out clone.safetensors
    torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29400 -m trainer …    on each of 2

    clone.safetensors    the best so far, replaced by better ones
    clone.checkpoint     until training is over: the same command resumes from it, with any number of processes

torchrun starts the processes, connects them, and restarts all when one is lost (--max-restarts); trainer.distributed
describes what they do. The first process reports for all of them.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recorder.errors import UsageError
from recorder.library.library import ensure_writable, session_place
from recorder.store.session import Session
from recorder.system.commands import guarded
from recorder.system.interrupts import SIGNALS, Noted, exit_status
from recorder.system.streams import parsed, prepare_streams
from trainer.data.subsets import ALL, SUBSETS
from trainer.policy.header import read_header
from trainer.presets import PRESETS
from trainer.progress.records import Progress, training_note
from trainer.settings import chosen_config, used_games

if TYPE_CHECKING:
    from trainer.distributed import ProcessGroup


def build_parser() -> argparse.ArgumentParser:
    """The options of `twinplay train`, except those about runs."""
    parser = argparse.ArgumentParser(
        prog="python -m trainer",
        description="Train a policy on recorded sessions, in one process or in all processes that torchrun starts. "
        "Ctrl-C keeps the best policy so far and a checkpoint; the same command continues from it.",
        epilog="example:\n  torchrun --nproc-per-node 4 -m trainer recordings/*-breakout.zarr --out clone.safetensors",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("sessions", nargs="+", metavar="SESSION", help="a session's folder or URL, or its name in the library")
    add("--out", type=Path, required=True, metavar="POLICY", help="policy file to create or replace")
    add("--from", dest="parent", type=Path, metavar="POLICY", help="go on from this policy instead of beginning anew")
    add("--preset", choices=tuple(PRESETS), default="standard", help="how much to train (default: standard)")
    add("--network", help="keypoints, nature or article64 for screens, mlp or lstm for vectors")
    add("--max-batches", type=int, metavar="N", help="budget in batches, instead of the preset's")
    add("--max-seconds", type=float, metavar="S", help="budget in seconds, instead of the preset's")
    add(
        "--label-shifts",
        type=_delays,
        metavar="TICKS",
        help="reaction time in ticks to remove from the labels; of several (0,6,12), test games choose the best",
    )
    add(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any other setting, such as learning_rate=5e-4"
    )
    add(
        "--games",
        action="append",
        type=_games,
        default=[],
        metavar="SESSION=1,3",
        help="learn from these games of a session alone",
    )
    add("--only", choices=tuple(SUBSETS), default=ALL, help="of their games: good (marked so), best-half (by score)")
    add("--seed", type=_seed, default=0, help="seed of the weights and batches (default: 0)")
    add(
        "--library",
        metavar="DIR",
        help="library folder or URL (default: $TWINPLAY_LIBRARY or your data folder)",
    )
    add("--json", action="store_true", help="print each progress record as JSON, one per line")
    return parser


def _numbers(text: str, what: str) -> tuple[int, ...]:
    if not all(part.isascii() and part.isdigit() for part in text.split(",")):
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return tuple(int(part) for part in text.split(","))


def _delays(text: str) -> tuple[int, ...]:
    return _numbers(text, "a list of ticks, such as 0,6,12")


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed; give a whole number, 0 or larger")
    return int(text)


def _games(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, listed = text.rpartition("=")
    return name, _numbers(listed, "a list of games, as in 2026-11-21T10-14-03-breakout=1,3")


def main(argv: Sequence[str] | None = None) -> int:
    """Train and return the exit status. With several processes, the first one reports an error in one sentence."""
    prepare_streams()
    first = os.environ.get("RANK", "0") == "0"
    with contextlib.ExitStack() as quiet:
        if not first:
            quiet.enter_context(contextlib.redirect_stderr(io.StringIO()))
            quiet.enter_context(contextlib.redirect_stdout(io.StringIO()))
        options = parsed(build_parser, argv)
    if isinstance(options, int):
        return options
    if not first:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends without a message
    return guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    from trainer.distributed import ToldElsewhereError, join  # torch comes with it

    try:
        group = join()
        if not group.first:
            # Ctrl-C reaches all processes; the first one closes the training and then ends the others.
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
        status = _train(options, group)
        group.leave()
        sys.stdout.flush()
        return status
    except ToldElsewhereError as error:
        return error.exit_status


def _train(options: argparse.Namespace, group: ProcessGroup) -> int:
    from trainer.learn.fit import fit

    out: Path = options.out
    with group.all_or_none():
        sessions = [Session.open(session_place(given, options.library)) for given in options.sessions]
        config = chosen_config(sessions[0].spec.name, options)
        used = used_games(sessions, options)
        if out.suffix != ".safetensors":
            raise UsageError(f"{out} must end in .safetensors")
        if group.first:
            ensure_writable(out.parent)
        if group.first and out.exists():
            read_header(out)  # only a policy may be replaced
    if group.first and used.left_out:
        print(f"left out: {used.left_out}", file=sys.stderr, flush=True)
    checkpoint = out.with_suffix(".checkpoint")
    steps = fit(
        sessions, config, out=out, episodes=used.episodes, checkpoint=checkpoint, parent=options.parent, group=group
    )
    last: Progress | None = None
    with contextlib.closing(steps), Noted() if group.first else contextlib.nullcontext() as signals:
        for progress in steps:
            news = last is None or (progress.stage, progress.val_loss) != (last.stage, last.val_loss)
            _tell(progress, options.json, news)
            if signals is not None:
                signals.holding = progress.stage not in ("load", "look")
            last = progress
            if signals is not None and signals.seen:
                steps.close()
                kept = f"; the best policy so far is {out}" if out.exists() else ""
                print(
                    f"twinplay: paused after {progress.batch:,} batches{kept}; run the same command again to continue",
                    file=sys.stderr,
                )
                return exit_status(signals.seen)
    if last is not None and not options.json:
        played = "" if last.score is None else f", mean score in test games {last.score:,.1f}"
        print(f"{out}: trained on {last.batch:,} batches in {last.seconds:.0f} s{played}")
    return 0


def _tell(progress: Progress, as_json: bool, news: bool) -> None:
    """Print a line for each change: on many machines nobody watches a progress bar."""
    if as_json:
        print(json.dumps(progress.to_json()), flush=True)
    elif progress.message or news:
        note = progress.message or training_note(progress)
        print(f"{progress.stage} {100 * progress.fraction:3.0f} %  {note}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
