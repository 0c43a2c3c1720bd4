"""Whatever happens to a recording: killed recorders, damaged and malicious files."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.common import Options

KILLS, MUTATIONS = 20, 1_000


def kills(options: Options) -> Iterator[str]:
    """Recorders killed at random moments."""
    from tests.recorder.test_killed import kill_a_recorder

    first = random.SystemRandom().randrange(1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + (1 if options.small else KILLS)):
            yield f"- {kill_a_recorder(Path(folder), seed)}"


def mutations(options: Options) -> Iterator[str]:
    """Sessions and policies with something wrong."""
    from tests.test_hostile import check_mutations, make_originals

    with tempfile.TemporaryDirectory() as folder:
        make_originals(Path(folder))
        count = 20 if options.small else MUTATIONS
        yield check_mutations(Path(folder), random.SystemRandom().randrange(1_000_000), count)
