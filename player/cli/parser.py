"""The commands and their options, for argparse."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path

PRESET_NAMES = ("quick", "standard", "best")
STUDY_NAMES = ("breakout", "reaction", "ablation", "article", "hopper", "expert")
ALIKE = "let the clone play like its demonstrator, not its best"
A_SESSION = "a session's folder or URL, or its name in the library"
SORTS = ("date", "title", "player", "games", "minutes", "mean", "best", "size")
MOMENT = re.compile(r"\d{1,9}|\d{1,7}(\.\d{1,3})?s|(\d{1,3}:)?\d{1,3}:\d{2}(\.\d{1,3})?")  # ticks, seconds, or a clock
EPILOG = (
    "Exit status: 0 success, 1 failure, 2 a command that cannot be meant, 128 and its number after a signal. "
    "`twinplay` alone opens the window."
)


class _Version(argparse.Action):
    """Prints the version; looking it up takes longer than all else here, so only who asks waits for it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"twinplay {version('twinplay')}")
        except PackageNotFoundError:
            print("twinplay, from source")
        parser.exit()


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


def _index(text: str) -> int:
    return _whole(text, 0, 10**9, "the number of a game, as `twinplay show` lists them")


def _indices(text: str) -> tuple[int, ...]:
    return tuple(_index(part) for part in text.split(","))


def _span(text: str) -> tuple[str, str]:
    first, dash, last = text.partition("-")
    if text != "all" and not (dash and all(MOMENT.fullmatch(part) for part in (first, last))):
        raise argparse.ArgumentTypeError(f"{text!r} is not a span; give one such as 10s-25s, 1:10-1:25 or 600-1500")
    return first, last


