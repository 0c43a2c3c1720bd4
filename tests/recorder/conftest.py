"""What several tests of recordings share."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder import RandomAgent, Session, get_spec, record


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def hops(library: Path) -> Session:
    """Three short games of random Hopper."""
    return record("hopper", RandomAgent(get_spec("hopper"), 1), library=library, episodes=3, seed=1)
