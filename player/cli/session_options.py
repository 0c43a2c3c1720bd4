"""The options of the commands about sessions, for argparse."""

from __future__ import annotations

from pathlib import Path

from player.cli.argument_types import index, indices, positive, seconds, seed, span
from player.cli.shared_options import A_SESSION, AddCommand, HelpFormatter, as_json, library, places

SORTS = ("date", "title", "player", "games", "minutes", "mean", "best", "size")


def add_recording(add: AddCommand) -> None:
    """record, envs, env: record, and list and add environments."""
    record = add(
        "record",
        "Let a scripted player, a random player or a policy play, and record a new session.",
        "twinplay record breakout --games 5 --seed 1",
    )
    record.add_argument("env", metavar="ENV", help="an environment; `twinplay envs` lists them")
    record.add_argument("--player", default="scripted", help="scripted, random, or a policy file")
    record.add_argument(
        "--style",
        help="style of the scripted player: person, beginner, prompt, slow, late, sloppy or left-handed",
    )
    length = record.add_mutually_exclusive_group()
    length.add_argument(
        "--games", "--episodes", dest="episodes", type=positive, metavar="N", help="games to record (default: 5)"
    )
    length.add_argument("--seconds", type=seconds, metavar="S", help="seconds of play to record, instead of games")
    record.add_argument(
        "--frame-skip",
        type=positive,
        metavar="N",
        help="1 to 8 frames of an Atari game a tick, in which an action is held (default: 1, or as a policy plays)",
    )
    record.add_argument("--seed", type=seed, default=0, help="seed of the games and of the player")
    library(record)
    as_json(record, "what was recorded")

    envs = add("envs", "List the environments that can be recorded, and who can play each.", "twinplay envs pac")
    envs.add_argument("words", nargs="?", default="", metavar="NAME", help="only those with this in their names")
    as_json(envs, "the list")

    env = add("env", "Add an environment of your own.", "twinplay env draft Acrobot-v1 --out acrobot.toml")
    doing = env.add_subparsers(dest="what", metavar="add|draft", required=True)
    adding = doing.add_parser(
        "add", help="check an environment file and add it to your environments", formatter_class=HelpFormatter
    )
    adding.add_argument("file", type=Path, metavar="FILE", help="the environment file; see docs/environments.md")
    adding.add_argument("--yes", action="store_true", help="allow the Python module that it names without asking")
    drafting = doing.add_parser(
        "draft", help="write a first environment file for a Gymnasium environment", formatter_class=HelpFormatter
    )
    drafting.add_argument("id", metavar="ID", help="as `gymnasium.make` takes it, like Acrobot-v1")
    drafting.add_argument("--pictures", action="store_true", help="players see the picture that the environment draws")
    drafting.add_argument(
        "--module", default="", metavar="MODULE", help="a Python module to import, which registers it"
    )
    drafting.add_argument("--out", type=Path, metavar="FILE", help="the file to write (default: print it)")
    drafting.add_argument("--yes", action="store_true", help="replace the file without asking")


def add_listing(add: AddCommand) -> None:
    """sessions, show: list sessions, and show one."""
    sessions = add(
        "sessions", "List the sessions of a library.", "twinplay sessions --search serve --env breakout --sort best"
    )
    sessions.add_argument("--search", default="", metavar="WORDS", help="only sessions with all of these words")
    sessions.add_argument("--env", metavar="ENV", help="only sessions of this environment")
    sessions.add_argument(
        "--player", metavar="KIND", help="only sessions of this kind of player: person, scripted, policy or random"
    )
    sessions.add_argument("--sort", choices=SORTS, default="date", help="what to sort by")
    sessions.add_argument("--csv", type=Path, metavar="FILE", help="write a table of these sessions to a CSV file")
    sessions.add_argument("--games", action="store_true", help="with --csv: a row for each game, not for each session")
    sessions.add_argument("--yes", action="store_true", help="with --csv: replace the file without asking")
    places(sessions)
    as_json(sessions, "the list")

    show = add("show", "Show one session: its games, notes and timing.", "twinplay show SESSION")
    show.add_argument("session", metavar="SESSION", help=A_SESSION)
    places(show)
    as_json(show, "the session")


def add_reviewing(add: AddCommand) -> None:
    """review: find what may spoil a training."""
    review = add(
        "review",
        "Look sessions through for what may spoil a training: idle stretches, stuck keys, games that are unlike the "
        "others or the same as another, late ticks.",
        "twinplay review SESSION --leave-out",
    )
    review.add_argument("sessions", nargs="+", metavar="SESSION", help=A_SESSION)
    review.add_argument(
        "--policy",
        type=Path,
        metavar="POLICY",
        help="also where this clone, in games that it did not learn from, disagrees most surely",
    )
    review.add_argument(
        "--leave-out",
        action="store_true",
        help="exclude what is marked ! from training, and print the command that undoes it",
    )
    places(review)
    as_json(review, "the findings of each session, one per line,")


