"""Options that several commands share, for argparse."""

from __future__ import annotations

import argparse
from collections.abc import Callable

A_SESSION = "a session's folder or URL, or its name in the library"

AddCommand = Callable[[str, str, str], argparse.ArgumentParser]  # of a name, a summary and an example


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows defaults, and keeps the line breaks of examples."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        silent = action.default in (None, "", []) or action.default is False
        return action.help if silent else super()._get_help_string(action)


def library(command: argparse.ArgumentParser) -> None:
    """Add --library, which must be a folder."""
    command.add_argument(
        "--library", metavar="DIR", help="library folder (default: $TWINPLAY_LIBRARY or your data folder)"
    )


def places(command: argparse.ArgumentParser) -> None:
    """Add --library, which may be a URL."""
    command.add_argument(
        "--library",
        metavar="DIR",
        help="library folder or URL (default: $TWINPLAY_LIBRARY or your data folder)",
    )


def as_json(command: argparse.ArgumentParser, what: str) -> None:
    """Add --json."""
    command.add_argument("--json", action="store_true", help=f"print {what} as JSON")
