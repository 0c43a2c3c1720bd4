"""Signals that end this program: Ctrl-C, a request to end, a closed terminal.

    SIGINT, SIGTERM, SIGHUP ──▶ raises Interrupted ──▶ everything is saved and closed ──▶ exit status 128 + number

A signal that was ignored when the program began stays ignored, as nohup and a shell's "&" require.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import signal
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
BROKEN_PIPE = 13  # SIGPIPE, which Python ignores and reports as BrokenPipeError

Handler = Callable[[int, FrameType | None], object]


class Interrupted(KeyboardInterrupt):
    """A signal asks this process to end. Code that handles Ctrl-C handles every such signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def exit_status(number: int) -> int:
    """The exit status of a program that a signal ended, by the shells' convention."""
    return 128 + number


def leave_quickly() -> None:
    """End this process without a final garbage collection, which takes most of the time once torch is imported."""
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def interrupt(number: int, frame: FrameType | None = None) -> None:
    """Handle a signal by raising Interrupted."""
    raise Interrupted(number)


@contextlib.contextmanager
def handled(handler: Handler = interrupt) -> Iterator[None]:
    """Within this context, signals that ask to end go to `handler`; outside the main thread nothing changes."""
    before = {}
    try:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                with contextlib.suppress(ValueError):  # raised outside the main thread
                    before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, signal.SIG_DFL if old is None else old)


class Noted:
    """Within this context and while `holding`, signals that ask to end are only noted, so that writes can complete.

    `seen` is the number of the first signal, or 0. A second Ctrl-C raises Interrupted at once, and so does every signal
    while `holding` is false.
    """

    def __init__(self) -> None:
        self.seen = 0
        self.holding = True
        self._handled = handled(self._note)

    def __enter__(self) -> Noted:
        self._handled.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._handled.__exit__(None, None, None)

    def _note(self, number: int, frame: FrameType | None) -> None:
        again = self.seen and number == signal.SIGINT
        self.seen = self.seen or number
        if again or not self.holding:
            raise Interrupted(number)
