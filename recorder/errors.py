"""Everything that can go wrong for a user, as one sentence each: what happened, where, and what to do.

    TwinplayError ── exit status 1 on the command line, a banner in the window
      ├─ UsageError ── exit status 2
      ├─ UnknownEnvError, AgentError, SessionError, LibraryError (RemoteError), SystemLibraryError
      └─ (trainer.errors) TrainingError, PolicyError

Programming mistakes are not in this family: they stay `assert`, `TypeError`, `ValueError`.
"""

from __future__ import annotations

from pathlib import Path


class TwinplayError(Exception):
    """A failure that the user can understand and act upon; `str(error)` is the whole message."""

    exit_status = 1

    @classmethod
    def at(cls, path: Path | str, problem: str, remedy: str = "") -> TwinplayError:
        """The sentence "PATH: PROBLEM; REMEDY"."""
        sentence = f"{path}: {problem}"
        return cls(f"{sentence}; {remedy}" if remedy else sentence)


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
