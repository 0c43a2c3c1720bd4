"""Small real recordings and policies, made once."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from recorder import Library, RandomAgent, Session, get_spec, record
from recorder.agents.agent import Agent
from recorder.agents.experts import scripted
from tests.lending import made_once
from tests.trainer.train_stage import Stage
from trainer import Progress, TrainConfig, fit

TINY: dict[str, Any] = {
    "max_batches": 12,
    "batch_size": 16,
    "validations": 3,
    "validation_share": 0.03,
    "checks": 1,
    "play_games": 1,
    "play_ticks": 60,
    "threads": 1,
}


def pause_in_training(training: Generator[Progress, None, None], batch: int = 4) -> None:
    """Go on until it has learned from so many batches, and pause it then."""
    for progress in training:
        if progress.stage == "train" and progress.batch >= batch:
            break
    training.close()


def recorded(factory: pytest.TempPathFactory, name: str, agent: Agent, env: str, **amount: Any) -> Session:
    """A session, recorded once for all workers."""
    folder = made_once(factory, name, lambda library: record(env, agent, library=library, seed=1, **amount))
    (path,) = folder.glob("*.zarr")
    return Session.open(path)


def trained(factory: pytest.TempPathFactory, name: str, session: Session, config: TrainConfig) -> Path:
    """A policy, trained once for all workers."""
    file = f"{name}.safetensors"
    folder = made_once(factory, f"{name}-policy", lambda folder: list(fit([session], config, out=folder / file)))
    return folder / file


@pytest.fixture(scope="session")
def breakout(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Half a minute of scripted Breakout."""
    return recorded(tmp_path_factory, "breakout", scripted("breakout", seed=1), "breakout", seconds=30)


@pytest.fixture(scope="session")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A minute of scripted Breakout."""
    return recorded(tmp_path_factory, "minute", scripted("breakout", seed=1), "breakout", seconds=60)


@pytest.fixture(scope="session")
def hopper(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Three games of the scripted expert."""
    return recorded(tmp_path_factory, "hopper", scripted("hopper"), "hopper", episodes=3)


@pytest.fixture(scope="session")
def breakout_policy(breakout: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone after a dozen batches: it plays badly, but it plays."""
    config = TrainConfig.for_env("breakout", **{**TINY, "play_games": 0})
    return trained(tmp_path_factory, "breakout", breakout, config)


@pytest.fixture(scope="session")
def nature_policy(breakout: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone that was told of nothing but screens."""
    config = TrainConfig.for_env("breakout", network="nature", **{**TINY, "play_games": 0, "batch_size": 32})
    return trained(tmp_path_factory, "nature", breakout, config)


@pytest.fixture(scope="session")
def hopper_policy(hopper: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the expert after a few hundred small batches."""
    config = TrainConfig.for_env("hopper", max_batches=400, play_games=1, play_ticks=500)
    return trained(tmp_path_factory, "hopper", hopper, config)


@pytest.fixture(scope="session")
def random_play(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two games of random Breakout and one of random Hopper."""

    def make(folder: Path) -> None:
        record("breakout", RandomAgent(get_spec("breakout"), 1), library=folder, episodes=2, seed=3)
        record("hopper", RandomAgent(get_spec("hopper"), 1), library=folder, episodes=1, seed=3)

    return made_once(tmp_path_factory, "random-play", make)


@pytest.fixture
def library(random_play: Path, tmp_path: Path) -> Library:
    """A library with that play."""
    for session in random_play.glob("*.zarr"):
        (tmp_path / session.name).symlink_to(session)
    return Library(tmp_path)


@pytest.fixture
def stage(library: Library) -> Iterator[Stage]:
    """A presenter for that library."""
    stage = Stage(library)
    yield stage
    for worker in stage.workers:
        worker.vanish()
