"""Tables on standard output: as wide as the terminal, or as wide as needed if there is none."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

_PLAIN_WIDTH = 200  # where there is no terminal
_NARROWEST = 40  # a terminal that says less has not been asked, or breaks every line by itself


def print_table(table: Table) -> None:
    """Print a table. Brackets in its text are not markup: names come from users and from other people's files."""
    console = Console(markup=False, emoji=False, highlight=False)
    console.width = max(_NARROWEST, console.width) if sys.stdout.isatty() else _PLAIN_WIDTH
    console.print(table)
