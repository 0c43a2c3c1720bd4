"""What a disk may hold after a power cut at any call of a recording, as ALICE (Pillai et al. 2014) and CrashMonkey ask.

The calls of one recording are kept in order. For a cut after the first n of them, a folder is rebuilt from what POSIX
promises, and no more:

- What was written to a file before its last fsync is on the disk. Of what was written or emptied since, nothing, all,
  or the state after any of the writes may be; the last of these may be torn, or zeros as long as the file.
- The names of a folder are on the disk as they were at its last fsync. Of what changed since (a file or folder made,
  renamed or removed), each change may have happened or not, in whatever combination. A rename is atomic, also when it
  replaces a file, and changes of the same name that happened, happened in their order.
- An fsync of a file says nothing of its name, nor that of a folder of what is in the files.

ext4 and XFS keep more than that: changes of names in their order, and most of them with the next fsync of anything.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from recorder import Library, Session
from recorder.envs.game import Game
from tests.disk.calls import FSYNC, MKDIR, OPEN, RENAME, UNLINK, WRITE, Call, Watcher, watched
from tests.disk.take import SECOND_NS, Played, play, verified

# What of all that was not synced is on the disk; everything, if only the recorder was killed.
NOTHING, NAMES, DATA, SOME, EVERYTHING = WAYS = ("nothing", "names", "data", "some of both", "everything")


@dataclass
class _File:
    synced: bytes = b""
    since: list[bytes] = field(default_factory=list)  # its content after each write that was not synced

    @property
    def content(self) -> bytes:
        return self.since[-1] if self.since else self.synced

    def left(self, way: str, rng: random.Random) -> bytes:
        if way in (DATA, EVERYTHING):
            return self.content
        if way != SOME or not self.since:
            return self.synced
        content = rng.choice([self.synced, *self.since])
        torn = content[: rng.randrange(len(content) + 1)]
        return rng.choice([content, torn, torn.ljust(len(content), b"\0"), bytes(len(content))])


@dataclass
class _Folder:
    synced: dict[str, _File | _Folder] = field(default_factory=dict)
    names: dict[str, _File | _Folder] = field(default_factory=dict)
    since: list[tuple[str, str, _File | _Folder | None]] = field(default_factory=list)  # (old name, new name, what)

    def change(self, old: str, new: str, what: _File | _Folder | None) -> None:
        """Remove the name `old` and let `what` have the name `new`, where there are such."""
        self.since.append((old, new, what))
        _apply(self.names, self.since[-1])

    def left(self, way: str, rng: random.Random) -> dict[str, _File | _Folder]:
        names = dict(self.synced)
        for change in self.since:
            if way in (NAMES, EVERYTHING) or (way == SOME and rng.random() < 0.5):
                _apply(names, change)
        return names


def _apply(names: dict[str, _File | _Folder], change: tuple[str, str, _File | _Folder | None]) -> None:
    old, new, what = change
    names.pop(old, None)
    if what is not None:
        names[new] = what


class Disk:
    """A folder, and what of it is certain to survive a power cut. `root` itself is."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._top = _Folder()

    def make(self, call: Call) -> None:
        """Do what a call does."""
        folder, name = self._parent(call.path)
        if call.name == OPEN and call.creates:
            folder.change("", name, _File())
        elif call.name == OPEN and call.empties:
            self._file(call.path).since.append(b"")
        elif call.name == WRITE:
            file = self._file(call.path)
            end = call.offset + len(call.content)
            file.since.append(file.content[: call.offset] + call.content + file.content[end:])
        elif call.name == FSYNC:
            self._sync(self._find(call.path))
        elif call.name == MKDIR:
            folder.change("", name, _Folder())
        elif call.name == UNLINK:
            folder.change(name, "", None)
        elif call.name == RENAME:
            other, new = self._parent(call.target)
            assert folder is other, "a rename within one folder"
            folder.change(name, new, folder.names[name])

    def left(self, way: str, rng: random.Random) -> dict[str, bytes | None]:
        """What may be there after a power cut now: the content of files, and None for folders, by path."""
        return dict(_left(self._top, "", way, rng))

    def read(self, path: str) -> bytes:
        """The content of a file, synced or not."""
        return self._file(path).content

    def _parent(self, path: str) -> tuple[_Folder, str]:
        if path == str(self._root):
            return self._top, ""
        folder = self._find(os.path.dirname(path))
        assert isinstance(folder, _Folder)
        return folder, os.path.basename(path)

    def _find(self, path: str) -> _File | _Folder:
        node: _File | _Folder = self._top
        for name in Path(path).relative_to(self._root).parts:
            assert isinstance(node, _Folder)
            node = node.names[name]
        return node

    def _file(self, path: str) -> _File:
        file = self._find(path)
        assert isinstance(file, _File)
        return file

    @staticmethod
    def _sync(node: _File | _Folder) -> None:
        if isinstance(node, _File):
            node.synced = node.content
        else:
            node.synced = dict(node.names)
        node.since.clear()


