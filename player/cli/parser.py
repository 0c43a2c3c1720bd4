"""The command line, for argparse: all commands, in the order in which --help lists them."""

from __future__ import annotations

import argparse
from pathlib import Path

from player.cli import clone_options, session_options
from player.cli.shared_options import AddCommand, HelpFormatter, as_json, library

EARLIER = {"diagnostics": "doctor"}  # names of commands that scripts may still use
EPILOG = (
    "Exit status: 0 success, 1 failure, 2 invalid command, 128 plus the signal's number after a signal. "
    "`twinplay` alone opens the window."
)


class _Version(argparse.Action):
    """Prints the version, and looks it up only then, because that is slow."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"twinplay {version('twinplay')}")
        except PackageNotFoundError:
            print("twinplay, from source")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="twinplay",
        description="Play a game. Click Train. Watch your twin play beside you.",
        epilog=EPILOG,
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, summary: str, example: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            aliases=[before for before, now in EARLIER.items() if now == name],
            help=summary,
            description=summary,
            epilog=f"example:\n  {example}",
            formatter_class=HelpFormatter,
        )

    for add_group in _GROUPS:
        add_group(add)
    return parser


def _add_app(add: AddCommand) -> None:
    """demo, sample, doctor, app: the app itself, and ways to try it."""
    demo = add(
        "demo",
        "Record, train and evaluate with scripted players, without a screen, and write a report.",
        "twinplay demo --out demo-out",
    )
    demo.add_argument("--out", type=Path, default=Path("demo-out"), metavar="DIR", help="folder for the results")
    demo.add_argument(
        "--quick", action="store_true", help="tiny budgets: only to check that everything runs; the clones play badly"
    )

    sample = add(
        "sample",
        "Add a short scripted session and a trained policy to a library, to try things out.",
        "twinplay sample --library recordings",
    )
    library(sample)
    as_json(sample, "their places and facts")

    doctor = add(
        "doctor",
        "Print what a bug report needs: versions, the machine, how well play kept time; it does not contain your name.",
        "twinplay doctor",
    )
    library(doctor)

    app = add("app", "Open the window.", "twinplay app --library recordings")
    library(app)
    app.add_argument("--name", help="name of the player, for this session only (default: as chosen in the window)")


_GROUPS = (
    session_options.add_recording,
    session_options.add_listing,
    session_options.add_reviewing,
    session_options.add_editing,
    session_options.add_rearranging,
    session_options.add_copying,
    clone_options.add_training,
    clone_options.add_trainings,
    clone_options.add_judging,
    clone_options.add_watching,
    clone_options.add_coaching,
    _add_app,
)
