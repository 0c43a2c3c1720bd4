"""What a machine may do to recordings, in full length: an hour of play, ten thousand sessions, several programs."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recorder import Library, RandomAgent, Session, get_spec, record, verify
from recorder.agents.experts import scripted
from recorder.errors import TwinplayError
from recorder.library.edits import edit
from recorder.library.index import FILE as INDEX
from recorder.library.merging import merging
from recorder.system.jobs import run_parallel
from tests.benchmarks.common import Options, alone

HOUR_S, SESSIONS = 3_600, 10_000
PROGRAMS, TOGETHER_S = 3, 60.0


def limits(options: Options) -> Iterator[str]:
    """An hour of play in one session; a library of ten thousand; three programs in one library."""
    with tempfile.TemporaryDirectory() as folder:
        yield from hour(Path(folder), 60 if options.small else HOUR_S)
    with tempfile.TemporaryDirectory() as folder:
        yield from many(Path(folder), 100 if options.small else SESSIONS)
    with tempfile.TemporaryDirectory() as folder:
        yield together(Path(folder), 3.0 if options.small else TOGETHER_S)


def hour(folder: Path, seconds: int) -> Iterator[str]:
    """One session of so much Breakout, recorded at full speed, and what takes longer the longer it is."""
    made = alone(f"{__name__}:record_long", folder=str(folder), seconds=seconds)
    yield (
        f"- A session of {seconds / 60:.0f} minutes of Breakout, {made['ticks']:,} ticks, {made['megabytes']:.1f} MB: "
        f"recorded in {made['wall']:.0f} s with {made['peak'] / 1e6:.0f} MB of memory"
    )
    for what in ("open", "list", "edit", "verify"):
        did = alone(f"{__name__}:use_long", what=what, folder=str(folder))
        yield f"- {what}: {did['seconds']:.2f} s, {did['peak'] / 1e6:.0f} MB of memory"


def record_long(folder: str, seconds: int) -> dict[str, Any]:
    """Record in a process of its own."""
    session = record("breakout", scripted("breakout", seed=1), library=folder, seconds=seconds)
    return {"ticks": len(session), "megabytes": session.size_bytes / 1e6}


def use_long(what: str, folder: str) -> dict[str, Any]:
    """Use the session that is in `folder`, in a process of its own."""
    (path,) = Path(folder).glob("*.zarr")
    begun = time.perf_counter()
    if what == "open":
        session = Session.open(path)
        assert len(session.scores) >= 1
        assert session.screen(len(session) - 1).any()
    elif what == "list":
        assert len(Library(folder).sessions()) == 1
    elif what == "edit":
        edit(path, title="An hour", spans=[range(100, 200)])
    else:
        certificate = verify(Session.open(path))
        assert certificate.ok, certificate.difference
    return {"seconds": time.perf_counter() - begun}


def many(folder: Path, count: int) -> Iterator[str]:
    """So many sessions, listed. They share all files but the one that tells them apart."""
    session = record("hopper", scripted("hopper"), library=folder / "original", seconds=0.1)
    head = (session.path / "zarr.json").read_bytes()
    library = folder / "library"
    for number in range(count):
        path = library / f"2026-01-01T00-00-00-hopper-{number}.zarr"
        shutil.copytree(session.path, path, copy_function=os.link)
        (path / "zarr.json").unlink()
        (path / "zarr.json").write_bytes(head)
    time.sleep(2.1)  # what has just changed is not indexed
    texts = []
    for what in ("by opening each", "from the index", "in the same process again"):
        done = alone(f"{__name__}:listed", folder=str(library), again=what == "in the same process again")
        assert done["sessions"] == count
        texts.append(f"{done['seconds']:.2f} s {what} ({done['peak'] / 1e6:.0f} MB of memory)")
    size = (library / INDEX).stat().st_size / 1e6
    yield f"- {count:,} sessions are listed in {', '.join(texts)}; the index has {size:.1f} MB"


def listed(folder: str, again: bool) -> dict[str, Any]:
    """How long it takes to list a library, or to list it again."""
    library = Library(folder)
    if again:
        library.sessions()
    begun = time.perf_counter()
    sessions = len(library.sessions())
    return {"sessions": sessions, "seconds": time.perf_counter() - begun}


def together(folder: Path, seconds: float) -> str:
    """Programs that record, edit, delete, restore, merge and verify in one library, whatever the others do."""
    seed = random.SystemRandom().randrange(1_000_000)
    work = [{"folder": str(folder), "seconds": seconds, "seed": seed + number} for number in range(PROGRAMS)]
    did: Counter[str] = Counter()
    recorded: set[str] = set()
    for _, (acts, digests) in run_parallel(f"{__name__}:one_of_several", work, PROGRAMS):
        did.update(acts)
        recorded.update(digests)
    there = set()
    for path in (*folder.glob("*.zarr"), *folder.glob(".trash/*.zarr")):
        certificate = verify(Session.open(path))
        assert certificate.ok, (seed, path, certificate.difference)
        there.add(certificate.digest)
    assert recorded <= there, (seed, len(recorded - there), "sessions were lost")
    assert [str(path) for path in folder.glob(".making-*")] == []
    for summary in Library(folder).sessions():
        assert summary.state == "complete", (seed, summary)
    told = ", ".join(f"{number} × {act}" for act, number in sorted(did.items()))
    return f"- {PROGRAMS} programs in one library for {seconds:.0f} s (seed {seed}): {told}; nothing was lost"


def one_of_several(folder: str, seconds: float, seed: int) -> tuple[dict[str, int], list[str]]:
    """One of these programs: how often it did what, and the digests of what it recorded."""
    rng, library = random.Random(seed), Library(folder)
    did: Counter[str] = Counter()
    recorded: list[str] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        act = rng.choice(["record", "record", "edit", "edit", "delete", "restore", "merge", "verify", "list"])
        try:
            if act == "record" or not (names := [summary.name for summary in library.sessions()]):
                player = RandomAgent(get_spec("hopper"), rng.randrange(1_000_000))
                session = record("hopper", player, library=folder, episodes=1, seed=rng.randrange(1_000_000))
                recorded.append(session.digest())
            else:
                do(act, library, library.path / f"{rng.choice(names)}.zarr", rng)
            did[act] += 1
        except TwinplayError:  # another program was faster, and that is told in a sentence
            did["refused in a sentence"] += 1
    return dict(did), recorded


def do(act: str, library: Library, path: Path, rng: random.Random) -> None:
    """One thing that a person does to a library. Raises TwinplayError."""
    if act == "edit":
        edit(path, title=f"{rng.random()}", labels={0: rng.choice(["success", "failure"])})
    elif act == "delete":
        library.trash(path.name)
    elif act == "restore":
        for trashed in library.trashed()[:2]:
            library.restore(trashed.path)
    elif act == "merge":
        others = [summary.path for summary in library.sessions() if summary.ticks < 200]
        for _ in merging([path, rng.choice(others or [path])], library.path):
            pass
    elif act == "verify":
        certificate = verify(Session.open(path))
        assert certificate.ok or not path.exists(), json.dumps([str(path), certificate.difference])
