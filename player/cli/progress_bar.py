"""The progress of a command, on stderr."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

_PLAIN_S = 5.0  # between progress lines where there is no terminal


class Meter:
    """Progress on stderr: a bar on a terminal, occasional lines elsewhere, nothing with --json."""

    def __init__(self, title: str, quiet: bool = False) -> None:
        self._title = title
        self._quiet = quiet
        self._printed = 0.0
        self._bar: Progress | None = None
        if not quiet and sys.stderr.isatty():
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.fields[note]}", markup=False),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True, emoji=False), transient=True)
            self._task = self._bar.add_task(title, total=1.0, note="")

    def __enter__(self) -> Meter:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, fraction: float | None, note: str, title: str | None = None) -> None:
        if self._quiet:
            return
        self._title = title or self._title
        if self._bar is not None:
            self._bar.update(self._task, completed=fraction or 0.0, note=note, description=self._title)
        elif time.monotonic() - self._printed >= _PLAIN_S:
            self._printed = time.monotonic()
            share = "" if fraction is None else f"{100 * fraction:3.0f} %  "
            print(f"{self._title}: {share}{note}", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)
