"""The command line: everything the app does, without a screen.

Nothing heavy is imported here: `player.commands` comes in once it is clear what is wanted.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

STUDY_NAMES = ("breakout", "reaction", "ablation", "article", "hopper", "expert")
EPILOG = "Exit status: 0 success, 1 failure, 2 a command that cannot be meant. `twinplay` alone opens the window."


class _Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows defaults, and keeps the examples' lines."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, False) else super()._get_help_string(action)


def _whole(text: str, low: int, high: int, what: str) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return int(text)


def _real(text: str, fits: Callable[[float], bool], what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not fits(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value


def _positive(text: str) -> int:
    return _whole(text, 1, 10**9, "a whole number above zero")


def _seed(text: str) -> int:
    return _whole(text, 0, 2**31 - 1, "a seed; give a whole number from 0 to 2147483647")


def _seconds(text: str) -> float:
    return _real(text, lambda value: 0 < value < 1e7, "a number of seconds above zero")


def _moment(text: str) -> float:
    return _real(text, lambda value: 0 <= value < 1e7, "a number of seconds from zero")


def _delays(text: str) -> tuple[int, ...]:
    return tuple(_whole(part, 0, 60, "a list of ticks from 0 to 60, such as 0,6,12") for part in text.split(","))


def _probability(text: str) -> float:
    return _real(text, lambda value: 0 <= value < 1, "a probability from 0 to below 1")


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="twinplay",
        description="Play a game. Click Train. Watch your twin play beside you.",
        epilog=EPILOG,
        formatter_class=_Formatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, summary: str, example: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=summary, description=summary, epilog=f"example:\n  {example}", formatter_class=_Formatter
        )

    def library(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--library", type=Path, metavar="DIR", help="folder of sessions (default: the app's own)")

    def as_json(sub: argparse.ArgumentParser, what: str) -> None:
        sub.add_argument("--json", action="store_true", help=f"print {what} as JSON")

    record = command(
        "record", "Record a player into a new session, at full speed.", "twinplay record breakout --episodes 5 --seed 1"
    )
    record.add_argument("env", metavar="ENV", help="breakout or hopper")
    record.add_argument("--player", default="scripted", help="scripted, random, or a policy file")
    record.add_argument(
        "--style", help="manner of the scripted Breakout player: prompt, slow, late, sloppy, left-handed"
    )
    length = record.add_mutually_exclusive_group()
    length.add_argument("--episodes", type=_positive, metavar="N", help="games to record (default: 5)")
    length.add_argument("--seconds", type=_seconds, metavar="S", help="seconds of play to record, instead of games")
    record.add_argument("--seed", type=_seed, default=0, help="seed of the games and of the player")
    library(record)
    as_json(record, "what was recorded")

    sessions = command("sessions", "List the sessions of a library.", "twinplay sessions --library recordings")
    library(sessions)
    as_json(sessions, "the list")

    verify = command(
        "verify",
        "Simulate sessions again and compare every tick, bit for bit.",
        "twinplay verify recordings/2026-11-21T10-14-03-breakout.zarr",
    )
    verify.add_argument("sessions", nargs="+", metavar="SESSION", help="a session's folder, or its name in the library")
    library(verify)
    as_json(verify, "the certificates")

    train = command(
        "train",
        "Clone the player of some sessions. Ctrl-C keeps the best so far.",
        "twinplay train recordings/*-breakout.zarr --out clone.safetensors",
    )
    train.add_argument("sessions", nargs="+", metavar="SESSION", help="a session's folder, or its name in the library")
    train.add_argument("--out", type=Path, required=True, metavar="POLICY", help="policy file to write (or replace)")
    train.add_argument("--preset", choices=("quick", "standard"), default="standard", help="how much to train")
    train.add_argument(
        "--network", help="nature or article64 for screens, mlp or lstm for vectors (default: the environment's)"
    )
    train.add_argument("--max-batches", type=_positive, metavar="N", help="budget in batches, instead of the preset's")
    train.add_argument("--max-seconds", type=_seconds, metavar="S", help="budget in seconds, instead of the preset's")
    train.add_argument(
        "--label-shifts",
        type=_delays,
        metavar="TICKS",
        help="predict the action that many ticks later; of several (0,6,12) play chooses one",
    )
    train.add_argument("--seed", type=_seed, default=0, help="seed of weights and batches")
    library(train)
    as_json(train, "each progress record on a line of its own")

    study = command(
        "study",
        "Train and score many clones to answer one question. Finished cells are not run again.",
        "twinplay study breakout --out studies --only prompt",
    )
    study.add_argument("name", choices=STUDY_NAMES, metavar="NAME", help=f"one of: {', '.join(STUDY_NAMES)}")
    study.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for sessions, clones and results")
    study.add_argument(
        "--only", default="", metavar="TEXT", help="only the rows with this in their name (of several, with commas)"
    )
    study.add_argument("--jobs", type=_positive, default=1, metavar="N", help="cells at a time, sharing the cores")
    study.add_argument("--max-batches", type=_positive, metavar="N", help="budget of every training, for a quick look")
    study.add_argument("--episodes", type=_positive, metavar="N", help="games of each player (default: the study's)")

    evaluate = command(
        "evaluate",
        "Score a clone over unseen starts, beside its demonstrator and a random player.",
        "twinplay evaluate clone.safetensors --episodes 30",
    )
    evaluate.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    evaluate.add_argument("--episodes", type=_positive, default=30, metavar="N", help="games of each player")
    evaluate.add_argument("--seed", type=_seed, default=0, help="seed of the starts")
    evaluate.add_argument(
        "--sticky", type=_probability, default=0.0, metavar="P", help="probability of a sticky action"
    )
    evaluate.add_argument(
        "--session", metavar="SESSION", help="whose player to compare with (default: those whom it learned from)"
    )
    library(evaluate)
    as_json(evaluate, "the report")

    drives = command(
        "drives",
        "What drives a clone of Hopper: how much each torque answers to each entry of the observation.",
        "twinplay drives clone.safetensors recordings/2026-11-21T10-14-03-hopper.zarr",
    )
    drives.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    drives.add_argument("session", metavar="SESSION", help="a session whose first game's observations are asked about")
    library(drives)
    as_json(drives, "the table")

    agreement = command(
        "agreement",
        "How often a clone would have done what was recorded, and where it differs most clearly.",
        "twinplay agreement recordings/2026-11-21T10-14-03-breakout.zarr clone.safetensors",
    )
    agreement.add_argument("session", metavar="SESSION", help="a session's folder, or its name in the library")
    agreement.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    agreement.add_argument("--episode", type=int, metavar="K", help="which game of the session (default: the best)")
    agreement.add_argument("--most", type=_positive, default=10, metavar="N", help="disagreements to print")
    library(agreement)
    as_json(agreement, "all of it")

    watch = command(
        "watch",
        "Show, or film, a recording and a clone, or two clones, side by side.",
        "twinplay watch recordings/2026-11-21T10-14-03-breakout.zarr clone.safetensors --video out.mp4",
    )
    watch.add_argument("files", nargs="+", metavar="SESSION POLICY", help="a session, a policy, or one of each")
    watch.add_argument("--against", type=Path, metavar="POLICY", help="a second policy, on the left, without a session")
    watch.add_argument(
        "--video", type=Path, metavar="OUT", help="write a film, OUT.mp4 or OUT.gif, instead of opening the window"
    )
    watch.add_argument("--episode", type=int, metavar="K", help="which game of the session (default: the best)")
    watch.add_argument("--from", dest="start", type=_moment, metavar="S", help="second at which the film begins")
    end = watch.add_mutually_exclusive_group()
    end.add_argument("--to", type=_seconds, metavar="S", help="second at which it ends (default: with the games)")
    end.add_argument("--seconds", type=_seconds, metavar="S", help="its length, instead of its end")
    watch.add_argument("--seed", type=_seed, default=0, help="seed of the clone, and of a game without a session")
    library(watch)

    demo = command(
        "demo", "Run the whole loop on scripted players, without a screen, and report.", "twinplay demo --out demo-out"
    )
    demo.add_argument(
        "--out", type=Path, default=Path("demo-out"), metavar="DIR", help="folder for everything it makes"
    )
    demo.add_argument("--quick", action="store_true", help="tiny budgets: shows the plumbing, not the play")

    app = command("app", "Open the window.", "twinplay app --library recordings")
    library(app)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status. Every failure is one sentence on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options = build_parser().parse_args(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    return guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    if options.command in (None, "app"):
        from player.app import open_app

        chosen = getattr(options, "library", None)
        return open_app(["--library", str(chosen)] if chosen else [])
    from player import commands, watch_commands

    room = watch_commands if options.command in ("watch", "agreement", "drives") else commands
    status: int = getattr(room, options.command)(options)
    sys.stdout.flush()
    return status


def guarded(action: Callable[[], int]) -> int:
    """Run `action`; turn every failure into one sentence on stderr and an exit status."""
    from recorder.errors import TwinplayError

    try:
        return action()
    except TwinplayError as error:
        print(f"twinplay: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("twinplay: interrupted; what was complete by then is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read us has left; without this, Python complains again while it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        with tempfile.NamedTemporaryFile("w", prefix="twinplay-", suffix=".log", delete=False) as log:
            traceback.print_exc(file=log)
        reason = (str(error).splitlines() or [""])[0]
        print(
            f"twinplay: an error nobody foresaw ({type(error).__name__}: {reason}); please report it with {log.name}",
            file=sys.stderr,
        )
        return 1
