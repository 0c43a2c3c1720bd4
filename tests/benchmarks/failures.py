"""A recording in which one call fails, and one whose power is cut, for every call in turn."""

from __future__ import annotations

import random
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from recorder.envs.game import Game
from recorder.envs.registry import get_spec
from recorder.system.jobs import run_parallel
from tests.benchmarks.common import Options, table
from tests.disk import failures as disk_failures
from tests.disk.power_cut import WAYS, Cut, check_cuts, recorded

TAKES = {"breakout": True, "hopper": False}  # whether it is recorded in real time
LASTS = " from then on"
PARTS, SMALL = 16, 40  # the work is done in so many parts; the small form tries one in so many
TRIED, TOLD, OPENED, VERIFIED, LOST = range(5)


def failures(options: Options) -> Iterator[str]:
    """Every call fails in every way; the power is cut after every call."""
    seed = random.SystemRandom().randrange(1_000_000)
    every = SMALL if options.small else 1
    yield f"Seed {seed}."
    for env, real_time in TAKES.items():
        title = f"{get_spec(env).title}, {'in real time' if real_time else 'at full speed'}"
        yield from ("", f"{title}, one call fails:", "")
        head = ("call", "error", "tried", "told in a sentence", "opened", "verified", "most ticks lost")
        yield from table(head, ((*kind.split(": "), *row) for kind, row in gathered("fail", env, every, seed).items()))
        yield from ("", f"{title}, the power is cut:", "")
        head = ("on the disk of what was not synced", "states", "with a session, all verified", "most ticks lost")
        yield from table(
            head, ((way, row[TRIED], *row[VERIFIED:]) for way, row in gathered("cut", env, every, seed).items())
        )


def gathered(what: str, env: str, every: int, seed: int) -> dict[str, list[int]]:
    """The rows of a table: of all parts together."""
    work = [{"env": env, "part": part, "every": every, "seed": seed} for part in range(PARTS)]
    rows: dict[str, list[int]] = {}
    for _, found in run_parallel(f"{__name__}:{what}", work):
        for kind, row in found.items():
            old = rows.setdefault(kind, [0] * len(row))
            rows[kind] = [*map(sum, zip(old[:LOST], row[:LOST], strict=True)), max(old[LOST], row[LOST])]
    order = [*(f"{call}: {error}" for call, errors in disk_failures.ERRORS.items() for error in errors), *WAYS]
    return dict(sorted(rows.items(), key=lambda item: (order.index(item[0].removesuffix(LASTS)), item[0])))


def fail(env: str, part: int, every: int, seed: int) -> dict[str, list[int]]:
    """One part of the failures of a recording: "call: error" -> TRIED, TOLD, OPENED, VERIFIED, LOST."""
    warnings.filterwarnings("ignore", "coroutine .* was never awaited")  # zarr's, if it fails to read before it writes
    rows: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder, Game(get_spec(env)) as game:
        each = list(disk_failures.failures(Path(folder), game, real_time=TAKES[env]))
        random.Random(seed).shuffle(each)
        for failure in each[part :: PARTS * every]:
            outcome = disk_failures.run(Path(folder), game, failure, real_time=TAKES[env])
            assert outcome.happened, failure
            kind = f"{failure.call}: {failure.error}{LASTS if failure.lasts else ''}"
            add(rows, kind, bool(outcome.told), outcome.opened, outcome.verified, outcome.lost_ticks)
    return rows


def cut(env: str, part: int, every: int, seed: int) -> dict[str, list[int]]:
    """One part of the power cuts of a recording: the way -> TRIED, 0, OPENED, VERIFIED, LOST."""
    rows: dict[str, list[int]] = {}
    rng = random.Random(seed + part)
    with tempfile.TemporaryDirectory() as folder, Game(get_spec(env)) as game:
        take = recorded(Path(folder) / "disk", game, real_time=TAKES[env])
        size = len(take.calls) // PARTS + 1
        calls = range(len(take.calls) + 1)[part * size : (part + 1) * size : every]
        cuts = [Cut(n, way, rng.randrange(1_000_000)) for n in calls for way in WAYS]
        for left in check_cuts(take, game, cuts, Path(folder) / "cut"):
            add(rows, left.cut.way, False, left.session, left.session, left.lost_ticks)
    return rows


def add(rows: dict[str, list[int]], kind: str, told: bool, opened: bool, verified: bool, lost: int) -> None:
    """Count one run."""
    row = rows.setdefault(kind, [0] * 5)
    row[:] = [row[TRIED] + 1, row[TOLD] + told, row[OPENED] + opened, row[VERIFIED] + verified, max(row[LOST], lost)]
