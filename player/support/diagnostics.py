"""The contents of a bug report, as text: versions, machine, screen, library, the end of the log.

It does not contain the user's name: the home folder is written "~".
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recorder.errors import LibraryError
from recorder.library.library import Library
from recorder.system.cores import available_cores
from recorder.system.logfile import last_lines, log_file

LOG_LINES = 40
_LIBRARIES = ("PySide6-Essentials", "ale-py", "gymnasium", "mujoco", "numpy", "pygame", "torch", "zarr")


def app_version() -> str:
    """The installed version."""
    try:
        return version("twinplay")
    except PackageNotFoundError:  # run from a checkout
        return "from source"


def diagnostics(library: Path, screens: Mapping[str, str] | None = None) -> str:
    """Some lines of text. `screens` are further facts from the window, by name, such as its screens."""
    lines = {
        "Twinplay": app_version(),
        "Python": sys.version.split()[0],
        "System": platform.platform(),
        "Processor": f"{platform.machine()}, {available_cores()} cores",
        **{name: _version(name) for name in _LIBRARIES},
        **(screens or {}),
        "Library": str(library),
        "Free disk space": free_space(library),
        "Key to picture": latency(library),
        "Log": str(log_file()),
    }
    width = max(map(len, lines)) + 2
    text = "\n".join(f"{name + ':':<{width}}{value}" for name, value in lines.items())
    log = "\n".join(last_lines(log_file(), LOG_LINES))
    return without_home(f"{text}\n\nThe last lines of the log:\n{log}\n")


def without_home(text: str) -> str:
    """The text with the home folder's path replaced by "~"."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def free_space(folder: Path) -> str:
    """Free space on the disk where a folder is, or would be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return f"{shutil.disk_usage(folder).free / 1e9:,.1f} GB"
    except OSError as error:
        return f"not known ({error.strerror})"


def latency(library: Path) -> str:
    """From a key to the picture, in the latest take of this library in which that was measured."""
    try:
        sessions = Library(library).sessions()
    except LibraryError as error:
        return f"not known ({error})"
    last = next((each for each in sessions if each.latency is not None), None)
    return "not measured yet" if last is None else f"{last.latency}, in the latest take"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
