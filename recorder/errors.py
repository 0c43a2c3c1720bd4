"""Everything that can go wrong for a user, as one sentence each: what happened, where, and what to do.

    TwinplayError ── exit status 1 on the command line, a banner in the window
      ├─ UsageError ── exit status 2
      ├─ UnknownEnvError, AgentError, SessionError, LibraryError (RemoteError), SystemLibraryError
      └─ (trainer.errors) TrainingError, PolicyError

Programming mistakes are not in this family: they stay `assert`, `TypeError`, `ValueError`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from recorder.interrupts import BROKEN_PIPE, Interrupted, exit_status, handled, leave_quickly

STANDARD_OUTPUT = "standard output"  # in the place of a file's name


class TwinplayError(Exception):
    """A failure that the user can understand and act upon; `str(error)` is the whole message."""

    exit_status = 1

    @classmethod
    def at(cls, path: Path | str, problem: str, remedy: str = "") -> TwinplayError:
        """The sentence "PATH: PROBLEM; REMEDY"."""
        sentence = f"{path}: {problem}"
        return cls(f"{sentence}; {remedy}" if remedy else sentence)


class NewerVersionError(ValueError):
    """A file has a later format version than this program knows."""


def check_version(version: object, known: int) -> None:
    """Raises NewerVersionError for a later format version than the one known, ValueError for anything else but it."""
    if isinstance(version, int) and version > known:
        raise NewerVersionError(
            f"a newer Twinplay wrote it (format version {version}, this one reads {known}); install a newer Twinplay"
        )
    if version != known:
        raise ValueError(f"it has format version {str(version)[:20]}, this program reads {known}")


class UsageError(TwinplayError):
    """A call or a command line that cannot be meant."""

    exit_status = 2


class UnknownEnvError(UsageError):
    """No environment of that name is registered."""


class AgentError(TwinplayError):
    """An agent returned something that is not an action, or cannot play here."""


class SessionError(TwinplayError):
    """A session cannot be read or written."""


class LibraryError(TwinplayError):
    """The folder of sessions cannot be used."""


class RemoteError(LibraryError):
    """A library or a session at a URL cannot be reached, read or written."""


class SystemLibraryError(TwinplayError):
    """A library of the operating system is missing; the message names the package that brings it."""


def outside_sentence(error: OSError | UnicodeError | MemoryError) -> str:
    """What the operating system refused, as a sentence."""
    if isinstance(error, MemoryError):
        return "there was not enough memory; close other programs and try again"
    if isinstance(error, UnicodeError):
        text = error.object if isinstance(error, (UnicodeEncodeError, UnicodeDecodeError)) else str(error)
        return f"{text!r} is not text that can be used here; choose another name or file"
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else ""
    return f"{where}{error.strerror or error}; choose another name or place"


def guarded(action: Callable[[], int]) -> int:
    """Run `action`; turn every failure into one sentence on stderr and an exit status."""
    leave_quickly()
    try:
        with handled():
            return action()
    except TwinplayError as error:
        print(f"twinplay: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt as error:
        print("twinplay: interrupted; what was complete by then is kept", file=sys.stderr)
        return exit_status(error.number if isinstance(error, Interrupted) else signal.SIGINT)
    except BrokenPipeError:
        # Whoever read us has left; without this, Python complains again while it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_status(BROKEN_PIPE)
    except (OSError, UnicodeError, MemoryError) as error:
        # Mostly not ours: a name, a folder or a device that somebody gave, or this computer.
        told = isinstance(error, OSError) and error.filename == STANDARD_OUTPUT
        log = None if told else _left_in_log(error)
        print(f"twinplay: {outside_sentence(error)}{f' (details: {log})' if log else ''}", file=sys.stderr)
        return 1
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        log = _left_in_log(error)
        print(
            f"twinplay: an error nobody foresaw ({type(error).__name__}: {reason}); please report it"
            f"{f' with {log}' if log else ''}",
            file=sys.stderr,
        )
        return 1


def _left_in_log(error: Exception) -> Path | None:
    from recorder.logfile import leave_trace

    return leave_trace(error)
