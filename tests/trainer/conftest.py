"""Small real recordings and policies, made once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recorder import Session, record
from recorder.agents.experts import scripted
from trainer import TrainConfig, fit

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


@pytest.fixture(scope="session")
def breakout(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Half a minute of scripted Breakout."""
    library = tmp_path_factory.mktemp("breakout")
    return record("breakout", scripted("breakout", seed=1), library=library, seconds=30, seed=1)


@pytest.fixture(scope="session")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A minute of scripted Breakout."""
    library = tmp_path_factory.mktemp("minute")
    return record("breakout", scripted("breakout", seed=1), library=library, seconds=60, seed=1)


@pytest.fixture(scope="session")
def hopper(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Three games of the scripted expert."""
    library = tmp_path_factory.mktemp("hopper")
    return record("hopper", scripted("hopper"), library=library, episodes=3, seed=1)


@pytest.fixture(scope="session")
def breakout_policy(breakout: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone after a dozen batches: it plays badly, but it plays."""
    out = tmp_path_factory.mktemp("policies") / "breakout.safetensors"
    list(fit([breakout], TrainConfig.for_env("breakout", **{**TINY, "play_games": 0}), out=out))
    return out


@pytest.fixture(scope="session")
def nature_policy(breakout: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone that was told of nothing but screens."""
    out = tmp_path_factory.mktemp("policies") / "nature.safetensors"
    config = TrainConfig.for_env("breakout", network="nature", **{**TINY, "play_games": 0, "batch_size": 32})
    list(fit([breakout], config, out=out))
    return out


@pytest.fixture(scope="session")
def hopper_policy(hopper: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the expert after three thousand small batches."""
    out = tmp_path_factory.mktemp("policies") / "hopper.safetensors"
    list(fit([hopper.path], TrainConfig.for_env("hopper", max_batches=3_000, play_games=2), out=out))
    return out
