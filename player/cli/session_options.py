"""The commands on sessions and their options, for argparse."""

from __future__ import annotations

from pathlib import Path

from player.cli.argument_types import index, indices, positive, seconds, seed, span
from player.cli.shared_options import A_SESSION, AddCommand, HelpFormatter, as_json, library, places

SORTS = ("date", "title", "player", "games", "minutes", "mean", "best", "size")


def add_recording(add: AddCommand) -> None:
    """record, envs, env: record, and list and add what can be recorded."""
    record = add(
        "record", "Record a player into a new session, at full speed.", "twinplay record breakout --episodes 5 --seed 1"
    )
    record.add_argument("env", metavar="ENV", help="an environment, as `twinplay envs` lists them")
    record.add_argument("--player", default="scripted", help="scripted, random, or a policy file")
    record.add_argument(
        "--style",
        help="manner of the scripted player: person, beginner, prompt, slow, late, sloppy or left-handed",
    )
    length = record.add_mutually_exclusive_group()
    length.add_argument("--episodes", type=positive, metavar="N", help="games to record (default: 5)")
    length.add_argument("--seconds", type=seconds, metavar="S", help="seconds of play to record, instead of games")
    record.add_argument("--seed", type=seed, default=0, help="seed of the games and of the player")
    library(record)
    as_json(record, "what was recorded")

    envs = add("envs", "List the environments that can be recorded, and who can play each.", "twinplay envs")
    as_json(envs, "the list")

    env = add("env", "Add an environment of your own.", "twinplay env add pong.toml")
    adding = env.add_subparsers(dest="what", metavar="add", required=True).add_parser(
        "add", help="copy the file of an environment to where yours lie, checked", formatter_class=HelpFormatter
    )
    adding.add_argument("file", type=Path, metavar="FILE", help="what it is, as docs/environments.md says")


def add_listing(add: AddCommand) -> None:
    """sessions, show: list sessions, and tell about one."""
    sessions = add(
        "sessions", "List the sessions of a library.", "twinplay sessions --search serve --env breakout --sort best"
    )
    sessions.add_argument("--search", default="", metavar="WORDS", help="only those with all of these words")
    sessions.add_argument("--env", metavar="ENV", help="only those of this environment")
    sessions.add_argument("--player", metavar="KIND", help="only those played by a person, scripted, policy or random")
    sessions.add_argument("--sort", choices=SORTS, default="date", help="what to sort by")
    places(sessions)
    as_json(sessions, "the list")

    show = add("show", "Tell all about one session: its games, notes, timing and actions.", "twinplay show SESSION")
    show.add_argument("session", metavar="SESSION", help=A_SESSION)
    places(show)
    as_json(show, "it")


def add_editing(add: AddCommand) -> None:
    """edit: say something about a session, or leave parts of it out."""
    edit = add(
        "edit",
        "Title, tag or note a session, or leave parts of it out of training; nothing that was recorded changes.",
        "twinplay edit SESSION --title 'Left hand' --tag slow --exclude-games 2,5 --exclude 10s-25s",
    )
    edit.add_argument("session", metavar="SESSION", help="a session's folder, or its name in the library")
    edit.add_argument("--title", metavar="TEXT", help="what to call it (nothing: its folder's name)")
    edit.add_argument("--notes", metavar="TEXT", help="what there is to say about it")
    edit.add_argument("--tag", action="append", metavar="WORD", help="add a tag; may be given several times")
    edit.add_argument("--untag", action="append", metavar="WORD", help="take a tag off")
    edit.add_argument("--exclude-games", type=indices, metavar="K,…", help="leave these games out of training")
    edit.add_argument("--include-games", type=indices, metavar="K,…", help="use these games in training again")
    edit.add_argument("--good", type=indices, metavar="K,…", help="label these games as successes")
    edit.add_argument("--bad", type=indices, metavar="K,…", help="label these games as failures")
    edit.add_argument("--unlabel", type=indices, metavar="K,…", help="take the labels off these games")
    edit.add_argument(
        "--exclude",
        action="append",
        type=span,
        metavar="FROM-TO",
        help="leave a span of the session out of training: 10s-25s, 1:10-1:25, or in ticks, 600-1500",
    )
    edit.add_argument("--include", action="append", type=span, metavar="FROM-TO", help="use a span again; or: all")
    library(edit)


def add_rearranging(add: AddCommand) -> None:
    """merge, split, trash: join, part and throw away sessions."""
    merge = add(
        "merge", "Join sessions of one environment into a new one.", "twinplay merge SESSION SESSION --title 'Sunday'"
    )
    merge.add_argument("sessions", nargs="+", metavar="SESSION", help="a session's folder, or its name in the library")
    merge.add_argument("--title", default="", metavar="TEXT", help="what to call the new session")
    merge.add_argument("--trash", action="store_true", help="move the originals to the trash afterwards")
    library(merge)

    split = add("split", "Part a session in two, between two games.", "twinplay split SESSION --at 3")
    split.add_argument("session", metavar="SESSION", help="a session's folder, or its name in the library")
    split.add_argument("--at", type=index, required=True, metavar="K", help="the game that the second part begins with")
    split.add_argument("--trash", action="store_true", help="move the original to the trash afterwards")
    library(split)

    trash = add(
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


def add_copying(add: AddCommand) -> None:
    """push, pull, verify: copy sessions, and simulate them again."""
    push = add(
        "push",
        "Copy sessions into another library: of a team, in the cloud, on another disk. What is there stays as it is.",
        "twinplay push recordings/*.zarr --to s3://bucket/team",
    )
    push.add_argument("sessions", nargs="+", metavar="SESSION", help=f"{A_SESSION}; or a whole library")
    push.add_argument("--to", required=True, metavar="URL", help="URL or folder of the library to copy them into")
    places(push)
    as_json(push, "where each session lies, a line each,")

    pull = add(
        "pull",
        "Copy sessions from a URL into a library on this computer. What is there stays as it is.",
        "twinplay pull s3://bucket/team --library recordings",
    )
    pull.add_argument("sessions", nargs="+", metavar="URL", help="URL or folder of a session, or of a whole library")
    library(pull)
    as_json(pull, "where each session lies, a line each,")

    verify = add(
        "verify",
        "Simulate sessions again and compare every tick, bit for bit.",
        "twinplay verify recordings/2026-11-21T10-14-03-breakout.zarr",
    )
    verify.add_argument("sessions", nargs="+", metavar="SESSION", help=A_SESSION)
    places(verify)
    as_json(verify, "the certificates")