def _episodes(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, listed = text.rpartition("=")
    what = "a session and numbers of its episodes, such as 2026-11-21T10-14-03-breakout=0,2"
    if not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return name, tuple(_whole(part, 0, 10**6, what) for part in listed.split(","))


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
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and leave")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, summary: str, example: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=summary, description=summary, epilog=f"example:\n  {example}", formatter_class=_Formatter
        )

    def library(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--library", metavar="DIR", help="folder of sessions (default: the app's own)")

    def places(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--library", metavar="DIR", help="folder of sessions, or its URL (default: the app's own)")

    def as_json(sub: argparse.ArgumentParser, what: str) -> None:
        sub.add_argument("--json", action="store_true", help=f"print {what} as JSON")

    record = command(
        "record", "Record a player into a new session, at full speed.", "twinplay record breakout --episodes 5 --seed 1"
    )
    record.add_argument("env", metavar="ENV", help="an environment, as `twinplay envs` lists them")
    record.add_argument("--player", default="scripted", help="scripted, random, or a policy file")
    record.add_argument(
        "--style",
        help="manner of the scripted player: person, beginner, prompt, slow, late, sloppy or left-handed",
    )
    length = record.add_mutually_exclusive_group()
    length.add_argument("--episodes", type=_positive, metavar="N", help="games to record (default: 5)")
    length.add_argument("--seconds", type=_seconds, metavar="S", help="seconds of play to record, instead of games")
    record.add_argument("--seed", type=_seed, default=0, help="seed of the games and of the player")
    library(record)
    as_json(record, "what was recorded")

    envs = command("envs", "List the environments that can be recorded, and who can play each.", "twinplay envs")
    as_json(envs, "the list")

    env = command("env", "Add an environment of your own.", "twinplay env add pong.toml")
    adding = env.add_subparsers(dest="what", metavar="add", required=True).add_parser(
        "add", help="copy the file of an environment to where yours lie, checked", formatter_class=_Formatter
    )
    adding.add_argument("file", type=Path, metavar="FILE", help="what it is, as docs/environments.md says")

    sessions = command(
        "sessions", "List the sessions of a library.", "twinplay sessions --search serve --env breakout --sort best"
    )
    sessions.add_argument("--search", default="", metavar="WORDS", help="only those with all of these words")
    sessions.add_argument("--env", metavar="ENV", help="only those of this environment")
    sessions.add_argument("--player", metavar="KIND", help="only those played by a person, scripted, policy or random")
    sessions.add_argument("--sort", choices=SORTS, default="date", help="what to sort by")
    places(sessions)
    as_json(sessions, "the list")

    show = command("show", "Tell all about one session: its games, notes, timing and actions.", "twinplay show SESSION")
    show.add_argument("session", metavar="SESSION", help=A_SESSION)
    places(show)
    as_json(show, "it")

    edit = command(
        "edit",
        "Title, tag or note a session, or leave parts of it out of training; nothing that was recorded changes.",
        "twinplay edit SESSION --title 'Left hand' --tag slow --exclude-games 2,5 --exclude 10s-25s",
    )
    edit.add_argument("session", metavar="SESSION", help="a session's folder, or its name in the library")
    edit.add_argument("--title", metavar="TEXT", help="what to call it (nothing: its folder's name)")
    edit.add_argument("--notes", metavar="TEXT", help="what there is to say about it")
    edit.add_argument("--tag", action="append", metavar="WORD", help="add a tag; may be given several times")
    edit.add_argument("--untag", action="append", metavar="WORD", help="take a tag off")
    edit.add_argument("--exclude-games", type=_indices, metavar="K,…", help="leave these games out of training")
    edit.add_argument("--include-games", type=_indices, metavar="K,…", help="use these games in training again")
    edit.add_argument("--good", type=_indices, metavar="K,…", help="label these games as successes")
    edit.add_argument("--bad", type=_indices, metavar="K,…", help="label these games as failures")
    edit.add_argument("--unlabel", type=_indices, metavar="K,…", help="take the labels off these games")
    edit.add_argument(
        "--exclude",
        action="append",
        type=_span,
        metavar="FROM-TO",
        help="leave a span of the session out of training: 10s-25s, 1:10-1:25, or in ticks, 600-1500",
    )
    edit.add_argument("--include", action="append", type=_span, metavar="FROM-TO", help="use a span again; or: all")
    library(edit)

    merge = command(
        "merge", "Join sessions of one environment into a new one.", "twinplay merge SESSION SESSION --title 'Sunday'"
    )
    merge.add_argument("sessions", nargs="+", metavar="SESSION", help="a session's folder, or its name in the library")
    merge.add_argument("--title", default="", metavar="TEXT", help="what to call the new session")
    merge.add_argument("--trash", action="store_true", help="move the originals to the trash afterwards")
    library(merge)

    split = command("split", "Part a session in two, between two games.", "twinplay split SESSION --at 3")
    split.add_argument("session", metavar="SESSION", help="a session's folder, or its name in the library")
    split.add_argument(
        "--at", type=_index, required=True, metavar="K", help="the game that the second part begins with"
    )
    split.add_argument("--trash", action="store_true", help="move the original to the trash afterwards")
    library(split)

    trash = command(
        "trash",
        "Move sessions to the library's trash, list it, bring sessions back, or empty it.",
        "twinplay trash 2026-11-21T10-14-03-breakout",
    )
    trash.add_argument("sessions", nargs="*", metavar="SESSION", help="sessions to move there (none: list the trash)")
    what = trash.add_mutually_exclusive_group()
    what.add_argument("--restore", action="store_true", help="bring the named sessions back instead")
    what.add_argument("--empty", action="store_true", help="delete for good what lies there, after a question")
    trash.add_argument("--yes", action="store_true", help="do not ask before emptying it")
    library(trash)

    push = command(
        "push",
        "Copy sessions into another library: of a team, in the cloud, on another disk. What is there stays as it is.",
        "twinplay push recordings/*.zarr --to s3://bucket/team",
    )
    push.add_argument("sessions", nargs="+", metavar="SESSION", help=f"{A_SESSION}; or a whole library")
    push.add_argument("--to", required=True, metavar="URL", help="URL or folder of the library to copy them into")
    places(push)
    as_json(push, "where each session lies, a line each,")

    pull = command(
        "pull",
        "Copy sessions from a URL into a library on this computer. What is there stays as it is.",
        "twinplay pull s3://bucket/team --library recordings",
    )
    pull.add_argument("sessions", nargs="+", metavar="URL", help="URL or folder of a session, or of a whole library")
    library(pull)
    as_json(pull, "where each session lies, a line each,")

    verify = command(
        "verify",
        "Simulate sessions again and compare every tick, bit for bit.",
        "twinplay verify recordings/2026-11-21T10-14-03-breakout.zarr",
    )
    verify.add_argument("sessions", nargs="+", metavar="SESSION", help=A_SESSION)
    places(verify)
    as_json(verify, "the certificates")

    train = command(
        "train",
        "Clone the player of some sessions. Ctrl-C pauses and keeps the best so far.",
        "twinplay train recordings/*-breakout.zarr --out clone.safetensors",
    )
    train.add_argument("sessions", nargs="*", metavar="SESSION", help=A_SESSION)
    train.add_argument(
        "--out", type=Path, metavar="POLICY", help="policy file to write or replace (default: a new one in the library)"
    )
    train.add_argument("--preset", choices=PRESET_NAMES, default="standard", help="how much to train")
    train.add_argument("--network", help="keypoints, nature or article64 for screens, mlp or lstm for vectors")
    train.add_argument("--max-batches", type=_positive, metavar="N", help="budget in batches, instead of the preset's")
    train.add_argument("--max-seconds", type=_seconds, metavar="S", help="budget in seconds, instead of the preset's")
    train.add_argument(
        "--label-shifts",
        type=_delays,
        metavar="TICKS",
        help="play without a reaction time of that many ticks; of several (0,6,12) play chooses one",
    )
    train.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any other setting, such as learning_rate=5e-4"
    )
    train.add_argument(
        "--episodes",
        action="append",
        type=_episodes,
        default=[],
        metavar="SESSION=0,2",
        help="learn from these episodes of a session alone",
    )
    train.add_argument("--seed", type=_seed, default=0, help="seed of weights and batches")
    train.add_argument(
        "--resume", metavar="RUN", help="go on with a run that was paused, interrupted or failed (see: twinplay runs)"
    )
    train.add_argument(
        "--sessions",
        dest="moved_to",
        metavar="DIR",
        help="with --resume: the library that the run's sessions have moved to, where that is not the run's own",
    )
    train.add_argument("--no-run", action="store_true", help="leave no run behind: it cannot be resumed or compared")
    places(train)
    as_json(train, "each progress record on a line of its own")

    runs = command(
        "runs",
        "List the trainings of a library, or show, pause, stop or delete one.",
        "twinplay runs --library recordings",
    )
    runs.add_argument("run", nargs="?", metavar="RUN", help="show the settings and the log of this one")
    action = runs.add_mutually_exclusive_group()
    action.add_argument("--pause", action="store_true", help="ask it to pause; twinplay train --resume RUN goes on")
    action.add_argument("--stop", action="store_true", help="ask it to end, keeping the best so far")
    action.add_argument("--delete", action="store_true", help="move it to the trash of runs; its policy stays")
    library(runs)
    as_json(runs, "the list, or the run")

    policies = command(
        "policies",
        "List the clones of a library; rename, delete, bring back or import one.",
        "twinplay policies --library recordings",
    )
    change = policies.add_mutually_exclusive_group()
    change.add_argument("--rename", nargs=2, metavar=("NAME", "NEW"), help="give one another name")
    change.add_argument("--delete", metavar="NAME", help="move one to the trash of policies")
    change.add_argument("--restore", metavar="NAME", help="bring one back from the trash")
    change.add_argument("--import", dest="take_over", type=Path, metavar="FILE", help="copy a policy file in, checked")
    library(policies)
    as_json(policies, "the list")

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
    evaluate.add_argument("--alike", action="store_true", help=ALIKE)
    evaluate.add_argument(
        "--session", metavar="SESSION", help="whose player to compare with (default: those whom it learned from)"
    )
    places(evaluate)
    as_json(evaluate, "the report")

    drives = command(
        "drives",
        "What drives a clone that sees vectors: how much each torque answers to each entry of the observation.",
        "twinplay drives clone.safetensors recordings/2026-11-21T10-14-03-hopper.zarr",
    )
    drives.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    drives.add_argument("session", metavar="SESSION", help="a session whose first game's observations are asked about")
    places(drives)
    as_json(drives, "the table")

    agreement = command(
        "agreement",
        "How often a clone would have done what was recorded, and where it differs most clearly.",
        "twinplay agreement recordings/2026-11-21T10-14-03-breakout.zarr clone.safetensors",
    )
    agreement.add_argument("session", metavar="SESSION", help=A_SESSION)
    agreement.add_argument("policy", type=Path, metavar="POLICY", help="a policy file")
    agreement.add_argument("--episode", type=int, metavar="K", help="which game of the session (default: the best)")
    agreement.add_argument("--most", type=_positive, default=10, metavar="N", help="disagreements to print")
    places(agreement)
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
    watch.add_argument("--alike", action="store_true", help=ALIKE)
    watch.add_argument("--seed", type=_seed, default=0, help="seed of the clone, and of a game without a session")
    places(watch)

    demo = command(
        "demo", "Run the whole loop on scripted players, without a screen, and report.", "twinplay demo --out demo-out"
    )
    demo.add_argument(
        "--out", type=Path, default=Path("demo-out"), metavar="DIR", help="folder for everything it makes"
    )
    demo.add_argument("--quick", action="store_true", help="tiny budgets: shows the plumbing, not the play")

    sample = command(
        "sample",
        "Put a short scripted session and a clone into a library, to try training and watching with.",
        "twinplay sample --library recordings",
    )
    library(sample)
    as_json(sample, "where they are and what they are")

    diagnostics = command(
        "diagnostics", "Print what the report of a problem should hold; it does not name you.", "twinplay diagnostics"
    )
    library(diagnostics)

    app = command("app", "Open the window.", "twinplay app --library recordings")
    library(app)
    app.add_argument("--name", help="who plays, this time (default: as chosen in the window)")
    return parser
