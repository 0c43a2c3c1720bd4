"""What ends this program from outside: Ctrl-C, a request to end, a terminal that is closed.

    SIGINT, SIGTERM, SIGHUP ──▶ Interrupted is raised ──▶ everything is put away ──▶ exit status 128 + number

A signal that was ignored when the program began stays ignored: that is what nohup and a shell's "&" ask for.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import signal
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
BROKEN_PIPE = 13  # SIGPIPE, which Python ignores and tells as BrokenPipeError

Handler = Callable[[int, FrameType | None], object]


class Interrupted(KeyboardInterrupt):
    """A signal asks this process to end. What unwinds for Ctrl-C unwinds for every one of them."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def exit_status(number: int) -> int:
    """The exit status of a program that a signal ended, as shells have it."""
    return 128 + number


def leave_quickly() -> None:
    """Let this process end without a last search for garbage, which takes longer than all else once torch is in it."""
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def interrupt(number: int, frame: FrameType | None = None) -> None:
    """Handle a signal by raising Interrupted."""
    raise Interrupted(number)


@contextlib.contextmanager
def handled(handler: Handler = interrupt) -> Iterator[None]:
    """Signals that ask to end go to `handler` while this is entered; outside of the main thread nothing changes."""
    before = {}
    try:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                with contextlib.suppress(ValueError):  # raised in every thread but the main one
                    before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, signal.SIG_DFL if old is None else old)


class Noted:
    """While it is entered and `holding`, signals that ask to end are only noted: what is being written shall be whole.

    `seen` is the number of the first one, 0 before it. A second Ctrl-C is meant at once and raises Interrupted, and so
    does every signal while there is nothing to hold for.
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
