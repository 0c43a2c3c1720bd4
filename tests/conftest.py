"""What all tests have in common."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

# Beside another (pytest -n 2), a run of tests and what it starts keep to one core: threads that share one spin for it.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(autouse=True, scope="session")
def full_priority() -> Iterator[None]:
    """A training by command lowers the priority of its process; here that would be the tests', for good."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("player.cli.train.give_way", lambda: None)
        yield