def _left(folder: _Folder, path: str, way: str, rng: random.Random) -> Iterator[tuple[str, bytes | None]]:
    for name, node in folder.left(way, rng).items():
        if isinstance(node, _File):
            yield path + name, node.left(way, rng)
        else:
            yield path + name, None
            yield from _left(node, f"{path}{name}{os.sep}", way, rng)


def rebuild(left: dict[str, bytes | None], folder: Path) -> None:
    """Make the folder with what is left."""
    folder.mkdir()
    for name, content in left.items():
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)


class Log(Watcher):
    """Keeps the calls of a recording that change a disk, each with the time of the take's clock."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.calls: list[tuple[Call, int]] = []
        self._now = now

    def after(self, call: Call) -> None:
        """See Watcher."""
        if call.name != OPEN or call.creates or call.empties:
            self.calls.append((call, self._now()))


@dataclass(frozen=True)
class Recorded:
    """The calls of one recording below `root`, each with its time, and what was played."""

    root: Path
    calls: list[tuple[Call, int]]
    played: Played


def recorded(root: Path, game: Game, *, real_time: bool) -> Recorded:
    """Record into a new library in the folder `root`, which is then removed."""
    root.mkdir()
    played = Played()
    log = Log(played.now)
    with watched(root, log):
        play(root / "library", game, played, real_time=real_time)
    shutil.rmtree(root)
    return Recorded(root, log.calls, played)


@dataclass(frozen=True)
class Cut:
    """The power is cut after the first `calls`; `way` is one of WAYS, and `seed` draws what SOME leaves."""

    calls: int
    way: str
    seed: int = 0


@dataclass(frozen=True)
class Left:
    """What a cut left: whether there is a session, and how many ticks are lost of those played until then."""

    cut: Cut
    session: bool
    lost_ticks: int


def check_cuts(take: Recorded, game: Game, cuts: Iterable[Cut], folder: Path) -> Iterator[Left]:
    """Rebuild in `folder`, one after the other, what these cuts may leave, and check it; what was checked is skipped.

    The library lists, and every session that it lists opens, verifies, and has what was promised: what was played until
    a second before, and in the end everything. `cuts` are in the order of the calls.
    """
    disk, made, checked = Disk(take.root), 0, set[tuple[int, str]]()
    for cut in cuts:
        for call, _ in take.calls[made : cut.calls]:
            disk.make(call)
        made = cut.calls
        left = disk.left(cut.way, random.Random(cut.seed))
        now_ns = take.calls[made - 1][1] if made else 0
        played = sum(time_ns <= now_ns for time_ns in take.played.times_ns)
        promised = played if made == len(take.calls) else sum(t < now_ns - SECOND_NS for t in take.played.times_ns)
        key = promised, hashlib.sha256(repr(sorted(left.items())).encode()).hexdigest()
        if key not in checked:
            checked.add(key)
            rebuild(left, folder)
            ticks = _check(folder, game, cut, promised, finished=made == len(take.calls))
            shutil.rmtree(folder)
            yield Left(cut, ticks is not None, max(0, played - (ticks or 0)))


def _check(folder: Path, game: Game, cut: Cut, promised: int, *, finished: bool) -> int | None:
    """The ticks of the session that is left; None without one."""
    sessions = Library(folder / "library").sessions()
    if not sessions:
        assert not promised, cut
        return None
    (summary,) = sessions
    assert summary.state == "complete" or (summary.state == "interrupted" and not finished), (cut, summary.problem)
    session = Session.open(summary.path)
    assert len(session) >= promised, (cut, len(session), promised)
    certificate = verified(session, game)
    assert certificate.ok, (cut, certificate.difference)
    assert certificate.ticks == len(session), (cut, certificate.ticks, len(session))
    return len(session)