def add_editing(add: AddCommand) -> None:
    """edit: describe a session, or exclude parts of it from training."""
    edit = add(
        "edit",
        "Set the title, tags and notes of a session, or exclude parts of it from training; the recording is unchanged.",
        "twinplay edit SESSION --title 'Left hand' --tag slow --exclude-games 2,5 --exclude 10s-25s",
    )
    edit.add_argument("session", metavar="SESSION", help="a session's folder, or its name in the library")
    edit.add_argument("--title", metavar="TEXT", help="title of the session (empty: its folder's name)")
    edit.add_argument("--notes", metavar="TEXT", help="notes about the session")
    edit.add_argument("--tag", action="append", metavar="WORD", help="add a tag; may be given several times")
    edit.add_argument("--untag", action="append", metavar="WORD", help="remove a tag")
    edit.add_argument("--exclude-games", type=indices, metavar="K,…", help="exclude these games from training")
    edit.add_argument("--include-games", type=indices, metavar="K,…", help="use these games in training again")
    edit.add_argument("--good", type=indices, metavar="K,…", help="label these games as successes")
    edit.add_argument("--bad", type=indices, metavar="K,…", help="label these games as failures")
    edit.add_argument("--unlabel", type=indices, metavar="K,…", help="remove the labels from these games")
    edit.add_argument(
        "--exclude",
        action="append",
        type=span,
        metavar="FROM-TO",
        help="exclude a part of the session from training: 10s-25s, 1:10-1:25, or in ticks, 600-1500",
    )
    edit.add_argument(
        "--include",
        action="append",
        type=span,
        metavar="FROM-TO",
        help="use a part in training again; all: the whole session",
    )
    library(edit)


def add_rearranging(add: AddCommand) -> None:
    """merge, split, trash: join, split and delete sessions."""
    merge = add(
        "merge", "Join sessions of one environment into a new one.", "twinplay merge SESSION SESSION --title 'Sunday'"
    )
    merge.add_argument("sessions", nargs="+", metavar="SESSION", help="a session's folder, or its name in the library")
    merge.add_argument("--title", default="", metavar="TEXT", help="title of the new session")
    merge.add_argument("--trash", action="store_true", help="move the originals to the trash afterwards")
    library(merge)

    split = add("split", "Split a session in two, between two games.", "twinplay split SESSION --at 3")
    split.add_argument("session", metavar="SESSION", help="a session's folder, or its name in the library")
    split.add_argument("--at", type=index, required=True, metavar="K", help="the first game of the second part")
    split.add_argument("--trash", action="store_true", help="move the original to the trash afterwards")
    library(split)

    trash = add(
        "trash",
        "Move sessions to the library's trash, list the trash, restore sessions, or empty it.",
        "twinplay trash 2026-11-21T10-14-03-breakout",
    )
    trash.add_argument(
        "sessions", nargs="*", metavar="SESSION", help="sessions to move to the trash (none: list the trash)"
    )
    what = trash.add_mutually_exclusive_group()
    what.add_argument("--restore", action="store_true", help="restore these sessions from the trash instead")
    what.add_argument("--empty", action="store_true", help="permanently delete everything in the trash, after asking")
    trash.add_argument("--yes", action="store_true", help="do not ask before emptying the trash")
    library(trash)


def add_copying(add: AddCommand) -> None:
    """push, pull, verify: copy and verify sessions."""
    push = add(
        "push",
        "Copy sessions into another library: of a team, in the cloud, or on another disk. Existing files are kept.",
        "twinplay push recordings/*.zarr --to s3://bucket/team",
    )
    push.add_argument("sessions", nargs="+", metavar="SESSION", help=f"{A_SESSION}; or a whole library")
    push.add_argument("--to", required=True, metavar="URL", help="URL or folder of the library to copy them into")
    places(push)
    as_json(push, "the place of each session, one per line,")

    pull = add(
        "pull",
        "Copy sessions from a URL into a library on this computer. Existing files are kept.",
        "twinplay pull s3://bucket/team --library recordings",
    )
    pull.add_argument("sessions", nargs="+", metavar="URL", help="URL or folder of a session, or of a whole library")
    library(pull)
    as_json(pull, "the place of each session, one per line,")

    verify = add(
        "verify",
        "Simulate sessions again and compare every tick, bit for bit.",
        "twinplay verify recordings/2026-11-21T10-14-03-breakout.zarr",
    )
    verify.add_argument("sessions", nargs="+", metavar="SESSION", help=A_SESSION)
    places(verify)
    as_json(verify, "the certificates")
