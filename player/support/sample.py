"""The sample that ships with Twinplay, to try Train and Watch before the first own recording.

    assets/sample/   about.json   session.zip ──▶ LIBRARY/2026-…-sample-breakout.zarr
                                  breakout.safetensors ──▶ LIBRARY/policies/sample-breakout.safetensors

`assets/make_sample.py` makes it. Both are labelled: a scripted player's session titled "Sample", and its clone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import zipfile
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from recorder.errors import LibraryError, TwinplayError
from recorder.library.library import POLICIES, ensure_writable
from recorder.system.files import replacing
from recorder.system.resources import asset

TITLE = "Sample"
_CLONE = "sample-breakout.safetensors"
_NAME = re.compile(r"[0-9T-]{19}-sample-breakout")
_MOST_BYTES, _MOST_FILES = 20 << 20, 2_000  # of the unpacked session


@dataclass(frozen=True)
class SamplePair:
    """The paths of the sample in a library."""

    session: Path
    policy: Path


class Sample:
    """The sample in the folder `source`; copies it into a library."""

    def __init__(self, source: Path) -> None:
        self._source = source

    @cached_property
    def about(self) -> dict[str, Any]:
        """The facts in about.json. Raises TwinplayError if the file is missing or damaged."""
        path = self._source / "about.json"
        try:
            facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if not _NAME.fullmatch(facts["session"]):
                raise ValueError(f"the session's name is {facts['session']!r}")
            return facts
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TwinplayError(f"{path} cannot be read ({error}); install Twinplay again to get its sample") from None

    def sentence(self) -> str:
        """A description of both, with the clone's score."""
        facts, clone = self.about, self.about["clone"]
        return (
            f"{facts['seconds']} seconds of Breakout played by a script (score {facts['score']:.0f}), and a twin "
            f"trained on {facts['lesson_minutes']} minutes of the same script's play. In whole games the twin scores "
            f"{clone['mean']:.0f} on average ({clone['low']:.0f} to {clone['high']:.0f}, {clone['games']} games)."
        )

    def within(self, library: Path) -> SamplePair:
        """Where the sample is, or would be, in a library."""
        return SamplePair(library / f"{self.about['session']}.zarr", library / POLICIES / _CLONE)

    def add(self, library: Path) -> SamplePair:
        """Add the sample to a library; existing files are kept.

        Raises LibraryError if the library cannot be written, and TwinplayError if the sample is damaged.
        """
        pair = self.within(library)
        ensure_writable(pair.policy.parent)
        try:
            if not pair.session.exists():
                self._unpack(pair.session)
            if not pair.policy.exists():
                self._copy(pair.policy)
        except OSError as error:
            raise LibraryError(
                f"{library} cannot be written: {error.strerror}; free some disk space, or choose another library"
            ) from error
        return pair

    def _unpack(self, target: Path) -> None:
        source = self._source / "session.zip"
        making = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with zipfile.ZipFile(source) as archive:
                entries = archive.infolist()
                if len(entries) > _MOST_FILES or sum(entry.file_size for entry in entries) > _MOST_BYTES:
                    raise zipfile.BadZipFile("it is too large")
                for entry in entries:
                    place = making / _safe(entry)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(archive.read(entry))
            os.replace(making, target)
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise TwinplayError(f"{source} is damaged ({error}); install Twinplay again to get its sample") from None
        finally:
            shutil.rmtree(making, ignore_errors=True)

    def _copy(self, target: Path) -> None:
        """Keeps the file's age: the newest policy is shown first, and the user's own should come before the sample."""
        made = datetime.fromisoformat(self.about["created"]).timestamp()
        with replacing(target) as part:
            shutil.copyfile(self._source / "breakout.safetensors", part)
            os.utime(part, (made, made))


def _safe(entry: zipfile.ZipInfo) -> PurePosixPath:
    """The entry's path inside its folder. Raises BadZipFile if it leads out of the folder or is not a plain file."""
    place = PurePosixPath(entry.filename)
    plain = stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG)
    if place.is_absolute() or not place.parts or not plain or entry.is_dir():
        raise zipfile.BadZipFile(f"it holds {entry.filename!r}")
    if any(part == ".." or "\\" in part or ":" in part for part in place.parts):
        raise zipfile.BadZipFile(f"it holds {entry.filename!r}")
    return place


SAMPLE = Sample(asset("sample"))
