"""Shared by all commands: each failure becomes one sentence on stderr and an exit status."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from recorder.errors import STANDARD_OUTPUT, TwinplayError, first_line, outside_sentence
from recorder.system.interrupts import BROKEN_PIPE, Interrupted, exit_status, handled, leave_quickly


def guarded(action: Callable[[], int]) -> int:
    """Run `action`; turn every failure into one sentence on stderr and an exit status."""
    leave_quickly()
    try:
        with handled():
            return action()
    except TwinplayError as error:
        print(f"twinplay: {error}", file=sys.stderr)
        from traceback import clear_frames

        clear_frames(error.__traceback__)  # a game that is left there would be told of as leaked when Python ends
        return error.exit_status
    except KeyboardInterrupt as error:
        print("twinplay: interrupted; everything completed so far is kept", file=sys.stderr)
        return exit_status(error.number if isinstance(error, Interrupted) else signal.SIGINT)
    except BrokenPipeError:
        # The reader of our output has ended; without this, Python reports the error again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_status(BROKEN_PIPE)
    except (OSError, UnicodeError, MemoryError) as error:
        # Usually not a bug of ours, but a name, folder or device that the user gave, or the computer.
        told = isinstance(error, OSError) and error.filename == STANDARD_OUTPUT
        log = None if told else _left_in_log(error)
        print(f"twinplay: {outside_sentence(error)}{f' (details: {log})' if log else ''}", file=sys.stderr)
        return 1
    except Exception as error:
        reason = first_line(error, 1_000)
        log = _left_in_log(error)
        print(
            f"twinplay: unexpected error ({type(error).__name__}: {reason}); please report it"
            f"{f' with {log}' if log else ''}",
            file=sys.stderr,
        )
        return 1


def _left_in_log(error: Exception) -> Path | None:
    from recorder.system.logfile import leave_trace

    return leave_trace(error)
