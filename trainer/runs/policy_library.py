"""The clones of a library: listed, renamed, thrown away and brought back, taken over from elsewhere. Without torch.

library/policies/NAME.safetensors          library/policies/.trash/NAME.safetensors
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from recorder.envs.registry import simulator_notes, stored_spec
from recorder.errors import TwinplayError, first_line
from recorder.library.library import POLICIES, ensure_writable
from recorder.store.places import on_this_computer, place
from recorder.system.files import replacing
from recorder.system.records import RecordError, read
from recorder.system.texts import local_time
from recorder.system.trash import FOLDER, move_to_trash
from trainer.config import TrainConfig
from trainer.errors import PolicyError
from trainer.policy.header import facts, read_playable
from trainer.policy.naming import MAX_NAME, checked_name, file_stem, write_name

SUFFIX = ".safetensors"
_NAME = re.compile(r"[\w(][\w .,()+-]{0,79}")
_Figure = Annotated[float, Meta(ge=-1e12, le=1e12)]  # so a finite one
_MOST_BYTES = 1 << 30  # the largest network of TrainConfig takes some hundred megabytes


class PlaysAlike(msgspec.Struct, frozen=True):
    """How a clone plays like its demonstrator: its mean score in trial games, the demonstrator's recorded one, and the
    share of clips in which a classifier tells the two apart.
    """

    score: _Figure
    demonstrator: _Figure
    classifier: _Figure


@dataclass(frozen=True)
class PolicySummary:
    """One clone. `problem` is a sentence about a file that is none; nothing else is known then.

    `score` is the mean of the `test_games` that chose how it plays, each of `test_seconds` at most (0: not known);
    `demonstrator_scores` are those of the games that it learned from, as far as that. `accuracy` is that on held-out
    play. `learned_from` names its sessions, `players` who played them. `alike` is None where it only plays its best.
    `run` is the training it came from, where that is known.
    """

    path: Path
    env: str = ""
    env_title: str = ""
    created: str = ""
    score: float | None = None
    accuracy: float | None = None
    batches: int = 0
    seconds: float = 0.0
    learned_from: tuple[str, ...] = ()
    players: tuple[dict[str, Any], ...] = ()
    minutes: float = 0.0
    run: str = ""
    size_bytes: int = 0
    problem: str = ""
    alike: PlaysAlike | None = None
    note: str = ""  # of another simulator than the installed one
    test_games: int = 0
    test_seconds: float = 0.0
    demonstrator_scores: tuple[float, ...] = ()
    called: str = ""  # what people call it, where that is not its file's name
    frame_skip: int | None = None  # of its environment
    goes_on_from: str = ""  # the policy that its training went on from

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem

    @property
    def title(self) -> str:
        """What people call it."""
        return self.called or self.path.stem


class Policies:
    """The clones of a library. Names never lead out of it.

    Where the library is read-only, new clones are kept in another one, `outputs`, and those of both are listed.
    """

    def __init__(self, library: Path, outputs: Path | None = None) -> None:
        own, self.folder = (on_this_computer(place(each)) / POLICIES for each in (library, outputs or library))
        self._folders = tuple(dict.fromkeys((self.folder, own)))
        self._known: dict[Path, tuple[int, int, PolicySummary]] = {}  # by file, with its time and size
        self._listings = 0
        self._listed: dict[Path, tuple[int, int]] = {}  # by file, the first and the latest listing that it was in
        self._trash = self.folder / FOLDER

    def all(self) -> list[PolicySummary]:
        """Every clone, the newest first; what cannot be read is listed with its problem."""
        found: list[tuple[int, PolicySummary]] = []
        self._listings += 1
        for folder in self._folders:
            with contextlib.suppress(OSError):
                for entry in os.scandir(folder):
                    if entry.name.endswith(SUFFIX) and not entry.name.startswith("."):
                        with contextlib.suppress(OSError):
                            found.append(self._summary(Path(entry.path), entry.stat()))
        for _, summary in found:
            first, _ = self._listed.get(summary.path, (self._listings, 0))
            self._listed[summary.path] = first, self._listings
        return _told_apart([summary for _, summary in sorted(found, key=lambda pair: -pair[0])])

    def summary(self, path: Path) -> PolicySummary:
        """What a policy file says of itself, in the library or elsewhere; one that cannot be read has a problem."""
        try:
            return self._summary(path, path.stat())[1]
        except OSError as error:
            return PolicySummary(path, problem=f"{path} cannot be read: {error.strerror}")

    def _summary(self, path: Path, facts: os.stat_result) -> tuple[int, PolicySummary]:
        """When a file was changed, and its summary, which is read again only then."""
        known = self._known.get(path)
        if known is None or known[:2] != (facts.st_mtime_ns, facts.st_size):
            known = self._known[path] = (facts.st_mtime_ns, facts.st_size, summarize(path))
        return known[0], known[2]

    def find(self, name: str) -> Path:
        """The file of a clone. Raises PolicyError when there is none of that name."""
        for folder in self._folders:
            path = folder / f"{name.removesuffix(SUFFIX)}{SUFFIX}"
            if _NAME.fullmatch(path.stem) and path.parent == folder and path.is_file():
                return path
        raise PolicyError(f"{self.folder} has no policy named {name!r}; `twinplay policies` lists them")

    def new_file(self, name: str, taken: Collection[Path | None] = ()) -> Path:
        """The file for a new clone that is called `name`, with a number where that is there or among those `taken`."""
        stem = file_stem(name).lstrip(" .,+-)") or "twin"
        free, number = stem, 2
        while (path := self.folder / f"{free}{SUFFIX}").exists() or path in taken:
            free, number = f"{stem} ({number})", number + 1
        return path

    def title_of(self, path: Path) -> str:
        """What a clone is called, or was when it was last listed."""
        known = self._known.get(path)
        return path.stem if known is None else known[2].title

    def renamed(self, path: Path) -> Path | None:
        """The file that a clone has now which was listed at `path`; None if it is in no file of the library.

        A copy, which was listed beside it, is another clone.
        """
        known = self._known.get(path)
        if known is None or known[2].problem:
            return None
        _, gone = self._listed.get(path, (0, 0))
        for summary in self.all():
            if (
                summary.path != path
                and self._listed[summary.path][0] > gone
                and _nameless(summary) == _nameless(known[2])
            ):
                return summary.path
        return None

    def rename(self, name: str, new: str) -> Path:
        """Give a clone another name; returns its file. Raises PolicyError for a name that is taken or cannot be one."""
        path, target = self.find(name), self._free(new)
        if path != target:
            _move(path, target)
        return target

    def call(self, name: str, text: str) -> Path:
        """Call a clone whatever people like to; returns its file, which is named like that as far as a file may be.

        Raises PolicyError for a name that is taken, empty or too long.
        """
        called, path = checked_name(text), self.find(name)
        if any(each.title == called for each in self.all() if each.path != path):
            raise PolicyError(f"the name {called!r} is already taken; choose another name")
        stem = file_stem(called)
        same = stem == called and stem in (path.stem, self._free_stem(stem))
        if not same or self.summary(path).called:
            write_name(path, "" if same else called)
        if stem != path.stem:
            target = self.folder / f"{self._free_stem(stem)}{SUFFIX}"
            _move(path, target)
            path = target
        return path

    def trash(self, name: str) -> Path:
        """Move a clone to the trash; `restore` brings it back. Raises PolicyError."""
        path = self.find(name)
        try:
            return move_to_trash(path)
        except OSError as error:
            raise PolicyError(f"{path} cannot be moved to the trash: {error.strerror}") from error

    def restore(self, trashed: Path) -> Path:
        """Bring a clone back from the trash. Raises PolicyError when it is not there or its name is taken."""
        if trashed.parent != self._trash or not trashed.is_file():
            raise PolicyError(f"{trashed} is not in the trash, so it cannot be restored")
        target = self._free(trashed.stem)
        _move(trashed, target)
        return target

    def trashed(self) -> list[Path]:
        """The clones in the trash, the latest first."""
        files = [path for path in self._trash.glob(f"*{SUFFIX}") if path.is_file() and not path.name.startswith(".")]
        return sorted(files, key=lambda path: -path.stat().st_ctime_ns)

    def take_over(self, file: Path) -> Path:
        """Copy a policy file into the library, if it is one that can play here; returns the copy.

        It may come from a stranger: only its header is read, and nothing in it is executed; whoever plays it compares
        its weights with the network that it names. A link is followed, since whoever names it chose it: in download
        caches every file is one. Raises PolicyError.
        """
        if not os.path.isfile(file):
            broken = file.is_symlink() and not os.path.exists(file)
            what = "is a broken link" if broken else "is not a file"
            raise PolicyError(f"{file} {what}; choose a policy file ending in {SUFFIX}")
        size = file.stat().st_size
        if size > _MOST_BYTES:
            raise PolicyError(f"{file} has {size / 1e9:.1f} GB, too large for a policy; choose another file")
        read_playable(file)
        ensure_writable(self.folder)
        target = self.folder / f"{self._free_stem(file_stem(file.stem))}{SUFFIX}"
        try:
            with replacing(target) as part:
                shutil.copyfile(file, part)
        except OSError as error:
            raise PolicyError(f"{file} cannot be copied to {target}: {error.strerror}; free some disk space") from error
        return target

    def _free_stem(self, stem: str) -> str:
        """This name of a file, with a number where it is taken."""
        free, number = stem, 2
        while (self.folder / f"{free}{SUFFIX}").exists():
            free, number = f"{stem} ({number})", number + 1
        return free

    def _free(self, name: str) -> Path:
        stem = name.strip().removesuffix(SUFFIX)
        if not _NAME.fullmatch(stem) or stem.endswith("."):
            raise PolicyError(
                f"{name!r} is not a valid name; use letters, digits, spaces and . , - + ( ), at most 80 characters"
            )
        target = self.folder / f"{stem}{SUFFIX}"
        if target.exists():
            raise PolicyError(f"the name {stem!r} is already taken; choose another name")
        return target


def _nameless(summary: PolicySummary) -> PolicySummary:
    """What does not change when a clone is called otherwise."""
    return replace(summary, path=Path(), called="", size_bytes=0)


def _told_apart(clones: list[PolicySummary]) -> list[PolicySummary]:
    """Those that are called the same get the time of day at which they were made."""
    times = Counter(each.title for each in clones)
    return [
        replace(each, called=f"{each.title}, {local_time(each.created, '%H:%M')}") if times[each.title] > 1 else each
        for each in clones
    ]


def summarize(path: Path) -> PolicySummary:
    """The summary of a policy file; never raises for a damaged one."""
    try:
        header = facts(read_playable(path))
        spec = stored_spec(header.env)
        training, changed = header.training, datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return PolicySummary(
            path,
            spec.name,
            spec.title,
            header.created[:32] or changed.isoformat(timespec="seconds"),
            training.score_in_play,
            training.validation_accuracy,
            training.batches,
            training.seconds,
            tuple(session.name[:120] for session in header.sessions),
            tuple(session.player for session in header.sessions),
            sum(each.ticks if each.learned is None else each.learned for each in header.sessions) / spec.rate_hz / 60,
            header.run[:120],
            path.stat().st_size,
            alike=_alike(header.alike),
            note=" ".join(simulator_notes({path.stem: spec})),
            test_games=training.score_games,
            test_seconds=(training.score_ticks or TrainConfig.from_json(header.config).play_ticks) / spec.rate_hz,
            demonstrator_scores=training.demonstrator_scores,
            frame_skip=spec.frame_skip,
            goes_on_from="" if header.parent is None else _line(header.parent.called or header.parent.name),
            called=_line(header.called),
        )
    except (TwinplayError, ValueError, TypeError, KeyError, OSError, OverflowError) as error:
        return PolicySummary(path, problem=first_line(error, 300))


def _line(name: str) -> str:
    return " ".join(name.split())[:MAX_NAME]


def _move(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except OSError as error:
        raise PolicyError(f"{path} cannot be moved to {target}: {error.strerror}") from error


def _alike(values: Any) -> PlaysAlike | None:
    try:
        return read(PlaysAlike, values)
    except RecordError:
        return None
