"""The rows that a network is shown of a game whose description does not say: what moves, without a score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from recorder import RandomAgent, Session, get_spec, record
from recorder.agents.experts import has_expert, scripted
from trainer import Policy, TrainConfig, fit
from trainer.data import playfield as rows
from trainer.data.playfield import framed, playfield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("playfield")


def played(name: str, folder: Path, seconds: float = 60) -> Session:
    agent = scripted(name, 1) if has_expert(name) else RandomAgent(get_spec(name), 1)
    return record(name, agent, library=folder / name, seconds=seconds, seed=1)


def test_it_finds_the_rows_that_a_person_chose_for_breakout(folder: Path) -> None:
    assert playfield([played("breakout", folder)]) == get_spec("breakout").playfield


def test_the_score_of_pong_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = played("pong", folder, 90)
    assert (session.rewards[:] != 0).sum() >= 3
    assert playfield([session]) == (34, 194)
    monkeypatch.setattr(rows, "_BY_REWARD", 2.0)  # so that nothing counts as a score
    found = playfield([session])
    assert found is None or found[0] < 34


def test_of_many_sessions_only_some_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, read = played("pong", folder / "many", 20), []
    monkeypatch.setattr(Session, "screens", lambda self, *span: read.append(span) or np.zeros((2, 210, 160), np.uint8))
    playfield([session] * 500)
    assert 12 <= len(read) <= 48


def test_a_game_that_fills_the_screen_is_shown_whole(folder: Path) -> None:
    session = played("boxing", folder)
    assert playfield([session]) is None
    assert framed(TrainConfig.for_env("boxing"), [session]).crop == TrainConfig().crop


def test_rows_that_somebody_chose_stay(folder: Path) -> None:
    session = played("freeway", folder, 20)
    chosen = TrainConfig.for_env("freeway", crop=(10, 150))
    assert framed(chosen, [session]) == chosen
    assert framed(TrainConfig.for_env("freeway"), [session]).crop[0] > 10


def test_the_clone_sees_the_rows_that_its_training_saw(folder: Path) -> None:
    session = played("assault", folder, 20)
    expected = playfield([session])
    assert expected is not None
    out = folder / "clone.safetensors"
    small = TrainConfig.for_env("assault", network="nature", size=36, max_batches=4, batch_size=4, play_games=0)
    list(fit([session], replace(small, checks=0), out=out))
    assert Policy.load(out).config.crop == expected
