"""Standard streams that take whatever is printed: closed ones, full ones, of any encoding.

    stdout   a character that its encoding lacks becomes "?"; a place that takes no more ends the command, in a sentence
    stderr   the same, but what cannot be written there is dropped: it only tells of the work

Nothing heavy is imported here: even `--help` is printed through them.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from recorder.errors import STANDARD_OUTPUT

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
    """Write out what has been printed. Raises OSError where that failed, also where somebody passed over it before."""
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
    """The error as one of standard output, which from now on goes nowhere: else Python would complain at its exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    error.filename = STANDARD_OUTPUT
    return error


def prepare_streams() -> None:
    """Let this program print without a failure, and open files without one taking the place of a closed stream.

    Streams that another program has put in their place are left alone.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    codecs.register_error(_REPLACED, _replaced)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is sys.__stdout__:
        sys.stdout = _wrapped(_Output, sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _wrapped(_Notes, sys.stderr, 2)


def parsed(build: Callable[[], argparse.ArgumentParser], arguments: Sequence[str] | None) -> argparse.Namespace | int:
    """What a command line means; or the exit status where nothing is left to do, or a stream failed."""
    try:
        try:
            return build().parse_args(arguments)
        except SystemExit as stop:
            flush_output()  # argparse passes over its failures
            return stop.code if isinstance(stop.code, int) else 2
    except KeyboardInterrupt:  # nothing has begun
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
    """A "?" for each character; but the bytes of a file's name that were no text as they are, as `ls` prints them."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    if all(0xDC80 <= ord(character) <= 0xDCFF for character in text) and not error.encoding.startswith("utf-16"):
        return bytes(ord(character) - 0xDC00 for character in text), error.end
    return "?" * len(text), error.end
