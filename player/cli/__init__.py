"""The command line: everything the app does, without a screen.

Nothing heavy is imported here: the module of a command is imported only when that command runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from player.cli.parser import EARLIER, build_parser
from recorder.system.commands import guarded
from recorder.system.streams import parsed, prepare_streams

_MODULES = {  # of the commands that are not in player.cli.commands
    **dict.fromkeys(("record", "practice"), "player.cli.record"),
    **dict.fromkeys(("envs", "env"), "player.cli.envs"),
    **dict.fromkeys(("sessions", "show", "edit", "merge", "split", "trash"), "player.cli.library"),
    **dict.fromkeys(("push", "pull"), "player.cli.copying"),
    "review": "player.cli.review",
    **dict.fromkeys(("train", "runs", "policies"), "player.cli.train"),
    "coach": "player.cli.coach",
    "failures": "player.cli.failures",
    **dict.fromkeys(("watch", "agreement", "drives"), "player.cli.watch"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status. Every failure is one sentence on stderr."""
    prepare_streams()
    options = parsed(build_parser, argv)
    return options if isinstance(options, int) else guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    if options.command in (None, "app"):
        from player.app import open_app

        chosen = {name: getattr(options, name, None) for name in ("library", "name")}
        return open_app([text for name, value in chosen.items() if value for text in (f"--{name}", str(value))])
    command = EARLIER.get(options.command, options.command)
    from recorder.system.jobs import resolve

    status: int = resolve(f"{_MODULES.get(command, 'player.cli.commands')}:{command}")(options)
    sys.stdout.flush()
    return status
