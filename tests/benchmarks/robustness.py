"""Whatever happens to a recording: killed recorders, damaged and malicious files."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from recorder.system.jobs import run_parallel
from tests.benchmarks.common import Options
from tests.hostile import HANG_S

KILLS, MUTATIONS, SHARE = 20, 100_000, 1_000  # mutations of one process
ORDERS, STEPS = 1_000, 30


def kills(options: Options) -> Iterator[str]:
    """Recorders killed at random moments."""
    from tests.recorder.test_killed import kill_a_recorder

    first = random.SystemRandom().randrange(1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + (1 if options.small else KILLS)):
            yield f"- {kill_a_recorder(Path(folder), seed)}"


def properties(options: Options) -> Iterator[str]:
    """Orders of what can be done to a library and in a take, made up by hypothesis."""
    from tests.recorder.orders import FEW
    from tests.recorder.test_library_properties import Shelf
    from tests.recorder.test_take_properties import Take

    orders = 5 if options.small else ORDERS
    size = settings(FEW, max_examples=orders, stateful_step_count=STEPS, derandomize=False)
    for machine in (Shelf, Take):
        run_state_machine_as_test(machine, settings=size)
        yield f"- {machine.__name__}: {orders:,} orders of up to {STEPS} steps, and every promise was kept"


def mutations(options: Options) -> Iterator[str]:
    """Sessions and policies with something wrong."""
    from tests.test_hostile import make_originals

    first = random.SystemRandom().randrange(1_000_000)
    shares = 1 if options.small else MUTATIONS // SHARE
    with tempfile.TemporaryDirectory() as folder:
        originals = Path(folder) / "originals"
        originals.mkdir()
        make_originals(originals)
        work = [
            {"originals": str(originals), "seed": seed, "count": SHARE // 50 if options.small else SHARE}
            for seed in range(first, first + shares)
        ]
        done = [row for _, row in run_parallel(f"{__name__}:share", work)]
    tried, harmless = sum(row[0] for row in done), sum(row[1] for row in done)
    yield (
        f"{tried:,} mutations from seed {first}: {tried - harmless:,} refused in a sentence, {harmless:,} harmless, no "
        f"other error, none took {HANG_S} s; a process took at most {max(row[2] for row in done) / 1e6:,.0f} MB"
    )


def share(originals: str, seed: int, count: int) -> tuple[int, int, int]:
    """A part of them; see `check_mutations`."""
    from tests.test_hostile import check_mutations

    with tempfile.TemporaryDirectory() as folder:
        return check_mutations(Path(shutil.copytree(originals, Path(folder) / "copy")), seed, count)
