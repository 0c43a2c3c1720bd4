"""The log: events in the window and failures of commands, to find their causes.

LOG FOLDER/twinplay.log  twinplay.log.1  twinplay.log.2     (the user's own log folder; half a megabyte each)
           crash.txt     stack of every thread when the system killed the program; copied to the log at the next start
"""

from __future__ import annotations

import faulthandler
import logging
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

import platformdirs

from recorder.errors import TwinplayError, first_line
from recorder.system.jobs import on_thread_failure

LOG = logging.getLogger("twinplay")
_BYTES, _OLDER = 500_000, 2
_TAIL_BYTES = 64_000


def log_file() -> Path:
    """The path of the log."""
    return Path(platformdirs.user_log_dir("twinplay", appauthor=False)) / "twinplay.log"


def begin_log(path: Path | None = None) -> str:
    """Write the log to `path` (default: `log_file()`); returns why that is impossible, or an empty text."""
    path = path or log_file()
    end_log()
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_OLDER, encoding="utf-8")
    except OSError as error:
        LOG.addHandler(logging.NullHandler())
        return f"{path} cannot be written: {error.strerror}; no log is kept"
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # a full disk must not stop the game
    LOG.addHandler(handler)
    return ""


def end_log() -> None:
    """Close the log."""
    LOG.propagate = True
    for handler in list(LOG.handlers):
        LOG.removeHandler(handler)
        handler.close()


def leave_trace(error: BaseException) -> Path | None:
    """Write an error's traceback to the log, or to a temporary file if there is no log; returns the file."""
    text = "".join(traceback.format_exception(error)).rstrip()
    open_already = bool(LOG.handlers)
    if open_already or not begin_log():
        LOG.error("a command failed with this error:\n%s", text)
        if not open_already:
            end_log()
        return log_file()
    end_log()
    try:
        with tempfile.NamedTemporaryFile("w", prefix="twinplay-", suffix=".log", delete=False) as file:
            file.write(text + "\n")
        return Path(file.name)
    except OSError:
        return None


def watch_for_crashes() -> bool:
    """From now on, write the stacks if the system kills the program; returns whether that happened last time."""
    path = log_file().with_name("crash.txt")
    try:
        notes = path.open("a+", encoding="utf-8")
        notes.seek(0)
        crash = notes.read(_TAIL_BYTES).strip()
        notes.truncate(0)
    except OSError:
        return False
    faulthandler.enable(notes)  # keeps the file open
    if crash:
        LOG.error("the program was killed last time:\n%s", crash)
    return bool(crash)


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log; none if it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []


class Failures:
    """Uncaught errors in any thread go to the log, to stderr, and as a sentence to `tell` (in that thread).

    An error that repeats, from a timer for example, is written in full the first time and then counted.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._seen: Counter[tuple[str, str, int]] = Counter()

    def watch(self) -> None:
        """Watch from now on, until the process ends."""
        sys.excepthook = lambda kind, error, trace: self.take(error)
        on_thread_failure(self.take)

    def take(self, error: BaseException) -> None:
        """Handle an uncaught error."""
        frames = traceback.extract_tb(error.__traceback__)
        where = (frames[-1].filename, frames[-1].lineno or 0) if frames else ("", 0)
        key = (type(error).__name__, *where)
        self._seen[key] += 1
        if self._seen[key] == 1:
            text = "".join(traceback.format_exception(error)).rstrip()
            LOG.error("uncaught error:\n%s", text)
            print(text, file=sys.stderr)
        elif str(self._seen[key]).strip("0") == "1":  # 10, 100, 1,000 …
            LOG.error("%s again, %d times so far", key[0], self._seen[key])
        else:
            return
        self._tell(sentence(error))


def sentence(error: BaseException) -> str:
    """The sentence for an error, as the window shows it."""
    reason = first_line(error, 200)
    if isinstance(error, TwinplayError):
        return reason
    return (
        f"Unexpected error ({type(error).__name__}{f': {reason}' if str(error) else ''}). Your recordings are safe. "
        "If it happens again, restart Twinplay and include the diagnostics in a bug report."
    )
