"""Standard streams that never fail unexpectedly: if they are closed, on a full disk, or in any encoding.

    stdout   a character that its encoding lacks becomes "?"; if writing fails, the command ends with one sentence
    stderr   the same, but text that cannot be written is dropped, since it only reports progress

Nothing heavy is imported here: even `--help` is printed through these streams.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence

from recorder.errors import STANDARD_OUTPUT

TYPE_CHECKING = False  # typing's own would have to be imported
if TYPE_CHECKING:
    from typing import Any

_REPLACED = "twinplay-replaced"


class _Output(io.TextIOWrapper):
    failure: OSError | None = None

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self.failure = _named(error)
            raise self.failure from None

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self.failure = _named(error)
            raise self.failure from None


def flush_output() -> None:
    """Write out everything printed so far. Raises OSError if that fails, or if an earlier failure was ignored."""
    sys.stdout.flush()
    if isinstance(sys.stdout, _Output) and sys.stdout.failure is not None:
        raise sys.stdout.failure


class _Notes(io.TextIOWrapper):
    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


def _named(error: OSError) -> OSError:
    """The error, naming standard output, which is discarded from now on: otherwise Python reports it again at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    error.filename = STANDARD_OUTPUT
    return error


def prepare_streams() -> None:
    """Let this program print without failures, and open files that do not get the number of a closed stream.

    Streams that another program has replaced are left alone.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    codecs.register_error(_REPLACED, _replaced)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is sys.__stdout__:
        sys.stdout = _wrapped(_Output, sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _wrapped(_Notes, sys.stderr, 2)


def parsed(build: Callable[[], argparse.ArgumentParser], arguments: Sequence[str] | None) -> argparse.Namespace | int:
    """The parsed command line; or an exit status, if nothing is left to do or a stream failed."""
    try:
        try:
            return build().parse_args(arguments)
        except SystemExit as stop:
            flush_output()  # argparse ignores write errors
            return stop.code if isinstance(stop.code, int) else 2
    except KeyboardInterrupt:  # nothing to save yet
        return 130
    except BrokenPipeError:
        return 141
    except OSError as error:
        print(f"twinplay: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1


def _wrapped(kind: type[io.TextIOWrapper], stream: Any, number: int) -> io.TextIOWrapper:
    if stream is None:  # it was closed
        return kind(open(number, "wb", closefd=False), encoding="utf-8", errors=_REPLACED)
    settings = {"line_buffering": stream.line_buffering, "write_through": stream.write_through}
    encoding = stream.encoding
    return kind(stream.detach(), encoding=encoding, errors=_REPLACED, **settings)


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    """A "?" for each character; bytes of a file name that are not text stay unchanged, as `ls` prints them."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    if all(0xDC80 <= ord(character) <= 0xDCFF for character in text) and not error.encoding.startswith("utf-16"):
        return bytes(ord(character) - 0xDC00 for character in text), error.end
    return "?" * len(text), error.end
