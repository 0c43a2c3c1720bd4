"""What several tests of recordings share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from recorder import RandomAgent, Session, get_spec, record
from recorder.agents.bindings import Bindings
from recorder.recording.presenter import RecordPresenter
from recorder.recording.settings import UnsavedSettings
from tests.recorder.fake_clock import FIRE_KEY, LEFT_KEY, FakeClock


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def hops(library: Path) -> Session:
    """Three short games of random Hopper."""
    return record("hopper", RandomAgent(get_spec("hopper"), 1), library=library, episodes=3, seed=1)


@pytest.fixture
def memory() -> Iterator[str]:
    """The URL of a library that nobody has written to."""
    yield "memory://team/library"
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def presenter(tmp_path: Path, clock: FakeClock) -> RecordPresenter:
    bindings = Bindings({LEFT_KEY: 3, FIRE_KEY: 1}, {LEFT_KEY: "Left", FIRE_KEY: "Space"})
    return RecordPresenter(
        tmp_path / "library", bindings, settings=UnsavedSettings("Ada"), controllers=None, countdown_s=0, now=clock
    )
