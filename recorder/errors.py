"""The errors that a user can meet. Each is one sentence: what happened, where, and what to do.

    TwinplayError ── exit status 1 on the command line, a banner in the window
      ├─ UsageError ── exit status 2
      ├─ UnknownEnvError, AgentError, SessionError, LibraryError (RemoteError), SystemLibraryError
      └─ (trainer.errors) TrainingError, PolicyError

Programming errors do not belong here: they remain `assert`, `TypeError`, `ValueError`.
"""

from __future__ import annotations

import os
from pathlib import Path

STANDARD_OUTPUT = "standard output"  # used instead of a file's name


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
    """Raises NewerVersionError for a later version than the known one, ValueError for anything else that differs."""
    if isinstance(version, int) and version > known:
        raise NewerVersionError(
            f"a newer Twinplay wrote it (format version {version}, this one reads {known}); install a newer Twinplay"
        )
    if version != known:
        raise ValueError(f"it has format version {str(version)[:20]}, this program reads version {known}")


class UsageError(TwinplayError):
    """A call or a command line is invalid."""

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
    """A library of the operating system is missing; the message names the package that contains it."""


def first_line(error: BaseException, most: int = 160) -> str:
    """The first line of an error's text, at most so many characters of it; without any, the name of its type."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:most]


def outside_sentence(error: OSError | UnicodeError | MemoryError) -> str:
    """An error of the operating system, as a sentence."""
    if isinstance(error, MemoryError):
        return "there was not enough memory; close other programs and try again"
    if isinstance(error, UnicodeError):
        text = error.object if isinstance(error, (UnicodeEncodeError, UnicodeDecodeError)) else str(error)
        return f"{text!r} contains characters that cannot be used here; choose another name or file"
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else ""
    return f"{where}{error.strerror or error}; choose another name or place"
